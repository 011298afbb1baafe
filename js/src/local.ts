/** The engine in this thread. */

// First: what the engine's code finds missing, this one brings.
import { platform } from "./platform.js";
import * as glue from "../pkg/saccade_rnn.js";
import { numbered } from "./choices.js";
import type { CallName, Calls, CursorAsk, Engine, Follow, Id, PlainCursor } from "./engine.js";
import { errorOf, messageOf, notLoaded, ours, SaccadeError } from "./errors.js";
import { onAbort } from "./follow.js";
import { turn } from "./turn.js";
import type { Decision } from "./types.js";
import { compiled } from "./wasm.js";

type Held = glue.Model | glue.Reader | glue.Cursor | glue.Layer | glue.Softmax;
/** What answers one call at a time. */
type Ordered = glue.Reader | glue.Cursor;

/** An instance of the module, and what is lost with it. */
interface Instance {
  readonly held: Map<Id, Held>;
  /** How the calls under way are rejected. */
  readonly underWay: Set<(error: SaccadeError) => void>;
  /** Why it is not to be used again. */
  failure?: SaccadeError;
}

/** The start that everybody waits for. */
let starting: { readonly done: Promise<void>; readonly signal: AbortSignal | undefined } | undefined;
/** The instance that runs. */
let running: Instance | undefined;
/** What the glue has: no instance yet, one that failed, or one that may be used. */
let module: "absent" | "spent" | "sound" = "absent";
/** Ids that another engine gave, such as that of a worker that is gone, mean nothing here: each begins somewhere else. */
const firstId: Id = Math.floor(Math.random() * 2 ** 50);
let lastId: Id = firstId;
/** Ids that died with an instance. */
const lost = new Set<Id>();

/** After a panic or a trap: nothing of the instance can be trusted, and its calls would never be answered. */
function fail(instance: Instance, message: string): SaccadeError {
  if (instance.failure) return instance.failure;
  const error = errorOf("ENGINE_FAILED", `the engine stopped, and all that it held is lost; load it again (${message})`);
  instance.failure = error;
  module = "spent";
  running = undefined;
  starting = undefined;
  for (const id of instance.held.keys()) lost.add(id);
  for (const reject of instance.underWay) reject(error);
  // Not yet: a panic tells of itself before the engine stops.
  queueMicrotask(bury);
  return error;
}

/** Puts a fresh instance where the one that failed was; the glue then lets nobody call or free what the other held. */
function renew(): void {
  if (module !== "spent") return;
  glue.__wbg_reset_state();
  module = "sound";
}

/** Sees to it that what is left of an instance that failed is not used: a promise may be about to call it, a collector to free it. */
function bury(): void {
  try {
    renew();
  } catch {
    // The next start tries again.
  }
}

/** How many pieces of work are under way that began inside one another. */
let depth = 0;

/** Runs what may trap. */
function attempt<T>(instance: Instance, work: () => T): T {
  if (instance.failure) throw instance.failure;
  depth += 1;
  try {
    return work();
  } catch (error) {
    if (error instanceof SaccadeError || (error instanceof Error && "code" in error)) throw ours(error);
    // A trap, a full stack, or something else that the engine never throws while it is sound.
    const failure = fail(instance, messageOf(error));
    if (depth === 1) bury();
    throw failure;
  } finally {
    depth -= 1;
  }
}

/** Runs what the engine goes on with by itself. Whoever waits for it hears from {@link fail} when it traps. */
function contain(instance: Instance, work: () => unknown): unknown {
  if (depth > 0) return work();
  try {
    return attempt(instance, work);
  } catch {
    return undefined;
  }
}

async function start(options: Parameters<Calls["start"]>[0], follow: Follow): Promise<undefined> {
  for (;;) {
    const begun = (starting ??= { done: begin(options, follow), signal: follow.signal });
    try {
      await begun.done;
      return undefined;
    } catch (error) {
      if (starting === begun) starting = undefined;
      // Whoever began it had enough; others did not.
      if (!begun.signal?.aborted || follow.signal?.aborted) throw error;
    }
  }
}

async function begin(options: Parameters<Calls["start"]>[0], follow: Follow): Promise<void> {
  try {
    if (module === "absent") {
      await glue.default({ module_or_path: await compiled(options, follow) });
      module = "sound";
    }
    renew();
    const instance: Instance = { held: new Map(), underWay: new Set() };
    glue.containClosures((work) => contain(instance, work));
    glue.onFailure((reason) => void fail(instance, reason));
    const reason = platform.noGpu ?? (inPageOrWorker() ? undefined : "WebGPU is for pages and workers alone");
    if (reason !== undefined) glue.forbidGpu(reason);
    running = instance;
  } catch (error) {
    throw notLoaded(error, follow.signal);
  }
}

/** Where the engine may ask for a GPU. */
function inPageOrWorker(): boolean {
  return "Window" in globalThis || "WorkerGlobalScope" in globalThis;
}

function stopped(): SaccadeError {
  return errorOf("ENGINE_FAILED", "the engine that held this stopped: load it again");
}

/** Calls that need no instance: without one there is nothing to tell, and nothing to free. */
const ALWAYS: ReadonlySet<CallName> = new Set<CallName>(["start", "statistics", "release"]);

