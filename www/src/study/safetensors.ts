/** Model files as `crate/src/model` documents them: a length, a JSON header that says where each tensor lies, the tensors. */

export interface Tensor {
  readonly name: string;
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly bytes: Uint8Array;
}

export interface ModelFile {
  /** Strings by name; under `saccade` the model's config, as JSON. */
  readonly metadata: Readonly<Record<string, string>>;
  readonly tensors: readonly Tensor[];
}

interface Extent {
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly data_offsets: readonly [number, number];
}

const LENGTH_BYTES = 8;

/** The parts of a file, whose bytes they share. Throws on bytes that are no such file. */
export function parse(file: Uint8Array): ModelFile {
  const length = Number(new DataView(file.buffer, file.byteOffset).getBigUint64(0, true));
  const text = new TextDecoder().decode(file.subarray(LENGTH_BYTES, LENGTH_BYTES + length));
  const { __metadata__: metadata = {}, ...extents } = JSON.parse(text) as Record<string, Extent> & {
    __metadata__?: Record<string, string>;
  };
  const data = file.subarray(LENGTH_BYTES + length);
  const tensors = Object.entries(extents as Record<string, Extent>).map(([name, { dtype, shape, data_offsets }]) => ({
    name,
    dtype,
    shape,
    bytes: data.subarray(...data_offsets),
  }));
  return { metadata, tensors };
}

/** The inverse of {@link parse}. */
export function write({ metadata, tensors }: ModelFile): Uint8Array<ArrayBuffer> {
  let end = 0;
  const extents = tensors.map(({ name, dtype, shape, bytes }) => {
    const begin = end;
    end += bytes.length;
    return [name, { dtype, shape, data_offsets: [begin, end] }] as const;
  });
  const json = new TextEncoder().encode(JSON.stringify({ __metadata__: metadata, ...Object.fromEntries(extents) }));
  // Tensors begin at a multiple of 8, as the format asks; the header is filled up with spaces.
  const header = Math.ceil(json.length / 8) * 8;
  const file = new Uint8Array(LENGTH_BYTES + header + end).fill(0x20, LENGTH_BYTES, LENGTH_BYTES + header);
  new DataView(file.buffer).setBigUint64(0, BigInt(header), true);
  file.set(json, LENGTH_BYTES);
  for (const [index, { bytes }] of tensors.entries()) {
    file.set(bytes, LENGTH_BYTES + header + (extents[index]?.[1].data_offsets[0] ?? 0));
  }
  return file;
}
