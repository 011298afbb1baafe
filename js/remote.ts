/** Models that live in a worker, so that the page can be typed in while they read. */

import { EngineLoadError } from "./engine.ts";
import type { Costs, DevicePreference, ModelConfig, Reading, ReadOptions, Steps } from "./types.ts";
import type { Answer, Ask, Call, PlainError, Progress, Value } from "./worker.ts";

export type { Progress };

/** How to follow a reading, and how to stop it. */
export interface ReadHooks {
  /** Told how far a long reading is, and at its end. */
  readonly onProgress?: ((progress: Progress) => void) | undefined;
  /** Stops the reading, which then rejects with the code `ABORTED`; one that is done by then may still be given. */
  readonly signal?: AbortSignal | undefined;
}

/** A model in the worker; it stays there as long as the worker. */
export interface RemoteModel {
  readonly config: ModelConfig;
  /**
   * Reads a text of any length; a lone surrogate counts as U+FFFD. Rejects with an error that has a `code`, which is
   * `ENGINE_FAILED` when the worker has ended: the model must then be loaded again.
   */
  read(text: string, options?: ReadOptions, hooks?: ReadHooks): Promise<Reading>;
  /** Measures both devices on the text read last, some tenths of a second, so that `auto` can choose. */
  calibrate(): Promise<Costs>;
  /** Measures what one read and one skimmed token cost on a device, on the text read last. */
  steps(device: DevicePreference): Promise<Steps>;
}

interface Pending {
  onProgress: ReadHooks["onProgress"];
  resolve(value: Value): void;
  reject(error: Error): void;
}

let worker: Worker | null = null;
let last = 0;
const pending = new Map<number, Pending>();

/** Fetches and compiles the engine, as `load` would; rejects with `ENGINE_FAILED`. */
export async function prepare(): Promise<void> {
  await ask({ kind: "start" });
}

/**
 * Opens a model file, whose bytes are then the worker's. Rejects with an error whose code begins with `MODEL_` for bytes
 * that are no model, and with `ENGINE_FAILED` when the engine or its worker does not load; the next call tries again.
 */
export async function load(bytes: Uint8Array<ArrayBuffer>): Promise<RemoteModel> {
  const model = ++last;
  const config = (await ask({ kind: "load", model, bytes }, {}, [bytes.buffer])) as ModelConfig;
  const home = worker;
  const there = () => {
    if (worker !== home) throw new EngineLoadError("the engine stopped, and the model with it: load it again");
  };
  return {
    config,
    async read(text, options = {}, hooks = {}) {
      there();
      return (await ask({ kind: "read", model, text, options }, hooks)) as Reading;
    },
    async calibrate() {
      there();
      return (await ask({ kind: "calibrate", model })) as Costs;
    },
    async steps(device) {
      there();
      return (await ask({ kind: "steps", model, device })) as Steps;
    },
  };
}

function ask(call: Call, { onProgress, signal }: ReadHooks = {}, transfer: Transferable[] = []): Promise<Value> {
  const to = (worker ??= start());
  const question: Ask = { id: ++last, call };
  const answer = new Promise<Value>((resolve, reject) => {
    pending.set(question.id, { resolve, reject, onProgress });
    to.postMessage(question, transfer);
  });
  if (!signal) return answer;
  // A worker that has ended has stopped by itself.
  const stop = () => void (worker === to && ask({ kind: "abort", id: question.id }).catch(() => undefined));
  if (signal.aborted) stop();
  signal.addEventListener("abort", stop);
  return answer.finally(() => signal.removeEventListener("abort", stop));
}

function start(): Worker {
  const started = new Worker(new URL("./worker.ts", import.meta.url), { type: "module" });
  started.addEventListener("message", ({ data }: MessageEvent<Answer>) => {
    const asked = pending.get(data.id);
    if ("progress" in data) {
      asked?.onProgress?.(data.progress);
      return;
    }
    pending.delete(data.id);
    if ("value" in data) asked?.resolve(data.value);
    else asked?.reject(revive(data.error));
  });
  // The script did not load, or failed outside a call: whatever was asked of it stays without an answer.
  started.addEventListener("error", ({ message }) => {
    started.terminate();
    if (worker === started) worker = null;
    const error = new EngineLoadError(`the engine's worker failed: ${message || "its script did not load"}`);
    for (const { reject } of pending.values()) reject(error);
    pending.clear();
  });
  return started;
}

function revive({ name, message, code }: PlainError): Error {
  return Object.assign(new Error(message), { name, ...(code !== null && { code }) });
}
