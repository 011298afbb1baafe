/** The package in Node: files from the disk, the CPU alone. */

import { readFile } from "node:fs/promises";
import { platform } from "./platform.js";
import { absolute } from "./source.js";

platform.noGpu = "Node has no navigator.gpu";
platform.readFile = (address) => {
  const url = typeof address === "string" && !/^[a-z]{2,}:/i.test(address) ? null : absolute(String(address));
  if (url?.protocol !== "file:" && url !== null) return undefined;
  return readFile(url ?? (address as string)).then((bytes) => new Uint8Array(bytes));
};

export * from "./index.js";
