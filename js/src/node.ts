/** The package in Node: files from the disk, the CPU alone. */

import { readFile } from "node:fs/promises";
import { errorOf, messageOf } from "./errors.js";
import { platform } from "./platform.js";
import { absolute } from "./source.js";

platform.noGpu = "Node has no navigator.gpu";
platform.readFile = (address) => {
  const url = typeof address === "string" && !/^[a-z]{2,}:/i.test(address) ? null : absolute(String(address));
  if (url?.protocol !== "file:" && url !== null) return undefined;
  return fileAt(url ?? (address as string));
};

/** Where a file that is not there was looked for, and what else to do. */
const advice: Readonly<Record<string, string>> = {
  ENOENT: `; relative paths begin at ${process.cwd()}`,
  EISDIR: "; give the path of the file in it",
  EACCES: "; its owner must allow it to be read",
};

async function fileAt(place: string | URL): Promise<Uint8Array<ArrayBuffer>> {
  try {
    return new Uint8Array(await readFile(place));
  } catch (error) {
    const { code = "" } = error as NodeJS.ErrnoException;
    throw errorOf("FETCH_FAILED", `${messageOf(error)}${advice[code] ?? ""}`, error);
  }
}

export * from "./index.js";
