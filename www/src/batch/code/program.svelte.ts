import { SvelteSet } from "svelte/reactivity";
import { recall } from "../../study/kept.ts";
import type { Tree } from "../trees.ts";
import { MOST, type Ran } from "./report.ts";
import { run, type End, type Run } from "./sandbox.ts";

const kept = recall("own code");
/** Programs that the visitor has written or has run, which outlive the scene; the latest, the page's being loaded again, too. */
export const own = new SvelteSet<string>(kept === null ? [] : [kept]);

const NOTHING = { lines: [], count: 0 };

/** A run of a program, as it is followed. */
export class Program {
  stage: "idle" | "running" | "ended" = $state("idle");
  /** What its last graph ran. */
  ran: Ran | null = $state.raw(null);
  /** The last lines that it wrote, and how many they all were. */
  wrote: { readonly lines: readonly string[]; readonly count: number } = $state.raw(NOTHING);
  gave: string | null = $state(null);
  failure: { readonly message: string; readonly line: number | null } | null = $state.raw(null);
  /** How it was ended, if it did not end by itself. */
  end: End | null = $state(null);
  #run: Run | null = null;

  start(code: string, trees: readonly Tree[]): void {
    this.clear();
    this.stage = "running";
    const current = run(code, trees, (message) => {
      if (this.#run !== current) return;
      if (message.type === "ran") this.ran = message;
      else if (message.type === "logged") this.wrote = { lines: [...this.wrote.lines, message.text].slice(-MOST.lines), count: this.wrote.count + 1 };
      else if (message.type === "ended") this.gave = message.text;
      else if (message.type === "failed") this.failure = message;
    });
    this.#run = current;
    void current.ended.then((end) => {
      if (this.#run !== current) return;
      [this.stage, this.end, this.#run] = ["ended", end, null];
    });
  }

  stop(): void {
    this.#run?.stop();
  }

  /** As before anything ran. */
  clear(): void {
    this.stop();
    this.#run = null;
    [this.stage, this.ran, this.wrote, this.gave, this.failure, this.end] = ["idle", null, NOTHING, null, null, null];
  }
}
