/** The engine's WebAssembly: which of the two files, from where, compiled. */

import { counted } from "./download.js";
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
  { signal, onProgress }: Follow,
): Promise<WebAssembly.Module> {
  if (wasm instanceof WebAssembly.Module) return wasm;
  if (wasm instanceof ArrayBuffer || ArrayBuffer.isView(wasm)) return WebAssembly.compile(wasm);
  const from = async (place: string | URL | Response) => {
    if (!(place instanceof Response)) {
      const bytes = await platform.readFile?.(place);
      if (bytes) return WebAssembly.compile(bytes);
    }
    const response = place instanceof Response ? place : await fetch(place, { signal: signal ?? null });
    if (!response.ok) throw errorOf("FETCH_FAILED", `${response.url}: HTTP status ${response.status}`);
    return streamed(counted(response, { signal, onProgress }));
  };
  if (wasm !== undefined) return from(wasm);
  if (variant === "relaxed" || (variant === "auto" && hasRelaxedSimd())) {
    try {
      return await from(files.relaxed());
    } catch (error) {
      // Not every copy of the package has both files.
      if (variant === "relaxed" || signal?.aborted) throw error;
    }
  }
  return from(files.simd());
}

/** Compiles while it arrives, if the server calls it WebAssembly. */
async function streamed(response: Response): Promise<WebAssembly.Module> {
  if (response.headers.get("content-type")?.startsWith("application/wasm")) return WebAssembly.compileStreaming(response);
  const bytes = await response.arrayBuffer();
  return WebAssembly.compile(bytes).catch((error: unknown) => {
    throw errorOf("FETCH_FAILED", `${response.url || "the response"} is no WebAssembly: ${messageOf(error)}`, error);
  });
}
