/** The engine in this thread. */

import * as glue from "../pkg/saccade_rnn.js";
import type { CallName, Calls, Engine, Follow, Id } from "./engine.js";
import { aborted, errorOf, messageOf, ours, type SaccadeError } from "./errors.js";
import { platform } from "./platform.js";
import { turn } from "./turn.js";
import type { Precision } from "./types.js";
import { compiled } from "./wasm.js";

type Held = glue.Model | glue.Reader | glue.Layer;

let starting: Promise<void> | undefined;
/** Whether an instance was made that failed: the next start makes another of the same module. */
let spent = false;
/** Ids that another engine gave, such as that of a worker that is gone, mean nothing here: each begins somewhere else. */
const firstId: Id = Math.floor(Math.random() * 2 ** 50);
let lastId: Id = firstId;
const held = new Map<Id, Held>();
/** Ids that died with an instance. */
const lost = new Set<Id>();
/** How the calls under way are rejected. */
const underWay = new Set<(error: SaccadeError) => void>();

/** After a panic or a trap: nothing of the instance can be trusted, and its calls would never be answered. */
function fail(message: string): SaccadeError {
  const error = errorOf("ENGINE_FAILED", `the engine stopped, and all that it held is lost; load it again (${message})`);
  spent = true;
  starting = undefined;
  for (const id of held.keys()) lost.add(id);
  held.clear();
  for (const reject of underWay) reject(error);
  underWay.clear();
  return error;
}

/** A trap in work that the engine went on with by itself is nobody's to catch; while calls are under way it is taken for ours. */
function onUncaught(event: Event): void {
  const thrown: unknown = "reason" in event ? event.reason : "error" in event ? event.error : undefined;
  if (underWay.size > 0 && thrown instanceof WebAssembly.RuntimeError) fail(messageOf(thrown));
}

/** Runs what may trap. */
function attempt<T>(work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (error instanceof WebAssembly.RuntimeError || error instanceof RangeError) throw fail(messageOf(error));
    throw ours(error);
  }
}

async function start(...[options, follow]: [...Parameters<Calls["start"]>, Follow]): Promise<undefined> {
  starting ??= (async () => {
    if (spent) glue.__wbg_reset_state();
    else await glue.default({ module_or_path: await compiled(options, follow) });
    if (!spent) {
      // Not in Node, which ends instead.
      globalThis.addEventListener?.("error", onUncaught);
      globalThis.addEventListener?.("unhandledrejection", onUncaught);
    }
    spent = false;
    glue.onFailure((reason) => void fail(reason));
    const reason = platform.noGpu ?? (inPageOrWorker() ? undefined : "WebGPU is for pages and workers alone");
    if (reason !== undefined) glue.forbidGpu(reason);
  })().catch((error: unknown) => {
    starting = undefined;
    if (follow.signal?.aborted) throw aborted(follow.signal);
    throw errorOf("ENGINE_FAILED", `the engine (WebAssembly) did not load: ${messageOf(error)}`, error);
  });
  await starting;
  return undefined;
}

/** Where the engine may ask for a GPU. */
function inPageOrWorker(): boolean {
  return "Window" in globalThis || "WorkerGlobalScope" in globalThis;
}

function keep(object: Held): Id {
  held.set(++lastId, object);
  return lastId;
}

function get<T extends Held>(id: Id, Class: { readonly prototype: T }): T {
  const object = held.get(id);
  if (object && Object.getPrototypeOf(object) === Class.prototype) return object as T;
  if (lost.has(id) || id <= firstId || id > lastId) throw errorOf("ENGINE_FAILED", "the engine that held this stopped: load it again");
  throw errorOf("DISPOSED", "this was disposed");
}

const lastOf = new WeakMap<glue.Reader, Promise<unknown>>();

/** The engine's reader answers one call at a time; one that was stopped ends some time after its caller heard so. */
function inTurn<T>(reader: glue.Reader, work: () => Promise<T>): Promise<T> {
  const answer = (lastOf.get(reader) ?? Promise.resolve()).then(work);
  lastOf.set(reader, answer.catch(() => undefined));
  return answer;
}

