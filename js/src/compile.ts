/** WebAssembly from wherever its file is. */

import { counted } from "./download.js";
import type { Follow } from "./engine.js";
import { errorOf, messageOf } from "./errors.js";
import { platform } from "./platform.js";

/** The file at an address, compiled. */
export async function moduleAt(place: string | URL, follow: Follow): Promise<WebAssembly.Module> {
  return (await onDisk(place)) ?? fetched(place, follow);
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

/** Compiles while it arrives, if the server calls it WebAssembly. */
export async function streamed(source: Response, follow: Follow): Promise<WebAssembly.Module> {
  if (!source.ok) throw errorOf("FETCH_FAILED", `${source.url}: HTTP status ${source.status}`);
  const response = counted(source, follow);
  if (response.headers.get("content-type")?.startsWith("application/wasm")) return WebAssembly.compileStreaming(response);
  const bytes = await response.arrayBuffer();
  return WebAssembly.compile(bytes).catch((error: unknown) => {
    throw errorOf("FETCH_FAILED", `${source.url || "the response"} is no WebAssembly: ${messageOf(error)}`, error);
  });
}
