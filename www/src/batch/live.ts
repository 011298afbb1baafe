/**
 * Programs of trees on the engine of this page: its graphs, which come when they are first asked for. The weights are random,
 * because a schedule does not depend on what a network knows.
 */

import { Parameters, type Expression, type Graph } from "../../../js/src/graph/index.ts";
import type { Kind, Step } from "./program.ts";
import { rowOf, TABLE } from "./rows.ts";
import { isByHand, type Explain, type Launch, type Report, type Way } from "./schedule.ts";

/** Guesses to choose from. */
const GUESSES = 5;

/** The cells of the loop, of states of so many numbers. */
export class Network {
  readonly parameters = new Parameters({ seed: 1 });
  readonly #table: ReturnType<Parameters["embedding"]>;
  readonly #cells: Readonly<Record<Exclude<Kind, "look">, (...operands: Expression[]) => Expression>>;

  constructor(size: number) {
    const { parameters } = this;
    this.#table = parameters.embedding("table", TABLE, size);
    const out = parameters.linear("out", size, GUESSES);
    /** A cell that makes one state of two. */
    const pair = (name: string) => {
      const [left, right] = [parameters.linear(`${name}.left`, size, size), parameters.linear(`${name}.right`, size, size)];
      return parameters.cell(name, [size, size], (a: Expression, b: Expression) => left(a).add(right(b)).tanh());
    };
    const [letter, join] = [pair("letter"), pair("join")];
    const leaf = parameters.linear("word", size, size);
    const word = parameters.cell("word", [size], (x: Expression) => leaf(x).tanh());
    this.#cells = { letter, join, word, guess: out };
  }

  /** The loop: what each step records, with the results of those it needs. */
  record(graph: Graph, program: readonly Step[]): Expression[] {
    const made: Expression[] = [];
    for (const { kind, needs, text } of program) {
      const operands = needs.flatMap((need) => made[need] ?? []);
      made.push(kind === "look" ? this.#table(graph, [rowOf(text)]) : this.#cells[kind](...operands));
    }
    return made;
  }

  /**
   * The same with the batches made by hand: an expression a launch, whose rows are its steps and, after them, cells that compute
   * the same of some row and that nobody uses. Gives the launches' expressions, in their order.
   */
  recordByHand(graph: Graph, program: readonly Step[], { launches }: Report): Expression[] {
    /** Of every step its launch and its row there. */
    const places = new Map(launches.flatMap(({ nodes }, launch) => nodes.map((node, row) => [node, { launch, row }] as const)));
    const made: Expression[] = [];
    for (const { nodes, wasted = 0 } of launches) {
      const steps = nodes.flatMap((node) => program[node] ?? []);
      const kind = steps[0]?.kind ?? "look";
      if (kind === "look") {
        made.push(this.#table(graph, [...steps.map(({ text }) => rowOf(text)), ...Array<number>(wasted).fill(0)]));
        continue;
      }
      const operands = (steps[0]?.needs ?? []).map((_, operand) => {
        const needed = steps.flatMap(({ needs }) => places.get(needs[operand] ?? -1) ?? []);
        const sources = [...new Set(needed.map(({ launch }) => launch))];
        const all = sources.flatMap((launch) => made[launch] ?? []);
        let rows = 0;
        const begins = new Map(sources.map((launch, at) => [launch, (rows += all[at]?.rows ?? 0) - (all[at]?.rows ?? 0)]));
        const [first] = all;
        const rowsOf = all.length === 1 && first ? first : graph.concatRows(all);
        return rowsOf.pickRows([...needed.map(({ launch, row }) => (begins.get(launch) ?? 0) + row), ...Array<number>(wasted).fill(0)]);
      });
      made.push(this.#cells[kind](...operands));
    }
    return made;
  }
}

/** Networks that are used again, by their size. */
const networks = new Map<number, Network>();

/** Works with the network of a size; after its engine has died, with another. */
async function withNetwork<T>(size: number, work: (network: Network) => Promise<T>): Promise<T> {
  const network = networks.get(size) ?? new Network(size);
  networks.set(size, network);
  try {
    return await work(network);
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENGINE_FAILED" && networks.get(size) === network) networks.delete(size);
    throw error;
  }
}

/** Numbers in a state where only the schedule is asked for, which does not depend on it. */
const SMALL = 16;

export const explain: Explain = (program, strategy) =>
  withNetwork(SMALL, (network) =>
    network.parameters.run(
      async (graph) => {
        const made = network.record(graph, program);
        const stepOf = new Map(made.map(({ number }, step) => [number, step]));
        await graph.values(made);
        const { batches, lowerBound } = await graph.explain();
        const launches = batches.map(({ expressions, alone, split }): Launch => {
          const nodes = expressions.flatMap((number) => stepOf.get(number) ?? []);
          return { nodes, alone, split };
        });
        return { lowerBound, launches };
      },
      { strategy },
    ),
  );

/** Numbers in a state where time is measured: as many as networks have that people use. */
export const LARGE = 128;

/**
 * Records the program, runs it in this way and waits for all guesses, each row by row, in the order of the launches or of the
 * steps. Rejects where the device is `webgpu` and there is none.
 */
export function guess(program: readonly Step[], way: Way, report: Report, device: "cpu" | "webgpu"): Promise<Float32Array[]> {
  const isGuess = (node: number | undefined) => program[node ?? -1]?.kind === "guess";
  return withNetwork(LARGE, (network) =>
    network.parameters.run(
      (graph) => {
        const made = isByHand(way)
          ? network.recordByHand(graph, program, report).filter((_, launch) => isGuess(report.launches[launch]?.nodes[0]))
          : network.record(graph, program).filter((_, step) => isGuess(step));
        return graph.values(made);
      },
      { strategy: isByHand(way) ? "levels" : way, device: device === "cpu" ? "cpu" : "webgpu-only" },
    ),
  );
}
