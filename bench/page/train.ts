/** The page of training, `?contestant=…`: steps of a language model of letters. What the driver calls is `window.train`. */

import { counted } from "./watch.ts";
import type { Learner } from "./learner.ts";

const ours = () => import("./learners/saccade.ts");
const theirs = () => import("./learners/tensorflow.ts");

const learners: Readonly<Record<string, () => Promise<Learner>>> = {
  "saccade-cpu": async () => (await ours()).learner("cpu"),
  "saccade-webgpu": async () => (await ours()).learner("webgpu-only"),
  "tfjs-wasm": async () => (await theirs()).learner((await import("./contestants/tfjs-wasm.ts")).start),
  "tfjs-webgpu": async () => (await theirs()).learner((await import("./contestants/tfjs-webgpu.ts")).start),
};

/** Some steps. */
export interface TrainTurn {
  /** Milliseconds of a step, in the mean. */
  readonly ms: number;
  /** Of the last step. */
  readonly loss: number;
  /** Steps so far. */
  readonly steps: number;
  /** Dispatches of a step. */
  readonly dispatches: number;
}

let learner: Learner | null = null;
let steps = 0;

const train = {
  /** Takes so many first steps, in which code and shaders are compiled. */
  async prepare(count: number): Promise<void> {
    const name = new URLSearchParams(location.search).get("contestant")!;
    learner = await learners[name]!();
    for (; steps < count; steps++) await learner.step();
  },

  /** Steps until `ms` milliseconds have passed. */
  async turn(ms: number): Promise<TrainTurn> {
    if (!learner) throw new Error("prepare first");
    const [first, { dispatches }, begun] = [steps, counted(), performance.now()];
    let loss = Number.NaN;
    do {
      loss = await learner.step();
      steps += 1;
    } while (performance.now() - begun < ms);
    const count = steps - first;
    return { ms: (performance.now() - begun) / count, loss, steps, dispatches: (counted().dispatches - dispatches) / count };
  },
};

declare global {
  interface Window {
    train: typeof train;
  }
}

window.train = train;
