/** Arguments, right and wrong, in this thread and in a worker of Node. */

import assert from "node:assert/strict";
import { after, test } from "node:test";
import * as here from "../dist/node.js";
import * as there from "../dist/node-worker.js";
import { holds } from "./arguments/property.mjs";
import { files } from "./arguments/reference.mjs";
import { perform, world } from "./arguments/world.mjs";

after(there.terminate);

for (const [where, api, count, without] of [["this thread", here, 8000, ["useWorker"]], ["a worker", there, 4000, []]]) {
  test(`${count} calls in ${where}`, async () => {
    const all = await world(api, files);
    const { right, wrong } = await holds((calls) => perform(all, calls), { count, without });
    assert.ok(right > count / 10 && wrong > count / 2, `${right} right and ${wrong} wrong`);
  });
}
