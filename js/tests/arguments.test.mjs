/** Arguments, right and wrong, in this thread and in a worker of Node. */

import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { after, test } from "node:test";
import { layerSignatures } from "../dist/arguments/layers.js";
import { CHOICES } from "../dist/choices.js";
import * as here from "../dist/node.js";
import * as there from "../dist/node-worker.js";
import { signatures } from "./arguments/cases.mjs";
import { holds } from "./arguments/property.mjs";
import { answers, files, order } from "./arguments/reference.mjs";
import { calls, perform, world } from "./arguments/world.mjs";

after(there.terminate);

/** What takes nothing and can be called by anybody with anything, and what the types do not have. */
const FREE = new Set(["terminate", "dispose", "withoutWordCache", "ran", "answered", "streamed", "each", "all", "lent"]);
/** Classes whose objects nobody is given. */
const INSIDE = ["Writer", "Many", "LoadedStructured"];

/** Names of the functions that an object's classes have, below the one that they all extend. */
function methodsOf(object) {
  const names = [];
  for (let from = Object.getPrototypeOf(object); Object.getPrototypeOf(from) !== Object.prototype; from = Object.getPrototypeOf(from)) {
    names.push(...Object.getOwnPropertyNames(from).filter((name) => name !== "constructor" && typeof object[name] === "function"));
  }
  return names.filter((name) => !FREE.has(name));
}

const isClass = (value) => value === here.SaccadeError || value === there.SaccadeError || value.prototype instanceof Error;

/** Functions of an entry of the package: its own, and those of its kinds of layers. */
function functionsOf(api) {
  return Object.entries(api).flatMap(([name, value]) => {
    if (typeof value === "function") return isClass(value) || FREE.has(name) ? [] : [name];
    return Object.keys(value).map((method) => `${name}.${method}`);
  });
}

/** What the package gives, by the prefix of its functions' names. */
function givenBy({ model, reader, language, writing, tagging, parsing, labelling, distribution, kinds }) {
  const objects = { "": model, "Reader.": reader, "LanguageModel.": language, "LanguageReader.": writing, "AdaptiveSoftmax.": distribution };
  Object.assign(objects, { "Tagger.": tagging, "Parser.": parsing, "TreeClassifier.": labelling });
  for (const [kind, layer] of Object.entries(kinds)) objects[`${kind}.`] = layer;
  return objects;
}

test("every public function is in the table of arguments, and called by the tests", async () => {
  const names = new Set();
  for (const api of [here, there]) {
    const objects = givenBy(await world(api, files));
    const methods = Object.entries(objects).flatMap(([prefix, object]) => methodsOf(object).map((name) => prefix + name));
    for (const name of [...functionsOf(api), ...methods]) names.add(name);
    const folder = new URL("../dist/", import.meta.url);
    const sources = readdirSync(folder, { recursive: true }).filter((name) => name.endsWith(".js")).map((name) => readFileSync(new URL(name, folder), "utf8"));
    const classes = sources.flatMap((source) => [...source.matchAll(/^(?:export )?class (\w+) extends (?:Owner|Many|LoadedStructured)\b/gm)].map(([, name]) => name));
    const seen = Object.values(objects).map((object) => object.constructor.name);
    assert.deepEqual(new Set([...seen, ...INSIDE]), new Set(classes), "there are objects of every class that a caller may have");
  }
  const sorted = (all) => [...all].sort();
  for (const table of [signatures, calls, answers]) assert.deepEqual(sorted(Object.keys(table)), sorted(names));
});

test("choices of layers cross in the engine's order, and none is left behind", () => {
  assert.deepEqual(CHOICES, order);
  const others = ["seed", "precision", "prefix"];
  for (const [kind, functions] of Object.entries(layerSignatures)) {
    for (const { check } of Object.values(functions).flat()) {
      for (const name of Object.keys(check.fields ?? {})) assert.ok(order.includes(name) || others.includes(name), `${kind}: ${name}`);
    }
  }
});

// Both entries of a process make workers in the same way: what one is told, the other would do.
for (const [where, api, count, without] of [["this thread", here, 8000, ["useWorker"]], ["a worker", there, 4000, []]]) {
  test(`${count} calls in ${where}`, async () => {
    const all = await world(api, files);
    const { right, wrong } = await holds((calls) => perform(all, calls), { count, without });
    assert.ok(right > count / 10 && wrong > count / 2, `${right} right and ${wrong} wrong`);
  });
}
