/** Training runs in this thread. */

import { errorOf } from "../errors.js";
import { unlessAborted } from "../follow.js";
import { binary, glue, started } from "./binary.js";
import { type Answers, holding } from "../holding.js";
import type { Done, TrainCalls, TrainDevice, Trainer } from "./calls.js";

const { current, keep, get, take } = holding<glue.TrainingTexts | glue.TrainingRun>(binary);

const lastOf = new WeakMap<glue.TrainingRun, Promise<unknown>>();

/** A run answers one call at a time. */
function inTurn<T>(run: glue.TrainingRun, work: () => Promise<T>): Promise<T> {
  const answer = (lastOf.get(run) ?? Promise.resolve()).then(work);
  lastOf.set(run, answer.catch(() => undefined));
  return answer;
}

/** Asks a run, when it has answered what was asked before. */
function asked<T>(id: number, ask: (run: glue.TrainingRun) => T | Promise<T>): Promise<T> {
  const [instance, run] = [current(), get(id, glue.TrainingRun)];
  return inTurn(run, async () => instance.attempt(() => ask(run)));
}

async function place(wanted: TrainDevice): Promise<{ readonly device: "cpu" | "webgpu"; readonly deviceReason: string | undefined }> {
  if (wanted === "cpu") return { device: "cpu", deviceReason: undefined };
  const found = await current().attempt(() => glue.findGpu());
  if (!("reason" in found)) return { device: "webgpu", deviceReason: undefined };
  if (wanted === "webgpu-only") throw errorOf("DEVICE_UNAVAILABLE", found.reason);
  return { device: "cpu", deviceReason: found.reason };
}

async function advanced(run: glue.TrainingRun, milliseconds: number, signal: AbortSignal | undefined): Promise<readonly Done[]> {
  const instance = current();
  const until = performance.now() + milliseconds;
  const done: Done[] = [];
  do {
    const due = instance.attempt(() => run.due());
    if (due === "finish") {
      done.push({ type: "ended", ...(await instance.attempt(() => run.finish())) });
      break;
    }
    if (due === "evaluation") done.push({ type: "evaluated", ...(await instance.attempt(() => run.evaluate())) });
    else done.push({ type: "step", ...(await instance.attempt(() => run.step())) });
  } while (performance.now() < until && !signal?.aborted);
  return done;
}

const answers: Answers<TrainCalls> = {
  async start({ wasm }, follow) {
    await unlessAborted(follow.signal, started(wasm, follow));
    return undefined;
  },
  texts: (settings) => keep(new glue.TrainingTexts(settings)),
  labelled(id, set, labels, texts, lines) {
    get(id, glue.TrainingTexts).addLabelled(set, [...labels], [...texts], Uint32Array.from(lines), false);
    return undefined;
  },
  running(id, set, text) {
    get(id, glue.TrainingTexts).addRunning(set, text);
    return undefined;
  },
  async begin(id, from, holdOut, wanted) {
    const instance = current();
    const { device, deviceReason } = await place(wanted);
    const texts = get(id, glue.TrainingTexts);
    // They become the run, also where that fails.
    take(id);
    const run = await instance.attempt(() => texts.begin(from, holdOut, device));
    return { id: keep(run), about: run.about, device, deviceReason };
  },
  advance(id, milliseconds, { signal }) {
    const run = get(id, glue.TrainingRun);
    return inTurn(run, () => advanced(run, milliseconds, signal));
  },
  adjust: (id, { learningRate, gamma }) =>
    asked(id, (run) => {
      run.adjust(learningRate, gamma);
      return undefined;
    }),
  read: (id, texts) => asked(id, (run) => run.read([...texts])),
  write: (id, text, words, temperature, seed) => asked(id, (run) => run.write(text, words, temperature, seed)),
  file: (id, now) => asked(id, (run) => (now ? undefined : run.kept()) ?? run.export()),
  snapshot: (id) => asked(id, async (run) => ({ state: await run.snapshot(), kept: run.kept() })),
  restore: (id, { state, kept, adjusted: { learningRate, gamma } }) =>
    asked(id, (run) => {
      run.restore(state, kept);
      run.adjust(learningRate, gamma);
      return undefined;
    }),
  release(id) {
    const found = take(id);
    if (!found) return undefined;
    const { instance, object } = found;
    const last = object instanceof glue.TrainingRun ? lastOf.get(object) : undefined;
    void Promise.resolve(last).then(() => instance.free(object));
    return undefined;
  },
};

/** Calls that need no instance. */
const ALWAYS: ReadonlySet<string> = new Set(["start", "release"] satisfies (keyof TrainCalls)[]);

/** Those of this thread, for everybody. */
export const training: Trainer = {
  async call(name, args, follow = {}) {
    follow.signal?.throwIfAborted();
    type Answer = ReturnType<TrainCalls[typeof name]>;
    const ask = answers[name] as (...all: unknown[]) => Answer | Promise<Answer>;
    const work = () => ask(...args, follow);
    // The binary that fails cannot take its own start down; without one there is nothing to free.
    return ALWAYS.has(name) ? work() : current().call(work, follow.signal);
  },
};
