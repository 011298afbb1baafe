/**
 * JavaScript's side of `dynet_peers.py` in Node.
 *
 *   node bench/native/loops.mjs FORM STRATEGY FILE
 *
 * FORM is one of `networks.mjs`. Reads the examples of a file and, for every line of standard input, takes the minibatch of that
 * number and prints its milliseconds and the loss. `npm run package` comes first.
 */

import { readFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { Parameters } from "../../js/dist/graph/node.js";
import { minibatches } from "./networks.mjs";

const [form, strategy, file] = process.argv.slice(2);
const bytes = readFileSync(file);
const take = await minibatches(Parameters, form, strategy, new Uint32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4));
console.log("ready");
for await (const line of createInterface({ input: process.stdin })) console.log(await take(Number(line)));
