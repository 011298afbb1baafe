/** Arguments, right and wrong, in a page and in its worker. */

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { holds } from "./arguments/property.mjs";
import { places } from "./arguments/reference.mjs";
import { inChromium, open, page, renew } from "./blank.mjs";

const COUNT = 4000;

describe("in a page", { timeout: 600_000 }, () => {
  inChromium();

  for (const [where, entry] of [["its thread", "index"], ["its worker", "worker"]]) {
    test(`${COUNT} calls in ${where}`, async () => {
      await renew();
      await open();
      await page.evaluate(async ([entry, { file, tensors }]) => {
        const at = (path) => new URL(path, location.href).href;
        const bytes = async (path) => new Uint8Array(await (await fetch(at(path))).arrayBuffer());
        const { perform, world } = await import(at("js/tests/arguments/world.mjs"));
        const kinds = Object.entries(tensors).map(async ([kind, path]) => [kind, await bytes(path)]);
        const files = { file: await bytes(file), tensors: Object.fromEntries(await Promise.all(kinds)) };
        const all = await world(await import(at(`js/dist/${entry}.js`)), files);
        window.perform = (calls) => perform(all, calls);
      }, [entry, places]);
      const perform = (calls) => page.evaluate((calls) => window.perform(calls), calls);
      const { right, wrong } = await holds(perform, { count: COUNT, together: 50 });
      assert.ok(right > COUNT / 10 && wrong > COUNT / 2, `${right} right and ${wrong} wrong`);
    });
  }
});
