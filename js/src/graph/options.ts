/** What parameters, graphs and optimisers are told. */

import { count, is, number, oneOf, optional, string } from "../arguments/check.js";
import { wasm } from "../arguments/entry.js";
import { type Fields, options } from "../arguments/options.js";
import { maybe, signal } from "../arguments/shared.js";
import type { InitOptions } from "../types.js";

/** Where the engine of graphs comes from. */
export type GraphInitOptions = Pick<InitOptions, "wasm">;

/** How fresh parameters are drawn. */
export interface ParametersOptions {
  /** 0 unless given. */
  readonly seed?: number | undefined;
}

/** How a parameter of one's own is drawn. */
export interface ParameterOptions {
  /** Uniformly between `-bound` and `bound`; unless given, `1 / sqrt(columns)` for a matrix and 0, zeros, for a vector. */
  readonly bound?: number | undefined;
}

/** What a recurrent layer may be told beside its sizes. */
export interface LayerOptions {
  /** Whether it reads in both directions; false unless given. */
  readonly bidirectional?: boolean | undefined;
}

/**
 * The order in which batches run: `levels`, the default, needs the fewest on trees and chains; `depth` and `agenda` are those of
 * DyNet; `unbatched` runs node by node.
 */
export type Strategy = "unbatched" | "depth" | "agenda" | "levels";

/** How a graph computes. */
export interface GraphOptions {
  readonly strategy?: Strategy | undefined;
  /** `cpu` unless given; `webgpu` is the CPU where there is no WebGPU, and `webgpu-only` fails there. */
  readonly device?: "cpu" | "webgpu" | "webgpu-only" | undefined;
  /** Of dropout. 0 unless given; unless given, every step of an optimiser has its own. */
  readonly seed?: number | undefined;
}

/** The same of {@link Parameters.run}. */
export interface RunOptions extends GraphOptions {
  /** Whether dropout drops and `graph.backward` has gradients, for which what was computed is kept; false unless given. */
  readonly training?: boolean | undefined;
}

/** How promises are joined. */
export interface JoinOptions {
  /** Whether the result says of each promise what became of it, as `Promise.allSettled`; false unless given. */
  readonly settled?: boolean | undefined;
  /** Lets go of the promises that have not settled, which then count as rejected with `ABORTED`. */
  readonly signal?: AbortSignal | undefined;
}

/** What optimisers have in common. */
export interface OptimizerOptions {
  /**
   * Decoupled decay: a step takes so much of each weight, times the rate; 0 unless given. A parameter that the loss does not use is left
   * alone, by decay and momentum too; of a table that it uses, all rows count.
   */
  readonly weightDecay?: number | undefined;
  /** The largest norm of all gradients together, to which larger ones are scaled down; 0, no bound, unless given. */
  readonly clip?: number | undefined;
}

/** Settings of {@link Adam}. */
export interface AdamOptions extends OptimizerOptions {
  /** The size of a step; 0.001 unless given. */
  readonly rate?: number | undefined;
  /** Below 1; 0.9 unless given. */
  readonly beta1?: number | undefined;
  /** Below 1; 0.999 unless given. */
  readonly beta2?: number | undefined;
  /** 1e-8 unless given. */
  readonly epsilon?: number | undefined;
}

/** Settings of {@link Sgd}. */
export interface SgdOptions extends OptimizerOptions {
  /** The size of a step; 0.1 unless given. */
  readonly rate?: number | undefined;
  /** 0 unless given. */
  readonly momentum?: number | undefined;
}

const positive = number("a number from 0 to 3.4e38", [0, 3.4028234663852886e38]);
const share = number("a number from 0 to 1", [0, 1]);
/** How much of an average stays: where all of it does, its bias of 0 cannot be corrected. */
const kept = is<number>("a number from 0 to below 1 (in f32)", (found) => typeof found === "number" && found >= 0 && Math.fround(found) < 1);
const graph = {
  strategy: optional(oneOf("unbatched", "depth", "agenda", "levels")),
  device: optional(oneOf("cpu", "webgpu", "webgpu-only")),
  seed: optional(count),
} satisfies Fields<GraphOptions>;
const optimizer = { rate: optional(positive), weightDecay: optional(positive), clip: optional(positive) };

export const checks = {
  init: options<GraphInitOptions>()({ wasm }),
  name: string,
  rate: positive,
  parameters: options<ParametersOptions>()({ seed: optional(count) }),
  parameter: options<ParameterOptions>()({ bound: optional(positive) }),
  layer: options<LayerOptions>()({ bidirectional: maybe }),
  graph: options<GraphOptions>()(graph),
  join: options<JoinOptions>()({ settled: maybe, signal: optional(signal) }),
  run: options<RunOptions>()({ ...graph, training: maybe }),
  adam: options<AdamOptions>()({ ...optimizer, beta1: optional(kept), beta2: optional(kept), epsilon: optional(positive) }),
  sgd: options<SgdOptions>()({ ...optimizer, momentum: optional(share) }),
};
