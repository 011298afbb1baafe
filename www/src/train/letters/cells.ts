/** Networks that write letter by letter, with about as many weights as one another beside their tables. */

import type { PredictSettings } from "../engine.ts";

export const cells = ["lstm", "gru", "sru", "elman"] as const;
export type Cell = (typeof cells)[number];

type Encoder = PredictSettings["model"]["encoder"];

export const encoders: Readonly<Record<Cell, Encoder>> = {
  lstm: [{ type: "lstm", hiddenSize: 96 }],
  gru: [{ type: "gru", hiddenSize: 112 }],
  sru: [{ type: "sru", hiddenSize: 108, numLayers: 2 }],
  elman: [{ type: "elman", hiddenSize: 200 }],
};
