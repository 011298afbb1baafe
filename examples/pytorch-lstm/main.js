/** Opens the `state_dict` that `export.py` wrote, compares its answer with PyTorch's and lets it go on by itself. */

import { Lstm } from "saccade-rnn";
import file from "./lstm.safetensors?url";
import pytorch from "./pytorch.json";

const bytes = await (await fetch(file)).arrayBuffer();
const lstm = await Lstm.fromSafetensors(bytes);
const { output, state } = await lstm.forward(Float32Array.from(pytorch.x));

// Rows are time steps; the first column is the guess at the next value.
const guesses = pytorch.x.map((_, t) => output[t * lstm.outputSize]);
const difference = Math.max(...guesses.map((guess, t) => Math.abs(guess - pytorch.guess[t])));

const own = [guesses.at(-1)];
for (let last = state; own.length < pytorch.x.length; ) {
  const next = await lstm.forward(Float32Array.of(own.at(-1)), { state: last });
  own.push(next.output[0]);
  last = next.state;
}
lstm.dispose();

const points = (values, from) => values.map((value, t) => `${from + t},${-value}`).join(" ");
document.getElementById("given").setAttribute("points", points(pytorch.x, 0));
document.getElementById("own").setAttribute("points", points([pytorch.x.at(-1), ...own], pytorch.x.length - 1));
document.getElementById("difference").textContent =
  `Largest difference from PyTorch's own answer over ${guesses.length} steps: ${difference.toExponential(1)}`;
