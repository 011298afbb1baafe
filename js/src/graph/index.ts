/**
 * Graphs: a loop over one example, computed in batches over all of them, with gradients and optimisers.
 *
 * ```ts
 * import { Adam, Parameters } from "saccade-rnn/graph";
 * const parameters = new Parameters({ seed: 1 });
 * const words = parameters.embedding("words", 1000, 64);
 * const lstm = parameters.lstm("lstm", 64, 64);
 * const out = parameters.linear("out", 64, 2);
 * const adam = new Adam(parameters, { rate: 0.01 });
 * const loss = await adam.learn((graph) =>
 *   graph.mean(examples.map(({ ids, label }) => out(lstm(words(graph, ids)).state.h).crossEntropy([label]))),
 * );
 * ```
 */

import { started } from "./binary.js";
import { checks, type GraphInitOptions } from "./options.js";

/**
 * Starts the engine of graphs: fetches and compiles it. The first call decides where from; unless given, the file
 * `saccade-rnn/wasm-graph` beside the code. Optional, as the first graph does it too.
 */
export async function init(options?: GraphInitOptions): Promise<void> {
  await started(checks.init.take(options, "init: options").wasm);
}

export { SaccadeError } from "../errors.js";
export type { ErrorCode } from "../errors.js";
export type { Results } from "./cell.js";
export { Expression } from "./expression.js";
export type { DropoutOptions } from "./expression.js";
export { Gradients } from "./gradients.js";
export { Graph } from "./graph.js";
export type { Batch, Explanation } from "./graph.js";
export type {
  Bidirectional,
  Embedding,
  HiddenState,
  Linear,
  LstmState,
  Recurred,
  RecurredBothWays,
  Recurrent,
  SruState,
  States,
} from "./layers.js";
export { Adam, Sgd } from "./optimizers.js";
export type { Optimizer } from "./optimizers.js";
export type {
  AdamOptions,
  GraphInitOptions,
  GraphOptions,
  JoinOptions,
  LayerOptions,
  OptimizerOptions,
  ParameterOptions,
  ParametersOptions,
  RunOptions,
  SgdOptions,
  Strategy,
} from "./options.js";
export { Parameter } from "./parameter.js";
export { Parameters } from "./parameters.js";
export type { Declare, Scope } from "./parameters.js";
export type { Recorder } from "./recorder.js";
