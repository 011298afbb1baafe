/**
 * The bytes of whatever holds a file. What a thing is says its brand; by `instanceof`, what an iframe or a `vm` context made
 * would be nothing.
 */

import { refuse, tagOf } from "./arguments/check.js";
import { download, unreached, type Wanted } from "./download.js";
import type { Follow } from "./engine.js";
import { errorOf, messageOf, SaccadeError } from "./errors.js";
import { followed, isThenable, unlessAborted } from "./follow.js";
import { type FoundFile, hashesIn, verified } from "./integrity.js";
import { platform } from "./platform.js";
import type { LoadOptions } from "./types.js";

/** What may be done to get a file. */
interface Ways extends Pick<LoadOptions, "cache" | "integrity"> {
  /** The function that was given the source, for messages. */
  readonly by: string;
  /** Whether an address will do; false unless given. */
  readonly addresses?: boolean;
  /** What else the function takes, for messages. */
  readonly others?: string;
}

/** How one of these becomes a source. */
const advice: Readonly<Record<string, string>> = {
  Array: "; of numbers, make a Uint8Array.from(numbers)",
  FileList: "; choose one of its files, such as files[0]",
  FileSystemFileHandle: "; give it await handle.getFile()",
  ReadableStream: "; give it new Response(stream)",
};

/**
 * The file in a source, unless the signal is aborted: what a source waits for may never come. Bytes are copied before this returns:
 * their owner may then write into them.
 */
export function fileIn(source: unknown, ways: Ways, follow: Follow): Promise<FoundFile> {
  return unlessAborted(follow.signal, found(source, ways, follow));
}

async function found(source: unknown, ways: Ways, follow: Follow): Promise<FoundFile> {
  const hashes = hashesIn(ways.integrity);
  try {
    const value = isThenable(source) ? await kept(source, ways) : source;
    const held = atHand(value, ways);
    const file = held ? await verified(await held, hashes) : await fetched(wanted(value, ways), ways, follow);
    follow.onProgress?.({ done: file.bytes.length, total: file.bytes.length }, 0, null);
    return file;
  } catch (error) {
    if (error instanceof SaccadeError) throw error;
    // A getter of the source's own, or one that is not what its name says.
    throw errorOf("OPTION_INVALID", `${ways.by}: what was given cannot be read (${messageOf(error)})`, error);
  }
}

/** Has errors about a model's bytes say where they came from. */
export function about({ from }: FoundFile): (error: unknown) => never {
  return (error) => {
    if (!from || !(error instanceof SaccadeError) || !error.code.startsWith("MODEL_")) throw error;
    throw errorOf(error.code, `${from}: ${error.message}`, error.cause);
  };
}

/** The file of a source that is none of the network's. */
function atHand(source: unknown, { addresses }: Ways): FoundFile | Promise<FoundFile> | undefined {
  if (ArrayBuffer.isView(source)) return { bytes: copied(source.buffer, source), from: "" };
  const is = tagOf(source);
  if (is === "ArrayBuffer" || is === "SharedArrayBuffer") return { bytes: copied(source as ArrayBufferLike), from: "" };
  if (is === "Blob" || is === "File") return fromBlob(unproxied(source as File, is, "size"));
  const address = is === "URL" ? (source as URL).href : source;
  const file = addresses && typeof address === "string" && address ? platform.readFile?.(address) : undefined;
  return file && fromDisk(file, String(address));
}

/** What to do about a file of Node's that cannot be read. */
const remedies: Readonly<Record<string, string>> = {
  ENOENT: "; relative paths begin at the folder in which the program was started",
  EISDIR: "; give the path of the file in it",
};

async function fromDisk(file: Promise<Uint8Array<ArrayBuffer>>, from: string): Promise<FoundFile> {
  try {
    return { bytes: await file, from };
  } catch (error) {
    const remedy = remedies[(error as { code?: string }).code ?? ""] ?? "";
    throw errorOf("FETCH_FAILED", `${messageOf(error)}${remedy}`, error);
  }
}

