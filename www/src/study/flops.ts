/** Sizes of layers, and what their steps cost in floating-point operations, as the engine counts them: two for each weight that is multiplied with. */

/** Sizes of a layer that skims, as its model file gives them. */
export interface SkimSizes {
  readonly cell: "lstm" | "gru" | "elman";
  readonly input: number;
  readonly hidden: number;
  readonly small: number;
  /** The small cell reads as much of the state as it writes, or all of it. */
  readonly smallReads: number;
}

/** Rows of weights for each number of the state: an LSTM has four gates, a GRU three. */
export const gatesOf = (cell: SkimSizes["cell"]): number => ({ lstm: 4, gru: 3, elman: 1 })[cell];

/** The sizes of the first layer that skims; null in a model without one. */
export function skimSizes(config: {
  readonly embeddingSize: number;
  readonly encoder: readonly Readonly<Record<string, unknown>>[];
}): SkimSizes | null {
  let input = config.embeddingSize;
  for (const layer of config.encoder) {
    const hidden = Number(layer["hidden_size"]);
    if (layer["type"] === "skim") {
      const cell = layer["cell"] === "gru" || layer["cell"] === "elman" ? layer["cell"] : "lstm";
      const small = Number(layer["small_size"]);
      return { cell, input, hidden, small, smallReads: layer["small_reads"] === "slice" ? small : hidden };
    }
    input = layer["bidirectional"] === true ? 2 * hidden : hidden;
  }
  return null;
}

/** Multiplications of a layer that skims. */
export interface SkimCost {
  /** Of every token: the decision, and the small cell's product with the word. */
  readonly decision: number;
  readonly smallInput: number;
  /** Of a token that is read, and of one that is skimmed, beside that. */
  readonly read: number;
  readonly skimmed: number;
}

export function skimCost({ cell, input, hidden, small, smallReads }: SkimSizes): SkimCost {
  const gates = gatesOf(cell);
  return {
    decision: 2 * (input + hidden),
    smallInput: gates * small * input,
    read: gates * hidden * (input + hidden),
    skimmed: gates * small * smallReads,
  };
}

/** Operations of a text: spent, and of a network that reads every word. */
export function skimFlops(sizes: SkimSizes, read: number, skimmed: number): { readonly spent: number; readonly full: number } {
  const cost = skimCost(sizes);
  const tokens = read + skimmed;
  return {
    spent: 2 * (tokens * (cost.decision + cost.smallInput) + read * cost.read + skimmed * cost.skimmed),
    full: 2 * tokens * cost.read,
  };
}

/** Operations of one word in a layer with so many columns in and of state: of its products with the word, and with the state. */
export function cellFlops(cell: "elman" | "gru" | "lstm" | "sru", input: number, hidden: number): { readonly word: number; readonly state: number } {
  const gates = { elman: 1, gru: 3, lstm: 4, sru: 3 }[cell];
  // SRU's state is multiplied number by number: by v of both gates, by the gates themselves.
  if (cell === "sru") return { word: 2 * gates * hidden * input, state: 0 };
  return { word: 2 * gates * hidden * input, state: 2 * gates * hidden * hidden };
}
