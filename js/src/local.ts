/** The engine in this thread. */

// First: what the engine's code finds missing, this one brings.
import "./platform.js";
import * as glue from "../pkg/saccade_rnn.js";
import { numbered } from "./choices.js";
import type { CallName, Calls, CursorAsk, Engine, Follow, Id, PlainCursor } from "./engine.js";
import { errorOf, messageOf } from "./errors.js";
import { unlessAborted } from "./follow.js";
import { type Answers, holding } from "./holding.js";
import { binaryOf, type Instance } from "./instance.js";
import { platform } from "./platform.js";
import type { StructureCalls, Structures } from "./structure/calls.js";
import type { Decision } from "./types.js";
import { compiled } from "./wasm.js";

type Held = glue.Model | glue.Reader | glue.Cursor | glue.Layer | glue.Softmax;
/** What answers one call at a time. */
type Ordered = glue.Reader | glue.Cursor;

const binary = binaryOf({
  init: glue.default,
  reset: glue.__wbg_reset_state,
  containClosures: glue.containClosures,
  onFailure: glue.onFailure,
  forbidGpu: glue.forbidGpu,
  failed: (reason) => `the engine stopped, and all that it held is lost; load it again (${reason})`,
});

const { current, keep, get, take, watch } = holding<Held>(binary);

/** Calls that need no instance: without one there is nothing to tell, and nothing to free. */
const ALWAYS: ReadonlySet<CallName> = new Set<CallName>(["start", "statistics", "release"]);

const lastOf = new WeakMap<Ordered, Promise<unknown>>();

/** The engine's reader answers one call at a time; one that was stopped ends some time after its caller heard so. */
function inTurn<T>(reader: Ordered, work: () => Promise<T>): Promise<T> {
  const answer = (lastOf.get(reader) ?? Promise.resolve()).then(work);
  lastOf.set(reader, answer.catch(() => undefined));
  return answer;
}

/** The text that each reader was given last, and its reading once that has ended. */
const latest = new WeakMap<glue.Reader, { readonly text: string; readonly reading?: glue.PackedReading }>();

async function updated(instance: Instance, reader: glue.Reader, text: string, follow: Follow): Promise<glue.PackedReading> {
  latest.set(reader, { text });
  const reading = await instance.attempt(() => reader.update(text, watch(follow)));
  latest.set(reader, { text, reading });
  return reading;
}

/** The text that each cursor is at the end of; of one that a draw went on with it is not known. */
const heard = new WeakMap<glue.Cursor, string>();

/** Decisions as the engine takes them: pairs of a number, and 1 to read or 2 to skim. */
function pairs(force: Readonly<Record<number, Decision>> | undefined): Uint32Array | undefined {
  return force && Uint32Array.from(Object.entries(force).flatMap(([at, decision]) => [Number(at), decision === "skim" ? 2 : 1]));
}

function cursorOf(id: Id, { device, scores, keeps }: PlainCursor): glue.Cursor {
  return get(id, glue.Model).cursor(scores === "all" ? 2 : scores === "total" ? 1 : 0, keeps ?? false, device);
}

function asked(cursor: glue.Cursor, { text, top, draw }: CursorAsk, follow: Follow) {
  const { temperature, topP, topK, seed } = draw ?? { temperature: undefined, topP: 1, topK: 0, seed: 0 };
  return cursor.ask(text, top ?? 0, temperature, topP, topK, seed, watch(follow));
}

/** What opens taggers, parsers and tree classifiers. */
async function structures(): Promise<Structures> {
  try {
    if (platform.structures) return await platform.structures();
    throw new Error("nothing brings it");
  } catch (error) {
    const advice = 'where import() is not allowed, as in a service worker, add this line: import "saccade-rnn/structure";';
    throw errorOf("ENGINE_FAILED", `the code for this model's task did not load: ${messageOf(error)}; ${advice}`, error);
  }
}

type OwnCalls = Omit<Calls, keyof StructureCalls>;

