/**
 * A network that has to remember: which of two letters a text began with is asked after its last letter. How much of the error
 * there reaches each state before is the gradient of zeros that are added to the states.
 */

import { Adam, Parameters, type Expression } from "../../../../js/src/graph/index.ts";
import { random, type Draw } from "../shared/random.ts";
import { CLIP, type Cell, type Learned, type Options } from "./sizes.ts";

/** Texts a step; numbers of a state and of a letter; letters that a text may begin with, and others. */
const [TEXTS, UNITS, WIDTH, FIRST, OTHERS] = [16, 24, 8, 2, 4];
const RATE = 0.01;
/** Fresh biases of forget gates, and the other sign of an LSTM's input gates: sigmoid(4) is 0.98, so that a memory lasts. */
const KEEP = 4;

/** The part of a cell's state that goes on from letter to letter without a product, or all there is of it. */
const memory = { elman: "h", lstm: "c", sru: "c" } as const;

type State = Readonly<Record<string, Expression>>;
type Step = { (x: Expression, state?: State): { readonly output: Expression; readonly state: State } };

export class Network {
  readonly #cell: Cell;
  readonly #options: Options;
  readonly #parameters: Parameters;
  readonly #table;
  readonly #step: Step;
  readonly #out;
  readonly #adam: Adam;
  readonly #draw: Draw;
  #begun: Promise<void> | undefined;

  constructor(cell: Cell, options: Options) {
    [this.#cell, this.#options, this.#draw] = [cell, options, random(options.seed)];
    const parameters = (this.#parameters = new Parameters({ seed: options.seed }));
    this.#table = parameters.embedding("letters", FIRST + OTHERS, WIDTH);
    this.#step = parameters[cell]("cell", WIDTH, UNITS).step as unknown as Step;
    this.#out = parameters.linear("out", UNITS, FIRST);
    this.#adam = new Adam(parameters, { rate: RATE, ...(options.clip && { clip: CLIP }) });
  }

  /** Learns from a few texts; no gradient goes back over more than `reach` letters. */
  async learn(reach: number): Promise<Learned> {
    await (this.#begun ??= this.#begin());
    const { length } = this.#options;
    const texts = Array.from({ length: TEXTS }, () => this.#text());
    const { gradients, right, norms } = await this.#parameters.run(
      async (graph) => {
        const [all, added]: [{ state?: State; output?: Expression }[], Expression[][]] = [texts.map(() => ({})), []];
        for (let at = 0; at < length; at++) {
          if (at === length - reach && at > 0) await Promise.all(all.map(async (one) => (one.state = await cut(one.state ?? {}))));
          const zeros: Expression[] = [];
          for (const [text, one] of all.entries()) {
            const { output, state } = this.#step(this.#table(graph, [texts[text]?.[at] ?? 0]), one.state);
            // After the last letter the answer is given, and no state is handed on.
            const kept = at < length - 1 ? this.#opened(state, graph.variable(1, UNITS), zeros) : state;
            all[text] = { output, state: kept };
          }
          if (at < length - 1) added.push(zeros);
        }
        const answers = all.map(({ output }) => this.#out(output as Expression));
        const loss = graph.mean(answers.map((answer, text) => answer.crossEntropy([texts[text]?.[0] ?? 0])));
        const gradients = await graph.backward(loss);
        const found = await Promise.all(added.map((zeros) => Promise.all(zeros.map((zero) => zero.gradient()))));
        const values = await graph.values(answers);
        return { gradients, right: share(values, texts), norms: found.map((gradients) => gradients.reduce((sum, gradient) => sum + Math.hypot(...gradient), 0)) };
      },
      { training: true, seed: 0 },
    );
    const norm = await this.#adam.step(gradients);
    const last = norms.at(-1) ?? 0;
    return { right, norm, sizes: norms.reverse().map((size) => (last > 0 ? size / last : 0)) };
  }

  dispose(): void {
    this.#adam.dispose();
    this.#parameters.dispose();
  }

  /** A state with zeros added to its memory. */
  #opened(state: State, zero: Expression, zeros: Expression[]): State {
    const name = memory[this.#cell];
    zeros.push(zero);
    return { ...state, [name]: (state[name] as Expression).add(zero) };
  }

  /** Letters by number. */
  #text(): number[] {
    return Array.from({ length: this.#options.length }, (_, at) => (at === 0 ? Math.floor(this.#draw() * FIRST) : FIRST + Math.floor(this.#draw() * OTHERS)));
  }

  async #begin(): Promise<void> {
    if (this.#cell === "lstm") await this.#change("cell.bias_ih_l0", (bias) => bias.fill(-KEEP, 0, UNITS).fill(KEEP, UNITS, 2 * UNITS));
    if (this.#cell === "sru") await this.#change("cell.rnn_lst.0.bias", (bias) => bias.fill(KEEP, 0, UNITS));
    if (this.#cell === "elman") await this.#change("cell.weight_hh_l0", (weights) => weights.map((weight) => weight * this.#options.scale));
  }

  async #change(name: string, make: (values: Float32Array) => Float32Array): Promise<void> {
    await this.#parameters.set(name, make(await this.#parameters.values(name)));
  }
}

/** The state as numbers, over which no gradient goes. */
async function cut(state: State): Promise<State> {
  const parts = Object.entries(state).map(async ([name, part]) => [name, part.graph.input(part.rows, part.columns, await part.value())] as const);
  return Object.fromEntries(await Promise.all(parts));
}

/** How many texts have the larger number at their first letter. */
function share(values: readonly Float32Array[], texts: readonly (readonly number[])[]): number {
  const right = values.filter((value, text) => value.indexOf(Math.max(...value)) === texts[text]?.[0]);
  return right.length / texts.length;
}
