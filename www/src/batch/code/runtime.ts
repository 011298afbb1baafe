/**
 * In the sandbox's worker, behind the visitor's program, which `sandbox.ts` puts before it as the function `program`: gives it
 * the package's graphs, runs it, and tells what they ran. Sources of the page are not at hand there.
 */

import { Adam, Graph, init, Parameters, Sgd } from "../../../../js/src/graph/index.ts";
import { Recorder } from "../../../../js/src/graph/recorder.ts";
import { rowOf } from "../rows.ts";
import { wordsOf, type Tree } from "../trees.ts";
import { cut, MOST, type Message } from "./report.ts";
import { limits } from "./strings.ts";
import { inWords } from "./words.ts";

declare const program: (given: Readonly<Record<string, unknown>>) => unknown;

const idOf = (word: unknown): number => rowOf(String(word));

/** The line of the visitor's program in which an error was made, from its stack: the program's lines come first in the script. */
function lineOf(error: unknown, lines: number): number | null {
  const stack = error instanceof Error ? (error.stack ?? "") : "";
  for (const [, line] of stack.matchAll(/:(\d+):\d+\)?$/gm)) {
    const own = Number(line) - 1;
    if (own >= 1 && own <= lines) return own;
  }
  return null;
}

addEventListener("message", ({ data, ports: [port] }: MessageEvent<{ readonly wasm: ArrayBuffer; readonly trees: readonly Tree[]; readonly lines: number }>) => {
  if (!port) return;
  const send = port.postMessage.bind(port);
  const tell = (message: Message) => send(message);
  bound();
  const ended = follow(tell);
  const run = async () => {
    await init({ wasm: data.wasm });
    const result: unknown = await program({ Adam, Parameters, Sgd, idOf, trees: data.trees, wordsOf });
    await ended();
    tell({ type: "ended", text: result === undefined ? "" : cut(inWords(result)) });
  };
  const fail = (error: unknown) =>
    tell({ type: "failed", message: error instanceof Error ? `${error.name}: ${error.message}` : inWords(error), line: lineOf(error, data.lines) });
  addEventListener("unhandledrejection", (event) => {
    event.preventDefault();
    fail(event.reason);
  });
  run().catch(fail);
}, { once: true });

/** Ends a program that records more than a visitor would wait for, and makes a mistake of it that names its line. */
function bound(): void {
  const { made } = Recorder.prototype;
  let [nodes, numbers] = [0, 0];
  Recorder.prototype.made = function (this: Recorder, rows, columns) {
    nodes += 1;
    numbers += rows * columns;
    if (nodes > MOST.nodes) throw new RangeError(limits.nodes(MOST.nodes));
    if (numbers > MOST.numbers) throw new RangeError(limits.numbers(MOST.numbers));
    return made.call(this, rows, columns);
  };
}

/** Tells of every graph what it ran when it ends, and what the program writes to the console; gives what waits for all graphs to end. */
function follow(tell: (message: Message) => void): () => Promise<void> {
  const { within } = Parameters.prototype;
  const { close } = Graph.prototype;
  const all: Promise<unknown>[] = [];
  Parameters.prototype.within = function (this: Parameters, ...given) {
    const graph = within.apply(this, given) as Promise<never>;
    all.push(graph);
    return graph;
  };
  let graphs = 0;
  Graph.prototype.close = async function (this: Graph) {
    graphs += 1;
    const graph = graphs;
    try {
      const { batches, nodes, lowerBound } = await this.explain();
      const launches = batches.slice(0, MOST.launches).map(({ op, lanes, alone, split }) => ({ op, lanes, alone, split }));
      tell({ type: "ran", launches, count: batches.length, nodes, lowerBound, graph });
    } catch {
      // A graph that failed has nothing to tell; why it did, the program hears.
    }
    await close.call(this);
  };
  const log = (...values: unknown[]) => tell({ type: "logged", text: cut(values.map(inWords).join(" ")) });
  for (const level of ["log", "info", "warn", "error", "debug"] as const) console[level] = log;
  return async () => {
    await Promise.allSettled(all);
    // Browsers say only in a task after it that nobody has taken a mistake.
    await new Promise((resolve) => setTimeout(resolve, 10));
  };
}
