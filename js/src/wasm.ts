/** The engine's WebAssembly: which of the two files, from where, compiled. */

import { fetched, moduleOf, onDisk } from "./compile.js";
import type { Follow } from "./engine.js";
import { errorOf, messageOf } from "./errors.js";
import { platform } from "./platform.js";
import { hasRelaxedSimd } from "./relaxed.js";
import type { InitOptions, Variant } from "./types.js";

/** Written out, so that bundlers find the files and put them beside the code. */
const files: Readonly<Record<Variant, () => URL>> = {
  simd: () => new URL("../pkg/saccade_rnn_bg.wasm", import.meta.url),
  relaxed: () => new URL("../pkg/saccade_rnn_relaxed_bg.wasm", import.meta.url),
};

/** The compiled engine. */
export async function compiled(
  { wasm, variant = "auto" }: Pick<InitOptions, "wasm" | "variant">,
  follow: Follow,
): Promise<WebAssembly.Module> {
  return wasm === undefined ? shipped(variant, follow) : moduleOf(wasm, follow);
}

/** The file that came with the package, or what the code itself holds. */
async function shipped(variant: Variant | "auto", follow: Follow): Promise<WebAssembly.Module> {
  const names: Variant[] = variant !== "auto" ? [variant] : hasRelaxedSimd() ? ["relaxed", "simd"] : ["simd"];
  // There is one of 128-bit SIMD only.
  const inlined = names.includes("simd") ? platform.inlined : undefined;
  let failure: unknown;
  // Not every copy of the package has both files.
  for (const name of names) {
    try {
      const file = files[name]();
      const module = (await onDisk(file)) ?? (inlined ? undefined : await fetched(file, follow));
      if (module) return module;
    } catch (error) {
      if (follow.signal?.aborted) throw error;
      failure = error;
    }
  }
  if (inlined) return unpacked(await inlined());
  const advice = 'if your bundler did not put the file there, add this line: import "saccade-rnn/inline";';
  throw errorOf("FETCH_FAILED", `${messageOf(failure)}; ${advice}`, failure);
}

/** What the code holds: gzip, as base64. */
async function unpacked(base64: string): Promise<WebAssembly.Module> {
  const binary = atob(base64);
  const packed = new Uint8Array(binary.length);
  for (let at = 0; at < packed.length; at += 1) packed[at] = binary.charCodeAt(at);
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"));
  return WebAssembly.compile(await new Response(stream).arrayBuffer());
}
