type Module = typeof import("./pkg/saccade_rnn.js");
/** The class whose `load` opens a model file. */
export type ModelClass = Module["Model"];

/** The engine itself did not load; `cause` is what the browser said. */
export class EngineLoadError extends Error {
  readonly code = "ENGINE_FAILED";
  override name = "EngineLoadError";
}

let starting: Promise<ModelClass> | undefined;

/**
 * The engine, fetched and compiled by the first call and shared by all later ones.
 * Rejects with {@link EngineLoadError} when it cannot be fetched or compiled; the next call then tries again.
 */
export function engine(): Promise<ModelClass> {
  starting ??= start().catch((cause: unknown) => {
    starting = undefined;
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new EngineLoadError(`the engine (WebAssembly) did not load: ${reason}`, { cause });
  });
  return starting;
}

async function start(): Promise<ModelClass> {
  const wasm: Module = await import("./pkg/saccade_rnn.js");
  await wasm.default();
  return wasm.Model;
}
