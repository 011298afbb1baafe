/** The engine's types, as `crate/src/web` declares them and wasm-bindgen writes them. */
export type {
  Decision,
  EngineError,
  Flops,
  LayerConfig,
  Model,
  ModelConfig,
  Reading,
  ReadOptions,
  Score,
  Timing,
  Token,
  Training,
  Watch,
} from "./pkg/saccade_rnn.js";
