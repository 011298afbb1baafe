/** Surprisals of several models on the same characters, side by side. */

/** What is needed of a token that a model scored. */
export interface Scored {
  readonly start: number;
  readonly end: number;
  /** Its surprisal; none of a token that nothing predicts. */
  readonly bits?: number;
}

/** A character of the text, and its surprisal in each model. */
export interface Column {
  /** As it stands in the text. */
  readonly text: string;
  /** In the order of the models; NaN where a model did not predict it. */
  readonly bits: readonly number[];
}

/** Characters with their surprisals in all models, which have the same tokenizer. */
export function columnsOf(text: string, scores: readonly (readonly Scored[])[]): Column[] {
  const [first = []] = scores;
  return first.map(({ start, end }, at) => ({ text: text.slice(start, end), bits: scores.map((tokens) => tokens[at]?.bits ?? Number.NaN) }));
}

/** How far apart the models are at a character, in bits. */
export const apart = ({ bits }: Column): number => Math.max(...bits) - Math.min(...bits);

/** The place at which the models differ most, the first of equals; -1 where nothing was predicted. */
export function widest(columns: readonly Column[]): number {
  let [best, most] = [-1, Number.NEGATIVE_INFINITY];
  for (const [at, column] of columns.entries()) {
    const far = apart(column);
    if (far > most) [best, most] = [at, far];
  }
  return best;
}

/** Rows of at most so many. */
export function rowsOf<T>(items: readonly T[], most: number): T[][] {
  const size = Math.max(1, most);
  return Array.from({ length: Math.ceil(items.length / size) }, (_, row) => items.slice(row * size, (row + 1) * size));
}
