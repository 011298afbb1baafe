/**
 * The page's parser once more, as a program in JavaScript: layers with the names and sizes of its file, and a loop over one
 * sentence that waits for the scores of what it may do next. Its equations are those of `crate/src/model/head/parse.rs`.
 */

import { Parameters, type Explanation, type Expression, type Graph } from "../../../../js/src/graph/index.ts";
import { parse as parseFile } from "../../study/safetensors.ts";
import { allowed, begun, isDone, looksAt, moved, type Move, type State } from "./transitions.ts";

/** What of its config such a parser is made by. */
interface Config {
  readonly vocabulary: readonly string[];
  readonly embedding_size: number;
  readonly encoder: readonly { readonly hidden_size: number }[];
  readonly task: {
    readonly parse: {
      readonly tag: {
        readonly labels: readonly string[];
        readonly characters: { readonly alphabet: readonly string[]; readonly embedding_size: number; readonly hidden_size: number };
      };
      readonly relations: readonly string[];
      readonly tag_size: number;
      readonly layers: readonly { readonly hidden_size: number }[];
      readonly hidden_size: number;
    };
  };
}

/** What of a sentence a parser looks at: the third, second and first word of the stack, and the buffer's front. */
const SLOTS = [0, 1, 2, 3] as const;

/** A sentence that is being parsed, as it stands when all wait. */
export interface Waiting {
  readonly sentence: number;
  readonly state: State;
  /** What it does once it has the scores. */
  readonly move: Move;
}

/** What many parsers did: at every await those that waited, and what the engine ran for all of them. */
export interface Parses {
  readonly awaits: readonly (readonly Waiting[])[];
  /** Of every sentence the head of each word, by number; the root has the number of words. */
  readonly heads: readonly (readonly number[])[];
  readonly explanation: Explanation;
}

export class Network {
  readonly #parameters = new Parameters();
  readonly #words: ReadonlyMap<string, number>;
  readonly #letters: ReadonlyMap<string, number>;
  readonly #relations: number;
  readonly #read: (graph: Graph, words: readonly string[]) => Expression[];
  readonly #scores: (...parts: [Expression, Expression, Expression, Expression]) => Expression;
  readonly #file: Uint8Array;
  #loaded: Promise<void> | null = null;

  /** Of a parser's file: the page's own, of one layer in both directions before and after the tags. */
  constructor(file: Uint8Array) {
    const config = JSON.parse(parseFile(file).metadata["saccade"] ?? "{}") as Config;
    const { tag, relations, tag_size, layers, hidden_size } = config.task.parse;
    const { alphabet, embedding_size, hidden_size: spelt } = tag.characters;
    const numbered = (all: readonly string[]) => new Map(all.map((one, number) => [one, number]));
    [this.#words, this.#letters, this.#relations, this.#file] = [numbered(config.vocabulary), numbered(alphabet), relations.length, file];
    const p = this.#parameters;
    const both = { bidirectional: true } as const;
    const [first, second] = [config.encoder[0]?.hidden_size ?? 0, layers[0]?.hidden_size ?? 0];
    const words = p.embedding("embedding", config.vocabulary.length, config.embedding_size);
    const letters = p.embedding("characters.embedding", alphabet.length, embedding_size);
    const spelling = p.lstm("characters.lstm", embedding_size, spelt, both);
    const encoder = p.lstm("encoder.0", config.embedding_size + 2 * spelt, first, both);
    const tags = p.linear("head.tags", 2 * first, tag.labels.length);
    const vectors = p.parameter("head.tag_vectors.weight", tag_size, tag.labels.length);
    const layer = p.lstm("head.layers.0", 2 * first + tag_size, second, both);
    const edges = p.embedding("head.edges", 2, 2 * second);
    const slots = SLOTS.map((slot) => p.parameter(`head.slots.${slot}.weight`, hidden_size, 2 * second));
    const bias = p.parameter("head.slots.bias", hidden_size);
    const transitions = p.linear("head.transitions", hidden_size, 1 + 2 * relations.length);
    this.#read = (graph, sentence) => {
      const spelled = sentence.map((word) => {
        const { forward, backward } = spelling(letters(graph, [...word].map((letter) => this.#letters.get(letter) ?? 0)));
        return graph.concatColumns([forward.h, backward.h]);
      });
      const ids = sentence.map((word) => this.#words.get(word.toLowerCase()) ?? 0);
      const rows = encoder(graph.concatColumns([words(graph, ids), graph.concatRows(spelled)])).output;
      const tagged = graph.concatColumns([rows, tags(rows).softmax().affine(vectors)]);
      const all = graph.concatRows([layer(tagged).output, edges(graph, [0, 1])]);
      return slots.map((weight, slot) => (slot === 0 ? all.affine(weight, bias) : all.affine(weight)));
    };
    // One node a decision, and so one launch an await.
    this.#scores = p.cell("scores", SLOTS.map(() => hidden_size), (a: Expression, b: Expression, c: Expression, d: Expression) =>
      transitions(a.add(b).add(c.add(d)).tanh()),
    );
  }

  /** Parses sentences of words, all at once: a loop each, which stops at every decision. */
  async parse(sentences: readonly (readonly string[])[]): Promise<Parses> {
    await (this.#loaded ??= this.#parameters.load(this.#file.slice()));
    const awaits: Waiting[][] = [];
    return this.#parameters.run(async (graph) => {
      const heads = await graph.join(
        sentences.map(async (words, sentence) => {
          const parts = this.#read(graph, words);
          let state = begun(words.length);
          for (let at = 0; !isDone(state); ) {
            const before = state;
            const moves = allowed(state);
            let move: Move;
            if (moves.length === 1 && moves[0]) {
              // A sentence that is parsed asks for nothing, so nobody waits for it.
              [move] = moves as [Move];
            } else {
              const looks = looksAt(state);
              const seen = parts.map((part, slot) => part.row(looks[slot] ?? 0)) as [Expression, Expression, Expression, Expression];
              const scores = await this.#scores(...seen).value();
              move = this.#best(scores, moves);
              (awaits[at] ??= []).push({ sentence, state: before, move });
              at += 1;
            }
            state = moved(state, move);
          }
          return state.heads;
        }),
      );
      return { awaits, heads, explanation: await graph.explain() };
    });
  }

  /** The move of the highest score: of SHIFT, then LEFT by every relation, then RIGHT. */
  #best(scores: Float32Array, moves: readonly Move[]): Move {
    const relations = this.#relations;
    const of: Readonly<Record<Move, Float32Array>> = {
      shift: scores.subarray(0, 1),
      left: scores.subarray(1, 1 + relations),
      right: scores.subarray(1 + relations),
    };
    return moves.reduce((best, move) => (Math.max(...of[move]) > Math.max(...of[best]) ? move : best));
  }

  dispose(): void {
    this.#parameters.dispose();
  }
}
