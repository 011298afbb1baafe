import type { ModelClass } from "./types.ts";

let starting: Promise<ModelClass> | undefined;

/**
 * The engine, fetched and compiled by the first call and shared by all later ones.
 * Rejects when the wasm file cannot be fetched or compiled; the next call then tries again.
 */
export function engine(): Promise<ModelClass> {
  starting ??= start().catch((error: unknown) => {
    starting = undefined;
    throw error;
  });
  return starting;
}

async function start(): Promise<ModelClass> {
  const wasm = await import("./pkg/saccade_rnn.js");
  await wasm.default();
  return wasm.Model;
}
