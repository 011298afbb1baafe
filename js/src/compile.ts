/** WebAssembly from wherever its file is. */

import { tagOf } from "./arguments/check.js";
import { counted } from "./download.js";
import type { Follow } from "./engine.js";
import { errorOf, messageOf } from "./errors.js";
import { platform } from "./platform.js";
import type { InitOptions } from "./types.js";

/** The module of whatever stands for one. */
export async function moduleOf(wasm: NonNullable<InitOptions["wasm"]>, follow: Follow): Promise<WebAssembly.Module> {
  if (ArrayBuffer.isView(wasm)) return WebAssembly.compile(wasm as BufferSource);
  switch (tagOf(wasm)) {
    case "WebAssembly.Module":
      return wasm as WebAssembly.Module;
    case "ArrayBuffer":
      return WebAssembly.compile(wasm as ArrayBuffer);
    case "Response":
      return streamed(wasm as Response, follow);
    default:
      return (await onDisk(wasm as string | URL)) ?? fetched(wasm as string | URL, follow);
  }
}

/**
 * The module of the first file that is there of those that came with the package, since not every copy has all; where none is,
 * `how` says how its place is told.
 */
export async function shipped(files: readonly URL[], how: string, follow: Follow): Promise<WebAssembly.Module> {
  let failure: unknown;
  for (const file of files) {
    try {
      return await moduleOf(file, follow);
    } catch (error) {
      if (follow.signal?.aborted) throw error;
      failure = error;
    }
  }
  const advice = `if your bundler did not put the file there, serve it and say where it is: ${how}`;
  throw errorOf("FETCH_FAILED", `${messageOf(failure)}; ${advice}`, failure);
}

export async function onDisk(place: string | URL): Promise<WebAssembly.Module | undefined> {
  const bytes = await platform.readFile?.(place);
  return bytes && WebAssembly.compile(bytes);
}

export async function fetched(place: string | URL, follow: Follow): Promise<WebAssembly.Module> {
  const response = await fetch(place, { signal: follow.signal ?? null }).catch((error: unknown) => {
    throw errorOf("FETCH_FAILED", `${String(place)}: ${messageOf(error)}`, error);
  });
  return streamed(response, follow);
}

/** Compiles while it arrives, if the server calls it WebAssembly and no more: with a parameter it would be refused. */
async function streamed(source: Response, follow: Follow): Promise<WebAssembly.Module> {
  if (!source.ok) throw errorOf("FETCH_FAILED", `${source.url}: HTTP status ${source.status}`);
  const response = counted(source, follow);
  if (response.headers.get("content-type") === "application/wasm") return WebAssembly.compileStreaming(response);
  const bytes = await response.arrayBuffer();
  return WebAssembly.compile(bytes).catch((error: unknown) => {
    throw errorOf("FETCH_FAILED", `${source.url || "the response"} is no WebAssembly: ${messageOf(error)}`, error);
  });
}