function current(): Instance {
  if (!running) throw stopped();
  return running;
}

function keep(object: Held): Id {
  current().held.set(++lastId, object);
  return lastId;
}

function get<T extends Held>(id: Id, Class: { readonly prototype: T }): T {
  const object = running?.held.get(id);
  if (object && Object.getPrototypeOf(object) === Class.prototype) return object as T;
  if (lost.has(id) || id <= firstId || id > lastId) throw stopped();
  throw errorOf("DISPOSED", "this was disposed");
}

const lastOf = new WeakMap<Ordered, Promise<unknown>>();

/** The engine's reader answers one call at a time; one that was stopped ends some time after its caller heard so. */
function inTurn<T>(reader: Ordered, work: () => Promise<T>): Promise<T> {
  const answer = (lastOf.get(reader) ?? Promise.resolve()).then(work);
  lastOf.set(reader, answer.catch(() => undefined));
  return answer;
}

/** Asked between pieces of the work: tells how far it is, lets others have their turn, and says whether to go on. */
function watch({ signal, onProgress }: Follow): glue.Watch {
  const instance = current();
  return async (done, total, from, decided) => {
    onProgress?.({ done, total }, from, decided);
    if (done < total) await turn();
    // An instance that failed meanwhile would go on with this reading.
    if (instance.failure) await new Promise(() => undefined);
    return !signal?.aborted;
  };
}

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

type Answers = {
  readonly [Name in CallName]: (...args: [...Parameters<Calls[Name]>, Follow]) => ReturnType<Calls[Name]> | Promise<ReturnType<Calls[Name]>>;
};

const answers: Answers = {
  start,
  gpu: () => glue.findGpu(),
  statistics: () => (running ? glue.gpuStatistics() : null),
  open(bytes, precision) {
    const model = glue.Model.load(bytes, precision === "bf16");
    return { id: keep(model), config: model.config };
  },
  read: (id, text, { threshold, force, measureMs, device }, follow) =>
    get(id, glue.Model).read(text, threshold, pairs(force), measureMs ?? 0, device, watch(follow)),
  readAll: (id, texts, { threshold, device }, follow) => get(id, glue.Model).readAll([...texts], threshold, device, watch(follow)),
  tokenize: (id, text) => get(id, glue.Model).tokenize(text),
  calibrate: (id, follow) => get(id, glue.Model).calibrate(watch(follow)),
  steps: (id, device, follow) => get(id, glue.Model).steps(device, watch(follow)),
  inspect: (id) => get(id, glue.Model).inspect(),
  withoutWordCache: (id) => keep(get(id, glue.Model).withoutWordCache()),
  reader: (id, { threshold, force }) => keep(get(id, glue.Model).reader(threshold, pairs(force))),
  update(id, text, follow) {
    const [instance, reader] = [current(), get(id, glue.Reader)];
    return inTurn(reader, async () => {
      const reading = await attempt(instance, () => reader.update(text, watch(follow)));
      return { reading, computed: attempt(instance, () => reader.computed) };
    });
  },
  hidden(id) {
    const [instance, reader] = [current(), get(id, glue.Reader)];
    return inTurn(reader, async () => attempt(instance, () => reader.hidden()));
  },
  cursor: (id, options) => keep(cursorOf(id, options)),
  ask(id, ask, follow) {
    const [instance, cursor] = [current(), get(id, glue.Cursor)];
    return inTurn(cursor, async () => attempt(instance, () => asked(cursor, ask, follow)));
  },
  async askOnce(id, options, ask, follow) {
    const [instance, cursor] = [current(), cursorOf(id, options)];
    try {
      return await attempt(instance, () => asked(cursor, ask, follow));
    } finally {
      if (!instance.failure) cursor.free();
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
    lost.delete(id);
    const instance = running;
    const object = instance?.held.get(id);
    if (!instance || !object) return undefined;
    instance.held.delete(id);
    // A reader may have calls waiting for their turn.
    const last = object instanceof glue.Reader || object instanceof glue.Cursor ? lastOf.get(object) : undefined;
    if (last) void last.then(() => attempt(instance, () => object.free())).catch(() => undefined);
    else object.free();
    return undefined;
  },
};

/** The engine of this thread, one for everybody. */
export const local: Engine = {
  async call(name, args, follow = {}) {
    const { signal } = follow;
    signal?.throwIfAborted();
    type Answer = ReturnType<Calls[typeof name]>;
    const ask = answers[name] as (...all: unknown[]) => Answer | Promise<Answer>;
    const instance = ALWAYS.has(name) ? running : current();
    const answer = instance ? attempt(instance, () => ask(...args, follow)) : ask(...args, follow);
    // Who is told of the progress may have had enough meanwhile.
    if (!(answer instanceof Promise)) {
      signal?.throwIfAborted();
      return answer;
    }
    return new Promise((resolve, reject) => {
      const release = onAbort(signal, () => reject(signal?.reason));
      // The engine that fails cannot take its own start down.
      if (name !== "start") instance?.underWay.add(reject);
      answer
        .then(resolve, (error: unknown) => reject(ours(error)))
        .finally(() => {
          release();
          instance?.underWay.delete(reject);
        });
    });
  },
};
