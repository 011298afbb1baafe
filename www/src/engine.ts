/**
 * All that the page knows of the engine: models in a worker, what they answer, and their types. No other file of the
 * page imports the package.
 */

export { load, prepare } from "../../js/remote.ts";
export type { Progress, ReadHooks, RemoteModel } from "../../js/remote.ts";
export type {
  Cost,
  Costs,
  Decision,
  Device,
  DevicePreference,
  LayerConfig,
  ModelConfig,
  Reading,
  ReadOptions,
  Score,
  Steps,
  Timing,
  Token,
} from "../../js/types.ts";

import type { ReadOptions, Token } from "../../js/types.ts";
import type { RemoteModel } from "../../js/remote.ts";

/** One recurrent layer, seen from inside. All arrays hold a row for each token. */
export interface HiddenLayer {
  readonly name: string;
  readonly kind: string;
  /** Columns of `states` and `cells`. */
  readonly size: number;
  /** How many of them the small cell of a Skim layer writes; the first ones. */
  readonly smallSize?: number;
  readonly states: Float32Array;
  readonly cells?: Float32Array;
  readonly gates?: Readonly<Record<string, Float32Array>>;
  /** Of a Skim layer: what the decision weighs, read first and then skim. */
  readonly logits?: Float32Array;
}

/** A reading seen from inside. */
export interface Hidden {
  readonly tokens: readonly Token[];
  readonly layers: readonly HiddenLayer[];
  /** Tokens by labels: the prediction if the text ended there. */
  readonly scores: Float32Array;
}

/** A reading of `text` from inside; null where the engine does not offer that. */
export function look(model: RemoteModel, text: string, options: ReadOptions): Promise<Hidden> | null {
  const inside = model as RemoteModel & { hidden?(text: string, options: ReadOptions): Promise<Hidden> };
  return inside.hidden?.(text, options) ?? null;
}
