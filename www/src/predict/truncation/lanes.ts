/** A text cut into lanes, which are read side by side, and into chunks, at whose ends the gradient stops. */

/** A text of so many words, cut. Each lane has as many words as the others; each word but the last has one that follows it. */
export interface Lanes {
  readonly lanes: number;
  /** Words of a chunk, the last of which may have fewer. */
  readonly steps: number;
  /** Words of each lane. */
  readonly length: number;
  /** How often the weights change in an epoch: once a chunk, for all lanes together. */
  readonly updates: number;
  /** Words at the end of the text that would not fill all lanes, and whose successors nobody guesses. */
  readonly left: number;
}

/** Where a word stands. */
export interface Place {
  readonly lane: number;
  /** Counted in its lane. */
  readonly step: number;
  readonly chunk: number;
}

/** Earlier words, from the first to before the last. */
type Range = readonly [from: number, to: number];

/** What the error of a guess can change. */
export interface Reach {
  /** Words, the one that the guess is made at included, that the gradient reaches. */
  readonly taught: Range;
  /** Words that the state still tells of, as values: no gradient goes there. */
  readonly carried: Range;
}

/** Cuts a text of so many words; the last word has no successor to guess, so that no lane reads it. */
export function cut(words: number, lanes: number, steps: number): Lanes {
  const length = Math.floor(Math.max(0, words - 1) / lanes);
  return { lanes, steps, length, updates: Math.ceil(length / steps), left: Math.max(0, words - 1) - lanes * length };
}

/** Where a word stands; null of one that no lane reads. */
export function placeOf({ lanes, steps, length }: Lanes, word: number): Place | null {
  if (word >= lanes * length) return null;
  const step = word % length;
  return { lane: Math.floor(word / length), step, chunk: Math.floor(step / steps) };
}

/** What the error of the guess at a word, of the word after it, can change; null where no guess is made. */
export function reach(of: Lanes, word: number): Reach | null {
  const place = placeOf(of, word);
  if (!place) return null;
  const begin = word - place.step;
  const border = begin + place.chunk * of.steps;
  return { taught: [border, word + 1], carried: [begin, border] };
}

/** How many words a guess can teach, on average over all guesses of an epoch. */
export function meanReach({ steps, length }: Lanes): number {
  const sums = (words: number) => (words * (words + 1)) / 2;
  return length === 0 ? 0 : (Math.floor(length / steps) * sums(steps) + sums(length % steps)) / length;
}

/** Of an LSTM, for each number of its state: four gates, the memory, and the state. */
const KEPT = 6;
/** Bytes of a number. */
const BYTES = 4;

/** Bytes that are kept from the way forward until the gradient has come back, in an LSTM of so many units. */
export const keptBytes = ({ lanes, steps, length }: Lanes, units: number): number => lanes * Math.min(steps, length) * KEPT * units * BYTES;

/** Bytes that go from a chunk to the next: of each lane the memory and the state. */
export const carriedBytes = ({ lanes }: Lanes, units: number): number => lanes * 2 * units * BYTES;
