/** The README's table of platforms says what the tests found. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { recorded } from "./record.mjs";
import { read, table, written } from "./table.mjs";

/** What a platform can do, whatever its version. */
const facts = ({ kind, cpu, webgpu, missing = [], kernels }) => ({ kind, cpu, webgpu, missing, twins: Boolean(kernels) });

test("the README has the table of what is kept (npm run platforms writes it)", () => {
  assert.equal(written(), table(read()));
});

for (const [name, found] of Object.entries(read())) {
  test(`what is kept of ${name} is what the tests found`, (t) => {
    const now = recorded()[name];
    if (!now) return t.skip(`no test ran in ${name}`);
    assert.deepEqual(facts(now), facts(found), "npm run platforms keeps what was found last");
    if (now.version !== found.version) t.diagnostic(`kept of ${found.version}, found with ${now.version}`);
  });
}
