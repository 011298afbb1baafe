/**
 * The full network to hold a skimming one against: the same file without its small cell and its decisions, so that the big
 * cell reads every word. Made in the browser from the model's own bytes, by the format that `crate/src/model` documents: a
 * length, a JSON header that says where each tensor lies, and the tensors.
 */

interface Extent {
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly data_offsets: readonly [number, number];
}

interface Layer {
  readonly type: string;
  readonly cell?: string;
  readonly hidden_size?: number;
}

const LENGTH_BYTES = 8;

/** The file of the full network; null for a file that has no layer that skims. Throws on bytes that are no such file. */
export function twin(file: Uint8Array): Uint8Array<ArrayBuffer> | null {
  const length = Number(new DataView(file.buffer, file.byteOffset).getBigUint64(0, true));
  const header = JSON.parse(new TextDecoder().decode(file.subarray(LENGTH_BYTES, LENGTH_BYTES + length)));
  const { __metadata__: metadata, ...tensors } = header as Record<string, unknown>;
  const config = JSON.parse((metadata as { saccade: string }).saccade) as { encoder: readonly Layer[]; threshold?: number };
  const skims = config.encoder.map((layer) => layer.type === "skim");
  if (!skims.includes(true)) return null;

  const kept = Object.entries(tensors as Record<string, Extent>).flatMap(([name, extent]) => {
    const renamed = nameInTwin(name, skims);
    return renamed === null ? [] : [[renamed, extent] as const];
  });
  const { threshold: _, ...rest } = config;
  const encoder = config.encoder.map((layer) =>
    layer.type === "skim" ? { type: layer.cell, hidden_size: layer.hidden_size, bidirectional: false } : layer,
  );
  return write({ saccade: JSON.stringify({ ...rest, encoder }) }, kept, file.subarray(LENGTH_BYTES + length));
}

/** `encoder.0.big.weight_ih` is `encoder.0.weight_ih_l0` in a layer that is one cell; what only skims has no name there. */
function nameInTwin(name: string, skims: readonly boolean[]): string | null {
  const [, index, part, tensor, suffix = ""] = /^encoder\.(\d+)\.(\w+)\.(\w+)(\.scale)?$/.exec(name) ?? [];
  if (index === undefined || !skims[Number(index)]) return name;
  return part === "big" ? `encoder.${index}.${tensor}_l0${suffix}` : null;
}

function write(
  metadata: Readonly<Record<string, string>>,
  tensors: readonly (readonly [string, Extent])[],
  data: Uint8Array,
): Uint8Array<ArrayBuffer> {
  let end = 0;
  const moved = tensors.map(([name, { dtype, shape, data_offsets }]) => {
    const begin = end;
    end += data_offsets[1] - data_offsets[0];
    return [name, { dtype, shape, data_offsets: [begin, end] }] as const;
  });
  const json = JSON.stringify({ __metadata__: metadata, ...Object.fromEntries(moved) });
  // Tensors begin at a multiple of 8, as the format asks.
  const header = new TextEncoder().encode(json);
  const padded = Math.ceil(header.length / 8) * 8;
  const out = new Uint8Array(LENGTH_BYTES + padded + end).fill(0x20, LENGTH_BYTES, LENGTH_BYTES + padded);
  new DataView(out.buffer).setBigUint64(0, BigInt(padded), true);
  out.set(header, LENGTH_BYTES);
  for (const [index, [, { data_offsets }]] of tensors.entries()) {
    const to = moved[index]?.[1].data_offsets[0] ?? 0;
    out.set(data.subarray(...data_offsets), LENGTH_BYTES + padded + to);
  }
  return out;
}
