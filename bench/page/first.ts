/** A page with one purpose: `?model=…` loaded and a sentence read on the CPU, as soon as can be. */

import { load } from "saccade-rnn";
import type { Started } from "./start.ts";

async function first(): Promise<Started> {
  // `warmUp` would read other words before ours.
  const model = await load(`models/${new URLSearchParams(location.search).get("model")}.safetensors`, { task: "classify", device: "cpu", warmUp: false });
  const codeMs = performance.now();
  const reading = await model.read("a small film with a big heart, slow to begin and hard to forget");
  return { codeMs, answerMs: performance.now(), value: reading.scores[0]!.probability };
}

window.started = first();