/** Asked between pieces of the work: tells how far it is, lets others have their turn, and says whether to go on. */
function watch({ signal, onProgress }: Follow): glue.Watch {
  return async (done, total, from, decided) => {
    onProgress?.({ done, total }, from, decided);
    if (done < total) await turn();
    return !signal?.aborted;
  };
}

type Answers = {
  readonly [Name in CallName]: (...args: [...Parameters<Calls[Name]>, Follow]) => ReturnType<Calls[Name]> | Promise<ReturnType<Calls[Name]>>;
};

/** Whether weights are kept with 16 bits. */
function isHalved(precision: Precision): boolean {
  if (precision !== "f32" && precision !== "bf16") {
    throw errorOf("OPTION_INVALID", `precision: expected "f32" or "bf16", found ${JSON.stringify(precision)}`);
  }
  return precision === "bf16";
}

const answers: Answers = {
  start,
  gpu: () => glue.findGpu(),
  statistics: () => glue.gpuStatistics(),
  open(bytes, precision) {
    const model = glue.Model.load(bytes, isHalved(precision));
    return { id: keep(model), config: model.config };
  },
  read: (id, text, options, follow) => get(id, glue.Model).read(text, options, watch(follow)),
  readAll: (id, texts, options, follow) => get(id, glue.Model).readAll([...texts], options, watch(follow)),
  tokenize: (id, text) => get(id, glue.Model).tokenize(text),
  calibrate: (id, follow) => get(id, glue.Model).calibrate(watch(follow)),
  steps: (id, device, follow) => get(id, glue.Model).steps(device, watch(follow)),
  inspect: (id) => get(id, glue.Model).inspect(),
  reader: (id, options) => keep(get(id, glue.Model).reader(options)),
  update(id, text, follow) {
    const reader = get(id, glue.Reader);
    return inTurn(reader, async () => {
      const reading = await reader.update(text, watch(follow));
      return { reading, computed: reader.computed };
    });
  },
  hidden(id) {
    const reader = get(id, glue.Reader);
    return inTurn(reader, async () => reader.hidden());
  },
  layer(from, precision) {
    const halved = isHalved(precision);
    const layer =
      "seed" in from
        ? glue.Layer.random(from.shape, from.seed, halved)
        : glue.Layer.load(from.bytes, from.prefix, from.stored, halved);
    const { inputSize, outputSize, stateParts } = layer;
    return { id: keep(layer), inputSize, outputSize, stateParts };
  },
  forward: (id, x, state, { device, threshold, rest }) => get(id, glue.Layer).forward(x, state, device, threshold, rest),
  release(id) {
    lost.delete(id);
    const object = held.get(id);
    held.delete(id);
    // A reader may have calls waiting for their turn.
    const last = object instanceof glue.Reader ? lastOf.get(object) : undefined;
    if (last) void last.then(() => object?.free());
    else object?.free();
    return undefined;
  },
};

/** The engine of this thread, one for everybody. */
export const local: Engine = {
  async call(name, args, follow = {}) {
    const { signal } = follow;
    if (signal?.aborted) throw aborted(signal);
    type Answer = ReturnType<Calls[typeof name]>;
    const ask = answers[name] as (...all: unknown[]) => Answer | Promise<Answer>;
    const answer = attempt(() => ask(...args, follow));
    // Who is told of the progress may have had enough meanwhile.
    if (!(answer instanceof Promise)) {
      if (signal?.aborted) throw aborted(signal);
      return answer;
    }
    return new Promise((resolve, reject) => {
      const stop = () => reject(aborted(signal));
      if (signal?.aborted) stop();
      signal?.addEventListener("abort", stop);
      // The engine that fails cannot take its own start down.
      if (name !== "start") underWay.add(reject);
      answer
        .then(resolve, (error: unknown) => reject(ours(error)))
        .finally(() => {
          signal?.removeEventListener("abort", stop);
          underWay.delete(reject);
        });
    });
  },
};
