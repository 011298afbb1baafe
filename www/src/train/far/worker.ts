/** Networks that take turns to learn, in a thread of their own. */

import { Network } from "./network.ts";
import { cells, type Cell, type Learned, type Options } from "./sizes.ts";

/** What the worker is told. */
export type Told = { readonly type: "begin"; readonly options: Options; readonly reach: number; readonly rounds: number } | { readonly type: "reach"; readonly reach: number } | { readonly type: "pause" | "resume" };
/** What it tells. */
export type Tells = ({ readonly type: "learned"; readonly cell: Cell; readonly round: number; readonly reach: number } & Learned) | { readonly type: "ended" } | { readonly type: "failed"; readonly message: string };

const tell = (told: Tells) => postMessage(told);
let reach = 0;
let paused: Promise<void> | null = null;
let goOn: (() => void) | null = null;

/** Whoever has sent a message meanwhile is heard. */
const turn = () => new Promise((resolve) => setTimeout(resolve));

async function learn(options: Options, rounds: number): Promise<void> {
  const networks = cells.map((cell) => ({ cell, network: new Network(cell, options) }));
  for (let round = 1; round <= rounds; round++) {
    for (const { cell, network } of networks) {
      while (paused) await paused;
      tell({ type: "learned", cell, round, reach, ...(await network.learn(reach)) });
      await turn();
    }
  }
  tell({ type: "ended" });
}

addEventListener("message", ({ data }: MessageEvent<Told>) => {
  if (data.type === "begin") {
    reach = data.reach;
    learn(data.options, data.rounds).catch((error: unknown) => tell({ type: "failed", message: error instanceof Error ? error.message : String(error) }));
  } else if (data.type === "reach") reach = data.reach;
  else if (data.type === "pause") paused ??= new Promise((resolve) => (goOn = resolve));
  else {
    goOn?.();
    paused = null;
  }
});
