/** PyTorch's `nn.AdaptiveLogSoftmaxWithLoss`, from a `state_dict`. */

import { softmax, softmaxRows } from "./arguments/softmax.js";
import type { Engine, MadeSoftmax } from "./engine.js";
import type { From } from "./layers.js";
import { Owner } from "./owner.js";
import { about, fileIn } from "./source.js";
import type { Counts, Disposes, FileSource, Rows } from "./types.js";

/** What is known of an adaptive softmax. Its tensors tell it; what is given is held against the file. */
export interface KnownSoftmax {
  /** The first word of every tail, as in PyTorch. */
  readonly cutoffs?: Counts | undefined;
  /** How many times narrower each tail is than the one before it. */
  readonly divValue?: number | undefined;
}

/** What computing took. */
export interface SoftmaxTiming {
  readonly device: "cpu";
  /** Wall time in milliseconds. */
  readonly totalMs: number;
}

/** What is found of rows. */
interface OfRows {
  /** How many logits were computed for each row: those of the head, and of the tails that its answer depends on. */
  readonly rowsComputed: Uint32Array;
  readonly timing: SoftmaxTiming;
}

/** PyTorch's `log_prob`. */
export interface LogProbs extends OfRows {
  /** `rows x words`. */
  readonly logProb: Float32Array;
}

/** The most probable words of every row, the most probable first; of equals the one with the lower number. */
export interface TopWords extends LogProbs {
  /** `rows x k`. */
  readonly words: Uint32Array;
}

/** PyTorch's `forward`. */
export interface SoftmaxLoss extends OfRows {
  /** The log-probability of each row's target. */
  readonly output: Float32Array;
  /** Minus their mean. */
  readonly loss: number;
}

/** A distribution over words for every row, computed on the CPU. */
export interface AdaptiveSoftmaxLayer extends Disposes {
  readonly inputSize: number;
  /** How many words there are (`n_classes`). */
  readonly words: number;
  /** The first word of every tail. */
  readonly cutoffs: readonly number[];
  /** Log-probabilities of all words: every tail is computed for every row. */
  logProb(x: Rows): Promise<LogProbs>;
  /** The most probable word of every row, exactly: a tail is computed only where it could have that word. */
  predict(x: Rows): Promise<TopWords>;
  /** The `k` most probable words of every row, exactly; all words if there are no more. */
  topK(x: Rows, k: number): Promise<TopWords>;
  /** Log-probabilities of a word for every row, and the mean loss: each row has the tail of its own word computed, at most. */
  loss(x: Rows, targets: Counts): Promise<SoftmaxLoss>;
}

/** The kind of layer. */
export interface AdaptiveSoftmaxKind {
  /**
   * With the weights of a safetensors file: `head.weight`, `head.bias` if there is one, `tail.0.0.weight` and so on. Tensors
   * with another prefix are left alone. Rejects with a `MODEL_` code if they are not those of such a layer.
   */
  fromSafetensors(file: FileSource | PromiseLike<FileSource>, choices?: From & KnownSoftmax): Promise<AdaptiveSoftmaxLayer>;
}

class LoadedSoftmax extends Owner implements AdaptiveSoftmaxLayer {
  readonly inputSize: number;
  readonly words: number;
  readonly cutoffs: readonly number[];
  readonly #given: ReturnType<typeof softmaxRows>;

  constructor(engine: Engine, { id, inputSize, ends }: MadeSoftmax) {
    super(engine, id, "layer");
    this.inputSize = inputSize;
    this.words = ends.at(-1) ?? 0;
    this.cutoffs = ends.slice(0, -1);
    this.#given = softmaxRows(inputSize, this.words);
  }

  async logProb(...given: unknown[]): Promise<LogProbs> {
    const [x] = this.#given.logProb(given);
    const { values, rest } = await this.#ask(x, 0);
    return { logProb: values, ...rest };
  }

  async predict(...given: unknown[]): Promise<TopWords> {
    const [x] = this.#given.predict(given);
    return this.#top(x, 1);
  }

  async topK(...given: unknown[]): Promise<TopWords> {
    const [x, k] = this.#given.topK(given);
    return this.#top(x, k);
  }

  async loss(...given: unknown[]): Promise<SoftmaxLoss> {
    const [x, targets] = this.#given.loss(given);
    const { values, rest } = await this.#ask(x, 0, targets);
    return { output: values, loss: -values.reduce((sum, value) => sum + value, 0) / values.length, ...rest };
  }

  async #top(x: Float32Array, k: number): Promise<TopWords> {
    const { values, words, rest } = await this.#ask(x, k);
    return { words, logProb: values, ...rest };
  }

  async #ask(x: Float32Array, top: number, targets?: Uint32Array) {
    const [values, words, rowsComputed, totalMs] = await this.call("words", [x, top, targets], {});
    return { values, words, rest: { rowsComputed, timing: { device: "cpu", totalMs } as const } };
  }
}

/** The kind, on an engine. @internal */
export function adaptiveSoftmaxOf(engine: Engine): AdaptiveSoftmaxKind {
  return {
    async fromSafetensors(...given: unknown[]) {
      const [source, { prefix = "", precision = "f32", cutoffs, divValue }] = softmax.fromSafetensors(given);
      const file = await fileIn(source, { by: "fromSafetensors", cache: false }, {});
      await engine.call("start", [{}]);
      const args = [file.bytes, prefix, cutoffs && Uint32Array.from(cutoffs), divValue, precision] as const;
      const made = engine.call("softmax", [...args], {}, [file.bytes.buffer]);
      return new LoadedSoftmax(engine, await made.catch(about(file)));
    },
  };
}
