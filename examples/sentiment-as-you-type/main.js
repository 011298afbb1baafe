/**
 * Judges what is typed, at each key. The model lives in a worker, so that typing never waits for it, and a reader keeps its
 * state after every word: a word more costs one step, whatever stands before it.
 */

import { load } from "saccade-rnn/worker";
import file from "../../models/sst2-skim-lstm-small.safetensors?url";

const [area, line, verdict] = ["text", "reading", "verdict"].map((id) => document.getElementById(id));

/** The text, with each token in a span of the class `read` or `skim`; spans count in the string's own units. */
function marked(text, tokens) {
  const parts = [];
  let at = 0;
  for (const { start, end, decision } of tokens) {
    const span = document.createElement("span");
    span.className = decision;
    span.textContent = text.slice(start, end);
    parts.push(text.slice(at, start), span);
    at = end;
  }
  return [...parts, text.slice(at)];
}

const percent = (share) => `${(100 * share).toFixed(1)} %`;

async function show() {
  const text = area.value;
  const { label, scores, tokens, skimRate } = await reader.update(text);
  // Another key was pressed meanwhile; its own call shows it.
  if (text !== area.value) return;
  line.replaceChildren(...marked(text, tokens));
  const { probability } = scores.find((score) => score.label === label);
  verdict.textContent = `${label}, ${percent(probability)} sure; ${percent(skimRate)} skimmed, ${reader.computed} steps computed`;
}

const fail = ({ code, message }) => (line.textContent = `${code ?? "Error"}: ${message}`);

let reader;
try {
  const model = await load(file);
  reader = model.reader();
  area.disabled = false;
  area.addEventListener("input", () => show().catch(fail));
  await show();
} catch (error) {
  fail(error);
}
