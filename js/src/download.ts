/** Bytes from an address, followed, checked and kept. */

import type { Follow } from "./engine.js";
import { aborted, errorOf, messageOf } from "./errors.js";
import { platform } from "./platform.js";
import type { LoadOptions, Source } from "./types.js";

const CACHE = "saccade-rnn";

/** The same response, whose bytes are counted as they pass. */
export function counted(response: Response, onProgress: Follow["onProgress"]): Response {
  if (!onProgress || !response.body) return response;
  const { headers, status, statusText } = response;
  // A compressed response announces the length before it is unpacked.
  const length = headers.get("content-encoding") ? null : headers.get("content-length");
  const total = length === null ? null : Number(length);
  let done = 0;
  const count = new TransformStream<Uint8Array, Uint8Array>({
    transform(chunk, to) {
      done += chunk.byteLength;
      onProgress({ done, total }, 0, null);
      to.enqueue(chunk);
    },
  });
  return new Response(response.body.pipeThrough(count), { headers, status, statusText });
}

/** The bytes of a model file, which are the caller's to give away. */
export async function download(source: Source, options: LoadOptions, follow: Follow): Promise<Uint8Array<ArrayBuffer>> {
  const { integrity } = options;
  const hashes = integrity === undefined ? null : parse(integrity);
  if (source instanceof ArrayBuffer || source instanceof Uint8Array) {
    const bytes = new Uint8Array(source instanceof ArrayBuffer ? source.slice(0) : source);
    await check(bytes, hashes);
    return bytes;
  }
  const file = source instanceof Response || source instanceof Request ? undefined : platform.readFile?.(source);
  if (file) {
    const bytes = await file;
    await check(bytes, hashes);
    return bytes;
  }
  const address = source instanceof Response ? source.url : source instanceof Request ? source.url : absolute(source);
  const reads = !(source instanceof Request) || source.method === "GET";
  const shelf = (options.cache ?? true) && reads && /^https?:/.test(address) ? await open() : undefined;
  const known = hashes && integrity !== undefined ? await shelf?.find(address, integrity.trim()) : undefined;
  if (known) {
    const bytes = new Uint8Array(await known.arrayBuffer());
    // What was kept may have been damaged, or put there by others.
    if (await fits(bytes, hashes)) return bytes;
  }
  let response: Response;
  try {
    response = source instanceof Response ? source : await fetch(source, { signal: follow.signal ?? null });
  } catch (error) {
    if (follow.signal?.aborted) throw aborted(follow.signal);
    const kept = hashes ? undefined : await shelf?.find(address);
    if (kept) return new Uint8Array(await kept.arrayBuffer());
    throw errorOf("FETCH_FAILED", `${address}: ${messageOf(error)}`, error);
  }
  if (!response.ok) throw errorOf("FETCH_FAILED", `${address}: HTTP status ${response.status}`);
  const version = integrity?.trim() ?? response.headers.get("etag") ?? response.headers.get("last-modified");
  if (!hashes && version !== null) {
    const kept = await shelf?.find(address, version);
    if (kept) {
      await response.body?.cancel();
      const bytes = new Uint8Array(await kept.arrayBuffer());
      follow.onProgress?.({ done: bytes.length, total: bytes.length }, 0, null);
      return bytes;
    }
  }
  let bytes: Uint8Array<ArrayBuffer>;
  try {
    bytes = new Uint8Array(await counted(response, follow.onProgress).arrayBuffer());
  } catch (error) {
    if (follow.signal?.aborted) throw aborted(follow.signal);
    throw errorOf("FETCH_FAILED", `${address}: ${messageOf(error)}`, error);
  }
  await check(bytes, hashes);
  if (version !== null) await shelf?.keep(address, version, bytes);
  return bytes;
}

function absolute(source: string | URL): string {
  return new URL(source, globalThis.document?.baseURI ?? globalThis.location?.href).href;
}

/** What was kept, by address and version. */
interface Shelf {
  /** Of any version, where none is given. */
  find(address: string, version?: string): Promise<Response | undefined>;
  /** In place of all other versions. A browser without room keeps nothing. */
  keep(address: string, version: string, bytes: Uint8Array<ArrayBuffer>): Promise<void>;
}

async function open(): Promise<Shelf | undefined> {
  // Absent from Node and insecure pages; refused by some private windows.
  const cache = await globalThis.caches?.open(CACHE).catch(() => undefined);
  if (!cache) return undefined;
  const VERSION = "saccade-version";
  const key = (address: string, version: string) => {
    const url = new URL(address);
    url.searchParams.set(VERSION, version);
    return url.href;
  };
  const others = async (address: string) => {
    const plain = new URL(address).href;
    return (await cache.keys()).filter(({ url }) => {
      const kept = new URL(url);
      kept.searchParams.delete(VERSION);
      return kept.href === plain;
    });
  };
  return {
    async find(address, version) {
      if (version !== undefined) return cache.match(key(address, version));
      const newest = (await others(address)).at(-1);
      return newest && cache.match(newest);
    },
    async keep(address, version, bytes) {
      try {
        for (const other of await others(address)) await cache.delete(other);
        await cache.put(key(address, version), new Response(bytes));
      } catch {
        // The file has arrived all the same.
      }
    },
  };
}

type Hash = readonly [algorithm: string, base64: string];

/** The hashes of the strongest algorithm named. */
function parse(integrity: string): Hash[] {
  const hashes = [...integrity.matchAll(/(?:^|\s)(sha(?:256|384|512))-([A-Za-z0-9+/]+={0,2})(?=[?\s]|$)/g)];
  const strongest = hashes.map(([, algorithm]) => algorithm).sort().at(-1);
  if (strongest === undefined) {
    throw errorOf("OPTION_INVALID", `integrity: expected sha256-, sha384- or sha512- and base64, found ${integrity}`);
  }
  return hashes.flatMap(([, algorithm, base64]) => (algorithm === strongest ? [[strongest, base64 ?? ""] as const] : []));
}

async function fits(bytes: Uint8Array<ArrayBuffer>, hashes: readonly Hash[] | null): Promise<boolean> {
  const algorithm = hashes?.[0]?.[0];
  if (!hashes || !algorithm) return true;
  const { subtle } = globalThis.crypto ?? {};
  if (!subtle) throw errorOf("INTEGRITY_MISMATCH", "nothing can be verified here: hashes need a secure page (https)");
  const digest = new Uint8Array(await subtle.digest(algorithm.replace("sha", "SHA-"), bytes));
  const found = btoa(String.fromCharCode(...digest));
  return hashes.some(([, base64]) => base64.replace(/=+$/, "") === found.replace(/=+$/, ""));
}

async function check(bytes: Uint8Array<ArrayBuffer>, hashes: readonly Hash[] | null): Promise<void> {
  if (!(await fits(bytes, hashes))) {
    throw errorOf("INTEGRITY_MISMATCH", `the ${bytes.length} bytes that arrived do not have the hash that was given`);
  }
}
