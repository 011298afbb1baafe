/** Files from the network: followed, checked, and kept where the browser can. */

import type { Follow } from "./engine.js";
import { errorOf, messageOf } from "./errors.js";
import { type FoundFile, fits, hashesIn, verified } from "./integrity.js";
import { openShelf } from "./shelf.js";
import type { LoadOptions } from "./types.js";

/** The same response, whose bytes are counted as they pass, until the signal is aborted: then they come no more. */
export function counted(response: Response, { signal, onProgress }: Follow): Response {
  // Of other libraries' responses, some have streams of another kind.
  if ((!onProgress && !signal) || typeof response.body?.pipeThrough !== "function") return response;
  const { headers, status, statusText } = response;
  // A compressed response announces the length before it is unpacked, and may not tell another origin that it is compressed.
  const length = headers.get("content-encoding") ? null : headers.get("content-length");
  const announced = length === null ? Number.NaN : Number(length);
  let done = 0;
  const count = new TransformStream<Uint8Array, Uint8Array>({
    transform(chunk, to) {
      done += chunk.byteLength;
      onProgress?.({ done, total: done <= announced ? announced : null }, 0, null);
      to.enqueue(chunk);
    },
  });
  return new Response(response.body.pipeThrough(count, signal ? { signal } : {}), { headers, status, statusText });
}

/** What an address has: what is to be fetched, or the response that came of it. */
export interface Wanted {
  readonly address: string;
  readonly request?: string | Request;
  readonly response?: Response;
}

/** The file. */
export async function download(
  { address, request = address, response: given }: Wanted,
  { integrity, cache = true }: Pick<LoadOptions, "cache" | "integrity">,
  { signal, onProgress }: Follow,
): Promise<FoundFile> {
  const hashes = hashesIn(integrity);
  const gets = typeof request === "string" || request.method === "GET";
  const shelf = cache && gets && /^https?:/.test(address) ? await openShelf() : undefined;
  const known = hashes && integrity !== undefined ? await shelf?.find(address, integrity.trim()) : undefined;
  // What was kept may have been damaged, or put there by others.
  if (known && (await fits(known, hashes))) {
    if (given && !given.bodyUsed && !given.body?.locked) await given.body?.cancel();
    return { bytes: known, from: address };
  }
  let response: Response;
  try {
    response = given ?? (await fetch(request, { ...(signal && { signal }) }));
  } catch (error) {
    signal?.throwIfAborted();
    const kept = hashes ? undefined : await shelf?.find(address);
    if (kept) return { bytes: kept, from: address };
    throw unreached(address, error);
  }
  const type = response.headers.get("content-type") ?? "";
  const isPage = /\b(html|json|xml)\b/.test(type);
  const found = isPage ? `${address} (which the server calls ${type})` : address;
  refuseUnusable(response, address);
  const version = integrity?.trim() ?? response.headers.get("etag") ?? response.headers.get("last-modified");
  if (!hashes && version !== null) {
    const kept = await shelf?.find(address, version);
    if (kept) {
      await response.body?.cancel();
      return { bytes: kept, from: found };
    }
  }
  let bytes: Uint8Array<ArrayBuffer>;
  try {
    bytes = new Uint8Array(await counted(response, { signal, onProgress }).arrayBuffer());
  } catch (error) {
    signal?.throwIfAborted();
    throw unreached(address, error);
  }
  const file = await verified({ bytes, from: found }, hashes);
  // What a server gives in place of the file must not drive out the file that is kept.
  const isFile = response.status === 200 && !isPage && bytes.length > 0;
  return version !== null && shelf && isFile ? { ...file, keep: (opened) => shelf.keep(address, version, opened) } : file;
}

/** Throws for a response that has no file in it. */
function refuseUnusable(response: Response, address: string): void {
  const { ok, status, type } = response;
  if (type === "opaque" || type === "opaqueredirect") {
    throw errorOf("FETCH_FAILED", `${address}: the browser hides this response (${type}): fetch it with CORS, which its server must allow`);
  }
  if (!ok) throw errorOf("FETCH_FAILED", `${address}: HTTP status ${status}: check the address, or try again later`);
  if (response.bodyUsed || response.body?.locked) {
    throw errorOf("OPTION_INVALID", `${address}: this response was read already: give its clone(), or its bytes`);
  }
}

/** What a request that came to nothing is told as. */
export function unreached(address: string, error: unknown): Error {
  const { name, cause } = (error ?? {}) as { name?: unknown; cause?: unknown };
  if (name === "AbortError") return errorOf("ABORTED", `${address}: its request was aborted`, error);
  const because = cause === undefined ? "" : ` (${messageOf(cause)})`;
  return errorOf("FETCH_FAILED", `${address}: ${messageOf(error)}${because}`, error);
}
