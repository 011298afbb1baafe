/** The engine's side of the page's worker: answers the {@link Call}s of `remote.ts`, in the order they come. */

import { engine } from "./engine.ts";
import type { Model, ModelConfig, Reading, ReadOptions } from "./types.ts";

/** What can be asked. `model` is a number that the asker chose when it loaded the model. */
export type Call =
  | { readonly kind: "start" }
  | { readonly kind: "load"; readonly model: number; readonly bytes: Uint8Array }
  | { readonly kind: "read"; readonly model: number; readonly text: string; readonly options: ReadOptions };

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

/** What a call gives: nothing, the config of the model loaded, or the reading. */
export type Value = undefined | ModelConfig | Reading;

export type Answer = { readonly id: number } & ({ readonly value: Value } | { readonly error: PlainError });

const WARM_UP = "The first words are slow, and so nobody waits for them here.";
const WARM_UP_MS = 20;

const models = new Map<number, Model>();

async function perform(call: Call): Promise<Value> {
  const Model = await engine();
  if (call.kind === "start") return undefined;
  if (call.kind === "load") {
    const model = Model.load(call.bytes);
    // Browsers compile a function when it first runs, and better once it has run often: none of this is the time of a
    // reading. A model that cannot read these words says so when it is asked to read others.
    await model.read(WARM_UP, { measureMs: WARM_UP_MS }).catch(() => undefined);
    models.set(call.model, model);
    return model.config;
  }
  const model = models.get(call.model);
  if (!model) throw new Error(`there is no model ${call.model}`);
  return model.read(call.text, call.options);
}

function plain(error: unknown): PlainError {
  if (!(error instanceof Error)) return { name: "Error", message: String(error), code: null };
  return { name: error.name, message: error.message, code: "code" in error ? String(error.code) : null };
}

addEventListener("message", async ({ data }: MessageEvent<Ask>) => {
  const { id, call } = data;
  const answer: Answer = await perform(call).then(
    (value) => ({ id, value }),
    (error: unknown) => ({ id, error: plain(error) }),
  );
  postMessage(answer);
});
