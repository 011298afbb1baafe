/** What PyTorch and the `sru` package computed: the files of `crate/tests/fixtures`, whose README says what is in them. */

import { bytesOf, list } from "./package.mjs";

const FAMILIES = ["adaptive_softmax", "elman", "lstm", "gru", "sru", "skim", "checkpoints"];
const ARRAYS = { F32: Float32Array, I32: Int32Array };
const folder = (family) => `crate/tests/fixtures/${family}/`;
const files = new Map();
for (const family of FAMILIES) {
  const names = await list(folder(family));
  const read = async (name) => [name.replace(".safetensors", ""), await bytesOf(folder(family) + name)];
  files.set(family, new Map(await Promise.all(names.map(read))));
}

/** Names of a family's cases. */
export function cases(family) {
  return [...files.get(family).keys()];
}

/** A case: its description, its file and its tensors. */
export function fixture(family, name) {
  const bytes = files.get(family).get(name).slice();
  const view = new DataView(bytes.buffer);
  const length = Number(view.getBigUint64(0, true));
  const { __metadata__, ...header } = JSON.parse(new TextDecoder().decode(bytes.subarray(8, 8 + length)));
  const tensors = Object.entries(header).map(([tensor, { dtype, data_offsets }]) => {
    const [from, to] = data_offsets.map((at) => 8 + length + at);
    const numbers = bytes.slice(from, to).buffer;
    return [tensor, new (ARRAYS[dtype] ?? Uint8Array)(numbers)];
  });
  return { case: JSON.parse(__metadata__.case), bytes, tensors: Object.fromEntries(tensors) };
}

/** The largest difference, as a share of the largest expected magnitude if that is above 1. */
export function difference(found, expected) {
  if (found.length !== expected.length) return Infinity;
  let [largest, scale] = [0, 1];
  for (let i = 0; i < found.length; i++) {
    largest = Math.max(largest, Math.abs(found[i] - expected[i]));
    scale = Math.max(scale, Math.abs(expected[i]));
  }
  return largest / scale;
}
