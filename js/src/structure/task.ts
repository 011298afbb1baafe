/** The task of a model file, before an engine is chosen for it. */

import type { Task } from "../types.js";

/** Tasks that the binary of `structure/` has alone. */
const STRUCTURED = ["tag", "parse", "tree"] as const satisfies readonly Task[];

export type StructuredTask = (typeof STRUCTURED)[number];

/** Whether it is one of these tasks. */
export function isStructured(task: string | undefined): task is StructuredTask {
  return STRUCTURED.some((structured) => structured === task);
}

/** The key of the config's task, and the key in it. The config is JSON in a string of the header's: its own strings have more backslashes. */
const TASK = /\\"task\\"(?:\s|\\[nrt])*:(?:\s|\\[nrt])*\{(?:\s|\\[nrt])*\\"(\w+)\\"/;

/**
 * Which of these tasks a safetensors file's config names; of all other bytes the engine says what they are. The header is
 * searched and not parsed: a vocabulary takes longer to parse than a text to read.
 */
export function structuredTaskIn(bytes: Uint8Array): StructuredTask | undefined {
  if (bytes.length < 8) return undefined;
  const length = Number(new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0, true));
  if (length > bytes.length - 8) return undefined;
  const [, named] = TASK.exec(new TextDecoder("latin1").decode(bytes.subarray(8, 8 + length))) ?? [];
  return STRUCTURED.find((structured) => structured === named);
}
