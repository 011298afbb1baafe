/** Whether a file is the one that was meant, by hashes written as in HTML. */

import { errorOf } from "./errors.js";
import type { Kept } from "./shelf.js";

/** What a file is made of, and where it came from; its bytes are the caller's to give away. */
export interface FoundFile {
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** For messages; empty where there is no more to say. */
  readonly from: string;
  /** Keeps the file for later, where it came from the network and something keeps files. To be called once it was opened. */
  readonly keep?: (file: Kept) => Promise<void>;
}

type Hash = readonly [algorithm: string, base64: string];

/** The hashes of the strongest algorithm named; null where there are none to hold a file against. */
export function hashesIn(integrity: string | undefined): readonly Hash[] | null {
  if (integrity === undefined) return null;
  const hashes = [...integrity.matchAll(/(?:^|\s)(sha(?:256|384|512))-([A-Za-z0-9+/]+={0,2})(?=[?\s]|$)/g)];
  const strongest = hashes.map(([, algorithm]) => algorithm).sort().at(-1);
  if (strongest === undefined) {
    throw errorOf("OPTION_INVALID", `integrity: expected sha256-, sha384- or sha512- and base64, found ${integrity}`);
  }
  return hashes.flatMap(([, algorithm, base64]) => (algorithm === strongest ? [[strongest, base64 ?? ""] as const] : []));
}

/** Whether the bytes have one of the hashes. */
export async function fits(bytes: Uint8Array<ArrayBuffer>, hashes: readonly Hash[] | null): Promise<boolean> {
  const algorithm = hashes?.[0]?.[0];
  if (!hashes || !algorithm) return true;
  const { subtle } = globalThis.crypto ?? {};
  if (!subtle) throw errorOf("INTEGRITY_MISMATCH", "nothing can be verified here: hashes need a secure page (https)");
  const digest = new Uint8Array(await subtle.digest(algorithm.replace("sha", "SHA-"), bytes));
  const found = btoa(String.fromCharCode(...digest));
  return hashes.some(([, base64]) => base64.replace(/=+$/, "") === found.replace(/=+$/, ""));
}

/** The file, if it is one that was meant. */
export async function verified(file: FoundFile, hashes: readonly Hash[] | null): Promise<FoundFile> {
  const { bytes, from } = file;
  if (await fits(bytes, hashes)) return file;
  throw errorOf("INTEGRITY_MISMATCH", `${from || "what was given"}: its ${bytes.length} bytes do not have the hash that was given`);
}
