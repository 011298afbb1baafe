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
  /** Of each step. */
  readonly losses: readonly number[];
  /** Dispatches of a step. */
  readonly dispatches: number;
}

let learner: Learner | null = null;

const train = {
  /** Takes so many first steps, in which code and shaders are compiled; their losses. */
  async prepare(count: number): Promise<number[]> {
    const name = new URLSearchParams(location.search).get("contestant")!;
    learner = await learners[name]!();
    const losses: number[] = [];
    while (losses.length < count) losses.push(await learner.step());
    return losses;
  },

  /** Steps until `ms` milliseconds have passed. */
  async turn(ms: number): Promise<TrainTurn> {
    if (!learner) throw new Error("prepare first");
    const [{ dispatches }, begun, losses] = [counted(), performance.now(), [] as number[]];
    do losses.push(await learner.step());
    while (performance.now() - begun < ms);
    const count = losses.length;
    return { ms: (performance.now() - begun) / count, losses, dispatches: (counted().dispatches - dispatches) / count };
  },
};

declare global {
  interface Window {
    train: typeof train;
  }
}

window.train = train;