const answers: Answers<OwnCalls> = {
  async start(options, follow) {
    await unlessAborted(follow.signal, binary.start(() => compiled(options, follow), follow.signal));
    return undefined;
  },
  gpu: () => glue.findGpu(),
  statistics: () => (binary.running() ? glue.gpuStatistics() : null),
  module: () => binary.compiled(),
  open(bytes, precision) {
    const model = glue.Model.load(bytes, precision === "bf16");
    return { id: keep(model), config: model.config };
  },
  read: (id, text, { threshold, force, measureMs, device }, follow) =>
    get(id, glue.Model).read(text, threshold, pairs(force), measureMs ?? 0, device, watch(follow)),
  readAll: (id, texts, { threshold, device }, follow) => get(id, glue.Model).readAll([...texts], threshold, device, watch(follow)),
  tokenize: (id, text) => get(id, glue.Model).tokenize(text),
  prepare: (id, follow) => get(id, glue.Model).prepare(watch(follow)),
  calibrate: (id, follow) => get(id, glue.Model).calibrate(watch(follow)),
  steps: (id, device, follow) => get(id, glue.Model).steps(device, watch(follow)),
  inspect: (id) => get(id, glue.Model).inspect(),
  withoutWordCache: (id) => keep(get(id, glue.Model).withoutWordCache()),
  reader: (id, { threshold, force }) => keep(get(id, glue.Model).reader(threshold, pairs(force))),
  update(id, text, follow) {
    const [instance, reader] = [current(), get(id, glue.Reader)];
    return inTurn(reader, async () => {
      const reading = await updated(instance, reader, text, follow);
      return { reading, computed: instance.attempt(() => reader.computed) };
    });
  },
  hidden(id, text, follow) {
    const [instance, reader] = [current(), get(id, glue.Reader)];
    return inTurn(reader, async () => {
      const last = latest.get(reader);
      // A reading that was stopped has left states of a part of its text, or of the text before.
      const known = last?.text === text ? last.reading : undefined;
      const reading = known ?? (await updated(instance, reader, text, follow));
      return { ...(await instance.attempt(() => reader.hidden())), reading };
    });
  },
  cursor: (id, options) => keep(cursorOf(id, options)),
  ask(id, ask, follow) {
    const [instance, cursor] = [current(), get(id, glue.Cursor)];
    return inTurn(cursor, async () => {
      const { text, ...rest } = ask;
      // With the text would come the scores of all its words once more.
      const isKnown = rest.top !== undefined && heard.get(cursor) === text;
      heard.delete(cursor);
      const values = await instance.attempt(() => asked(cursor, isKnown ? rest : ask, follow));
      if (text !== undefined && !rest.draw) heard.set(cursor, text);
      return values;
    });
  },
  async askOnce(id, options, ask, follow) {
    const [instance, cursor] = [current(), cursorOf(id, options)];
    try {
      return await instance.attempt(() => asked(cursor, ask, follow));
    } finally {
      instance.free(cursor);
    }
  },
  layer(from, kind, precision) {
    const [bf16, choices] = [precision === "bf16", numbered(from.choices)];
    const layer =
      "seed" in from ? glue.Layer.random(kind, choices, from.seed, bf16) : glue.Layer.load(from.bytes, from.prefix, kind, choices, bf16);
    const { inputSize, outputSize, stateParts, stateColumns } = layer;
    return { id: keep(layer), inputSize, outputSize, stateParts, stateColumns: [...stateColumns] };
  },
  softmax(bytes, prefix, cutoffs, divValue, precision) {
    const softmax = glue.Softmax.load(bytes, prefix, cutoffs, divValue, precision === "bf16");
    const { inputSize, ends } = softmax;
    return { id: keep(softmax), inputSize, ends: [...ends] };
  },
  words: (id, x, top, targets) => get(id, glue.Softmax).ask(x, top, targets),
  forward: (id, x, state, { device, threshold, lengths, force, profile }) =>
    get(id, glue.Layer).forward(x, state, lengths && Uint32Array.from(lengths), threshold, pairs(force), profile ?? false, device),
  release(id) {
    const found = take(id);
    if (!found) return undefined;
    const { instance, object } = found;
    // A reader may have calls waiting for their turn.
    const last = object instanceof glue.Reader || object instanceof glue.Cursor ? lastOf.get(object) : undefined;
    if (last) void last.then(() => instance.free(object));
    else object.free();
    return undefined;
  },
};

/** The engine of this thread, one for everybody. */
export const local: Engine = {
  async call(name, args, follow = {}) {
    follow.signal?.throwIfAborted();
    type Answer = ReturnType<Calls[typeof name]>;
    const ask = (answers as Readonly<Partial<Record<CallName, unknown>>>)[name] as ((...all: unknown[]) => Answer | Promise<Answer>) | undefined;
    if (!ask) return (await structures()).call(name as keyof StructureCalls, args as never, follow) as Promise<Answer>;
    const work = () => ask(...args, follow);
    const instance = ALWAYS.has(name) ? binary.running() : current();
    // The engine that fails cannot take its own start down.
    return instance && name !== "start" ? instance.call(work, follow.signal) : work();
  },
};
