/** What differs from place to place. */

/** Filled in by the entry of a place that is no browser. */
export const platform: {
  /** The bytes of a file, if the address is one that `fetch` cannot read. */
  readFile?(address: string | URL): Promise<Uint8Array<ArrayBuffer>> | undefined;
  /** Why there is no WebGPU. */
  noGpu?: string;
} = {};