/** What is wanted of the network. */
function wanted(source: unknown, { by, addresses, others }: Ways): Wanted {
  const is = tagOf(source);
  if (is === "Response") {
    const response = unproxied(source as Response, is, "status");
    return { response, address: response.url || "the response" };
  }
  if (is === "Request") {
    const request = unproxied(source as Request, is, "url");
    return { request, address: request.url };
  }
  const isAddress = typeof source === "string" || is === "URL";
  if (!isAddress || String(source).trim() === "") {
    const expected = `${others ? `${others}, ` : ""}${addresses ? "an address, " : ""}a Request, a Response, a Blob or File, or bytes (an ArrayBuffer or a view of one)`;
    refuse(by, expected, source, others && is === "Array" ? "; of a promise, give what it resolves to" : advice[is]);
  }
  if (!addresses) {
    const path = platform.readFile ? ", or of a path readFile(path), which node:fs/promises has" : "";
    throw errorOf("OPTION_INVALID", `${by}: expected the file itself, found its address: give it fetch(address)${path}`);
  }
  const { href, protocol } = absolute(is === "URL" ? unproxied(source as URL, is, "href").href : String(source));
  if (protocol === "file:" || /^[a-z]:$/.test(protocol)) {
    const instead = "serve its folder over http, or have the person choose the file (<input type=file>) and give that";
    throw errorOf("FETCH_FAILED", `${href}: a page cannot open files by their path: ${instead}`);
  }
  return { address: href };
}

/** The download, which the request's own signal stops as well. */
function fetched(from: Wanted, ways: Ways, follow: Follow): Promise<FoundFile> {
  const { request } = from;
  if (typeof request !== "object") return download(from, ways, follow);
  const stopped = { signal: request.signal };
  return followed(follow.signal, stopped, ({ signal }) => download(from, ways, { ...follow, signal }));
}

/** The object, if its property can be read: only the object itself can do that, and no proxy of it. */
function unproxied<T>(source: T, is: string, property: keyof T): T {
  try {
    if (source[property] !== undefined) return source;
  } catch {
    // The getter does not know the proxy.
  }
  throw errorOf("OPTION_INVALID", `expected a ${is}, found a proxy of one: give the ${is} itself`);
}

async function kept(promise: PromiseLike<unknown>, { by }: Ways): Promise<unknown> {
  try {
    return await promise;
  } catch (error) {
    throw error instanceof SaccadeError ? error : unreached(`${by}: the promise that was given was rejected`, error);
  }
}

function copied(buffer: ArrayBufferLike, view?: ArrayBufferView): Uint8Array<ArrayBuffer> {
  try {
    const bytes = view ? new Uint8Array(buffer, view.byteOffset, view.byteLength) : new Uint8Array(buffer);
    return bytes.slice() as Uint8Array<ArrayBuffer>;
  } catch (error) {
    const why = `these bytes cannot be read (${messageOf(error)})`;
    throw errorOf("OPTION_INVALID", `${why}: a buffer that was transferred is empty here; give a copy to one of the two`, error);
  }
}

async function fromBlob(blob: File): Promise<FoundFile> {
  const from = blob.name ?? "";
  try {
    return { bytes: new Uint8Array(await blob.arrayBuffer()), from };
  } catch (error) {
    const why = `${from || "the blob"} cannot be read (${messageOf(error)})`;
    throw errorOf("FETCH_FAILED", `${why}: if the file was changed or removed since it was chosen, choose it again`, error);
  }
}

/** An address with its origin; a page's relative ones begin at the page. */
export function absolute(address: string): URL {
  try {
    return new URL(address, globalThis.document?.baseURI ?? globalThis.location?.href);
  } catch (error) {
    throw errorOf("OPTION_INVALID", `${address} is no whole address: give one such as https://example.org/model.safetensors`, error);
  }
}
