/** What an arc-hybrid parser may do next (Kuhlmann, Gómez-Rodríguez & Satta 2011), as `crate/src/model/parsing/configuration.rs` has it. */

/** The buffer's front goes onto the stack, or the stack's top depends on the front, or on the word below it. */
export type Move = "shift" | "left" | "right";

/** A parser's stack and buffer and its arcs so far: words by number, and behind the last the root. */
export interface State {
  readonly stack: readonly number[];
  readonly front: number;
  readonly words: number;
  /** Of each word its head; -1 of one that has none yet. */
  readonly heads: readonly number[];
}

export const begun = (words: number): State => ({ stack: [], front: 0, words, heads: Array<number>(words).fill(-1) });

export const isDone = ({ stack, front, words }: State): boolean => stack.length === 0 && front === words;

/** What is possible. Where it is one thing, there is nothing to decide. */
export function allowed({ stack, front, words }: State): readonly Move[] {
  const left = front < words;
  if (stack.length === 0) return left ? ["shift"] : [];
  if (!left) return stack.length === 1 ? ["left"] : ["right"];
  return stack.length > 1 ? ["shift", "left", "right"] : ["shift", "left"];
}

export function moved(state: State, move: Move): State {
  const { stack, front, heads } = state;
  if (move === "shift") return { ...state, stack: [...stack, front], front: front + 1 };
  const [below = -1, top = -1] = stack.length > 1 ? stack.slice(-2) : [-1, stack[0]];
  const head = move === "left" ? front : below;
  return { ...state, stack: stack.slice(0, -1), heads: heads.map((known, word) => (word === top ? head : known)) };
}

/** Third, second and first word of the stack, and the buffer's front; behind the root's number stands that of nothing. */
export function looksAt({ stack, front, words }: State): readonly number[] {
  return [3, 2, 1].map((depth) => stack.at(-depth) ?? words + 1).concat(front);
}
