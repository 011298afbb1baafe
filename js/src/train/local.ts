/** Training runs in this thread. */

import { errorOf, messageOf, type SaccadeError } from "../errors.js";
import { unlessAborted } from "../follow.js";
import { turn } from "../turn.js";
import { held } from "./alive.js";
import { binary, glue, started } from "./binary.js";
import { type Answers, holding } from "../holding.js";
import type { ColumnName, Done, Sample, TrainCalls, TrainDevice, Trainer } from "./calls.js";
import { Crew, serveLeader } from "./crew.js";

const { current, keep, get, take } = holding<glue.TrainingTexts | glue.TrainingRun>(binary);

/** Runs that need no GPU, but compute on one. */
const movable = new WeakSet<glue.TrainingRun>();

/** Who else learns from the batches of a run. */
const crews = new WeakMap<glue.TrainingRun, Crew>();
const ALONE = new Crew([]);

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

/** Does what is due. */
async function next(run: glue.TrainingRun, crew: Crew): Promise<Done> {
  const instance = current();
  switch (instance.attempt(() => run.due())) {
    case "finish":
      return { type: "ended", ...(await instance.attempt(() => run.finish())) };
    case "evaluation":
      return { type: "evaluated", ...(await instance.attempt(() => run.evaluate())) };
    case "step":
      return { type: "step", ...(await instance.attempt(() => run.step(crew.most, (order, parts) => crew.ask(order, parts)))) };
  }
}

/** A column's name, or its number. */
function named(column: ColumnName): readonly [string | undefined, number | undefined] {
  return typeof column === "number" ? [undefined, column] : [column, undefined];
}

/** Has a run whose GPU fails go on on the CPU. */
function moved(run: glue.TrainingRun, error: unknown): Done {
  const isOfDevice = error instanceof Error && String((error as Partial<SaccadeError>).code).startsWith("DEVICE_");
  const found = isOfDevice && movable.has(run) ? current().attempt(() => run.leaveGpu()) : undefined;
  if (!found) throw error;
  movable.delete(run);
  return { type: "moved", device: "cpu", deviceReason: messageOf(error), ...found };
}

/** The epochs, with fraction, after which a sample is due, if what was done last is followed by one. */
function sampledAt(done: Done, every: number | undefined): number | undefined {
  if (every === undefined) return done.type === "evaluated" ? done.epoch : undefined;
  // Nothing is counted here, so that a run that is resumed writes at the same steps.
  const isDue = done.type === "step" && (done.epoch * done.steps + done.step + 1) % every === 0;
  return isDue ? done.epoch + (done.step + 1) / done.steps : undefined;
}

/** The sample that follows what was done last, before the next step changes the model. */
async function sampled(run: glue.TrainingRun, done: Done, { every, writing }: Sample): Promise<Done | undefined> {
  const epoch = sampledAt(done, every);
  return epoch === undefined ? undefined : { type: "sample", epoch, text: await current().attempt(() => run.write(...writing)) };
}

/**
 * Takes steps for some milliseconds, and none after an evaluation: whoever hears of one then finds the model as it was evaluated, and
 * what is set there acts from the very next step.
 */
async function advanced(run: glue.TrainingRun, milliseconds: number, sample: Sample | undefined, signal: AbortSignal | undefined): Promise<readonly Done[]> {
  const until = performance.now() + milliseconds;
  const done: Done[] = [];
  const crew = crews.get(run) ?? ALONE;
  for (;;) {
    const one = await next(run, crew).catch((error: unknown) => moved(run, error));
    done.push(...crew.left().map((left): Done => ({ type: "left", ...left })), one);
    const written = sample && (await sampled(run, one, sample).catch((error: unknown) => moved(run, error)));
    if (written) done.push(written);
    if (one.type === "evaluated" || one.type === "ended" || performance.now() >= until || signal?.aborted) return done;
  }
}

const answers: Answers<TrainCalls> = {
  live: () => held(),
  async start({ wasm }, follow) {
    await unlessAborted(follow.signal, started(wasm, follow));
    return undefined;
  },
  texts: (settings) => keep(new glue.TrainingTexts(settings)),
  labelled(id, set, labels, texts, lines) {
    get(id, glue.TrainingTexts).addLabelled(set, [...labels], [...texts], Uint32Array.from(lines), false);
    return undefined;
  },
  tagged(id, set, texts, tags, counts, lines, cut) {
    get(id, glue.TrainingTexts).addTagged(set, [...texts], [...tags], Uint32Array.from(counts), Uint32Array.from(lines), cut);
    return undefined;
  },
  beginTable(id, tabs, text, label) {
    const [ofText, ofLabel] = [named(text), named(label)];
    get(id, glue.TrainingTexts).beginTable(tabs, ...ofText, ...ofLabel);
    return undefined;
  },
  table: (id, set, bytes, last) => get(id, glue.TrainingTexts).addTable(set, bytes, last),
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
    if (wanted === "webgpu" && device === "webgpu") movable.add(run);
    return { id: keep(run), about: run.about, device, deviceReason };
  },
  advance(id, milliseconds, sample, { signal }) {
    const run = get(id, glue.TrainingRun);
    return inTurn(run, async () => {
      // All others of this thread have their turn before.
      await turn();
      signal?.throwIfAborted();
      return advanced(run, milliseconds, sample, signal);
    });
  },
  adjust: (id, { learningRate, gamma, temperature }) =>
    asked(id, (run) => {
      run.adjust(learningRate, gamma, temperature);
      return undefined;
    }),
  read: (id, texts) => asked(id, (run) => run.read([...texts])),
  tag: (id, texts) => asked(id, (run) => run.tag([...texts])),
  write: (id, text, words, temperature, seed) => asked(id, (run) => run.write(text, words, temperature, seed)),
  file: (id, now) => asked(id, (run) => (now ? undefined : run.kept()) ?? run.export()),
  snapshot: (id) => asked(id, async (run) => ({ state: await run.snapshot(), kept: run.kept() })),
  restore: (id, { state, kept, adjusted: { learningRate, gamma, temperature } }) =>
    asked(id, (run) => {
      run.restore(state, kept);
      run.adjust(learningRate, gamma, temperature);
      return undefined;
    }),
  lead(id, ports) {
    crews.set(get(id, glue.TrainingRun), new Crew(ports));
    return undefined;
  },
  help(id, port) {
    serveLeader(port, ({ order, part, most }) => asked(id, (run) => run.help(order, part, most)));
    return undefined;
  },
  lose(id, helper, reason) {
    crews.get(get(id, glue.TrainingRun))?.lose(helper, reason);
    return undefined;
  },
  release(id) {
    const found = take(id);
    if (!found) return undefined;
    const { instance, object } = found;
    const run = object instanceof glue.TrainingRun ? object : undefined;
    const last = run && lastOf.get(run);
    if (run) crews.get(run)?.end();
    void Promise.resolve(last).then(() => instance.free(object));
    return undefined;
  },
};

/** Calls that need no instance. */
const ALWAYS: ReadonlySet<string> = new Set(["live", "start", "release"] satisfies (keyof TrainCalls)[]);

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
