/** What is computed: the workloads of the tables, each for each cell. */

export type Cell = "lstm" | "gru" | "sru";

/** Shapes of one call: `batch` sequences of `steps` rows of `inputSize` columns, through `layers` layers. */
export interface Workload {
  readonly name: string;
  readonly batch: number;
  readonly steps: number;
  readonly inputSize: number;
  readonly hiddenSize: number;
  readonly layers: number;
}

/** A workload for one cell; its name is in tables, on the command line and in addresses. */
export interface Case extends Workload {
  readonly cell: Cell;
}

export const workloads: readonly Workload[] = [
  { name: "W1", batch: 1, steps: 20, inputSize: 100, hiddenSize: 100, layers: 1 },
  { name: "W2", batch: 1, steps: 200, inputSize: 300, hiddenSize: 100, layers: 1 },
  { name: "W3", batch: 32, steps: 64, inputSize: 128, hiddenSize: 128, layers: 2 },
  { name: "W4", batch: 1, steps: 256, inputSize: 512, hiddenSize: 512, layers: 1 },
];

export const cells: readonly Cell[] = ["lstm", "gru", "sru"];

export const cases: readonly Case[] = workloads.flatMap((workload) =>
  cells.map((cell) => ({ ...workload, name: `${workload.name}-${cell}`, cell })),
);

/** The case of a name such as `W1-lstm`. */
export function caseOf(name: string): Case {
  const found = cases.find((one) => one.name === name);
  if (!found) throw new Error(`there is no case ${name}; there are ${cases.map((one) => one.name).join(", ")}`);
  return found;
}

/** Columns that layer `layer` takes. */
export function columnsInto(work: Workload, layer: number): number {
  return layer === 0 ? work.inputSize : work.hiddenSize;
}

/** Blocks of `hiddenSize` columns that layer `layer`'s input product gives. SRU needs a fourth where its highway cannot carry the input as it is. */
export function gates(work: Case, layer: number): number {
  if (work.cell === "lstm") return 4;
  if (work.cell === "gru") return 3;
  return columnsInto(work, layer) === work.hiddenSize ? 3 : 4;
}
