/**
 * The full network to hold a skimming one against: the same file without its small cell and its decisions, so that the big
 * cell reads every word. Made in the browser from the model's own bytes.
 */

import { parse, write } from "./safetensors.ts";

interface Layer {
  readonly type: string;
  readonly cell?: string;
  readonly hidden_size?: number;
}

/** The file of the full network; null for a file that has no layer that skims. Throws on bytes that are no model. */
export function twin(file: Uint8Array): Uint8Array<ArrayBuffer> | null {
  const { metadata, tensors } = parse(file);
  const { threshold: _, ...config } = JSON.parse(metadata["saccade"] ?? "{}") as { encoder: readonly Layer[]; threshold?: number };
  const skims = config.encoder.map((layer) => layer.type === "skim");
  if (!skims.includes(true)) return null;
  const encoder = config.encoder.map((layer) => (layer.type === "skim" ? bigCell(layer) : layer));
  return write({
    metadata: { saccade: JSON.stringify({ ...config, encoder }) },
    tensors: tensors.flatMap((tensor) => {
      const name = nameInTwin(tensor.name, skims);
      return name === null ? [] : [{ ...tensor, name }];
    }),
  });
}

/** The layer that is the big cell alone. */
function bigCell({ cell, hidden_size }: Layer): object {
  return { type: cell, hidden_size, bidirectional: false, ...(cell === "elman" && { nonlinearity: "tanh" }) };
}

/** `encoder.0.big.weight_ih` is `encoder.0.weight_ih_l0` in a layer that is one cell; what only skims has no name there. */
function nameInTwin(name: string, skims: readonly boolean[]): string | null {
  const [, index, part, tensor, suffix = ""] = /^encoder\.(\d+)\.(\w+)\.(\w+)(\.scale)?$/.exec(name) ?? [];
  if (index === undefined || !skims[Number(index)]) return name;
  return part === "big" ? `encoder.${index}.${tensor}_l0${suffix}` : null;
}
