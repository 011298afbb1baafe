/**
 * The engine's side of the page's worker: answers the {@link Call}s of `remote.ts`. A long reading gives way to other calls
 * between its pieces, which is when it can be stopped.
 */

import { engine } from "./engine.ts";
import type { Costs, DevicePreference, Model, ModelConfig, Reading, ReadOptions, Steps } from "./types.ts";

/** What can be asked. `model` is a number that the asker chose when it loaded the model. */
export type Call =
  | { readonly kind: "start" }
  | { readonly kind: "load"; readonly model: number; readonly bytes: Uint8Array }
  | { readonly kind: "read"; readonly model: number; readonly text: string; readonly options: ReadOptions }
  | { readonly kind: "calibrate"; readonly model: number }
  | { readonly kind: "steps"; readonly model: number; readonly device: DevicePreference }
  /** Stops the reading asked for as `id`; nothing if it has its answer already. */
  | { readonly kind: "abort"; readonly id: number };

export interface Ask {
  readonly id: number;
  readonly call: Call;
}

/** An error as it crosses between threads, where its class and its `code` would be lost. */
export interface PlainError {
  readonly name: string;
  readonly message: string;
  readonly code: string | null;
}

/** How far a reading is. */
export interface Progress {
  readonly done: number;
  readonly total: number;
}

/** What a call gives: nothing, the config of the model loaded, the reading, or what was measured. */
export type Value = undefined | ModelConfig | Reading | Costs | Steps;

/** The last word on a question is its value or its error; there may be word of its progress before. */
export type Answer = { readonly id: number } & (
  | { readonly progress: Progress }
  | { readonly value: Value }
  | { readonly error: PlainError }
);

const WARM_UP = "The first words are slow, and so nobody waits for them here.";
const WARM_UP_MS = 20;

const models = new Map<number, Model>();
/** The readings under way, and whether each is to go on. */
const readings = new Map<number, { wanted: boolean }>();

async function perform({ id, call }: Ask): Promise<Value> {
  if (call.kind === "abort") {
    const reading = readings.get(call.id);
    if (reading) reading.wanted = false;
    return undefined;
  }
  if (call.kind === "read") readings.set(id, { wanted: true });
  const Model = await engine();
  if (call.kind === "start") return undefined;
  if (call.kind === "load") {
    const model = Model.load(call.bytes);
    // Browsers compile a function when it first runs, and better once it has run often: none of this is the time of a
    // reading. A model that cannot read these words says so when it is asked to read others.
    await model.read(WARM_UP, { measureMs: WARM_UP_MS, device: "cpu" }).catch(() => undefined);
    models.set(call.model, model);
    return model.config;
  }
  const model = models.get(call.model);
  if (!model) throw new Error(`there is no model ${call.model}`);
  if (call.kind === "calibrate") return model.calibrate();
  if (call.kind === "steps") return model.steps(call.device);
  return model.read(call.text, call.options, async (done, total) => {
    send({ id, progress: { done, total } });
    await turn();
    return readings.get(id)?.wanted;
  });
}

const { port1: later, port2: now } = new MessageChannel();
const waiting: (() => void)[] = [];
later.onmessage = () => waiting.shift()?.();

/** Lets the messages that have come be heard, without the 4 ms that timers take. */
function turn(): Promise<void> {
  return new Promise((resolve) => {
    waiting.push(resolve);
    now.postMessage(null);
  });
}

function send(answer: Answer): void {
  postMessage(answer);
}

function plain(error: unknown): PlainError {
  if (!(error instanceof Error)) return { name: "Error", message: String(error), code: null };
  return { name: error.name, message: error.message, code: "code" in error ? String(error.code) : null };
}

addEventListener("message", async ({ data }: MessageEvent<Ask>) => {
  const { id } = data;
  const answer: Answer = await perform(data).then(
    (value) => ({ id, value }),
    (error: unknown) => ({ id, error: plain(error) }),
  );
  readings.delete(id);
  send(answer);
});
