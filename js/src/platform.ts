/** What differs from place to place. */

import type { Remote } from "./remote.js";
import type { Structures } from "./structure/calls.js";

/** Node's own modules, where there is Node: also under jsdom, which imitates a page there. Bundlers see no import. */
const builtin = globalThis.process?.getBuiltinModule;

// The engine's code makes these when it is imported, and jsdom has none.
if (builtin && !globalThis.TextDecoder) {
  const { TextDecoder, TextEncoder } = builtin("node:util");
  Object.assign(globalThis, { TextDecoder, TextEncoder });
}

/** Filled in further by the entries, `inline.ts` and `structure/index.ts`. */
export const platform: {
  /** Whether a file without a scheme is a path on the disk, and no address beside the page's. */
  paths: boolean;
  /** The bytes of a file, if it is on the disk. */
  readFile?(file: string | URL): Promise<Uint8Array<ArrayBuffer>> | undefined;
  /** The engine's WebAssembly from inside the code, as base64 of gzip. */
  inlined?(): Promise<string>;
  /** What opens taggers, parsers and tree classifiers. */
  structures?(): Promise<Structures>;
  /** What opens an engine in a worker. */
  workers?(): Promise<(failed: (reason: string) => string) => Remote>;
  /** How its worker is made, where that is not the package's own way. */
  worker?: () => Worker;
} = { paths: !globalThis.location || !globalThis.fetch };

if (builtin) {
  const { readFile } = builtin("node:fs/promises");
  platform.readFile = (file) => {
    // jsdom's URL is another class than Node's, and a bundler's may be none.
    const address = typeof file === "string" ? file : file.href;
    const isPath = typeof file === "string" && !/^[a-z]{2,}:/i.test(file);
    if (isPath ? !platform.paths : !/^file:/i.test(address)) return undefined;
    return readFile(isPath ? address : new URL(address)).then((bytes) => new Uint8Array(bytes));
  };
}

/** How many threads compute at once here. */
export function processors(): number {
  // Node 20 has no navigator.
  return globalThis.navigator?.hardwareConcurrency ?? builtin?.("node:os").availableParallelism() ?? 1;
}

/** Why the engine must not ask for a GPU here. Of a page or a browser's worker without one it finds out by itself. */
export function whyNoGpu(): string | undefined {
  const mayAsk = "Window" in globalThis || "WorkerGlobalScope" in globalThis || "gpu" in (globalThis.navigator ?? {});
  return mayAsk ? undefined : "this runtime has no navigator.gpu";
}
