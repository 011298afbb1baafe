/** Layers without a text model: from a PyTorch `state_dict`, or with weights drawn from a seed. */

import { adaptiveSoftmaxOf } from "./adaptive-softmax.js";
import { forward, layers } from "./arguments/layers.js";
import type { Parts } from "./arguments/rows.js";
import type { Calls, Choices, Engine, LayerName, LayerValues, MadeLayer, Reason } from "./engine.js";
import { errorOf } from "./errors.js";
import { Owner } from "./owner.js";
import { about, fileIn } from "./source.js";
import type {
  Computed,
  FileSource,
  ForwardOptions,
  HiddenState,
  LstmState,
  Precision,
  SequenceLayer,
  SkimComputed,
  SkimForwardOptions,
  SkimState,
  SruState,
} from "./types.js";
import { reasonInWords } from "./words.js";

/** How weights are kept. */
export interface Kept {
  /** By the CPU; `f32` unless told otherwise. */
  readonly precision?: Precision | undefined;
}

/** Sizes of fresh layers. */
export interface Sizes extends Kept {
  readonly inputSize: number;
  readonly hiddenSize: number;
  /** Of the weights; 0 unless given. */
  readonly seed?: number;
}

/** Sizes of a fresh Elman network, LSTM or GRU, as `torch.nn` names them. */
export interface RecurrentSizes extends Sizes {
  readonly numLayers?: number;
  readonly bidirectional?: boolean;
  readonly bias?: boolean;
}

/** What an Elman network's tensors do not say. */
export interface ElmanChoices {
  /** `tanh` unless given, as in `torch.nn.RNN`. */
  readonly nonlinearity?: "tanh" | "relu";
}

/** What an SRU's tensors do not say, with the names and defaults of the `sru` package. */
export interface SruChoices {
  /** The first version, whose gates do not see the memory; false unless given. */
  readonly v1?: boolean;
  /** Whether the highway is scaled; unless given, a stored layer has it as its file says, and a fresh one has not. */
  readonly rescale?: boolean;
  /** Whether a layer's input is added to its output; true unless given. */
  readonly hasSkipTerm?: boolean;
  /** Whether the memory passes through tanh; false unless given. */
  readonly useTanh?: boolean;
  /** Whether the backward direction is there; false unless given. */
  readonly bidirectional?: boolean;
  /** Whether it is a layer's output that is normalised, where there is layer normalisation; false unless given. */
  readonly normalizeAfter?: boolean;
}

/** Sizes of a fresh SRU. */
export interface SruSizes extends Sizes, SruChoices {
  readonly numLayers?: number;
  readonly layerNorm?: boolean;
  readonly projectionSize?: number;
}

/** Sizes of a fresh Skim layer. */
export interface SkimSizes extends Sizes {
  /** Columns that skimming updates; 0 skips. */
  readonly smallSize: number;
  /** `lstm` unless given. */
  readonly cell?: "lstm" | "gru";
  /** What the small cell sees of the state: its own `slice` unless given, or `all`. */
  readonly smallReads?: "slice" | "all";
}

/** Where the tensors are in the file. */
export interface From extends Kept {
  /** What their names begin with: `encoder.rnn.`; unless given, the file must have only one such layer, which is found. */
  readonly prefix?: string;
}

/** Sizes of a stored layer. The tensors tell them; what is given is held against the file. */
export type KnownSizes = Partial<Omit<RecurrentSizes, "seed" | "precision">>;

/** The same of an LSTM. */
export interface KnownLstmSizes extends KnownSizes {
  /** Columns of h, where it is projected to fewer than c has. */
  readonly projSize?: number;
}

/** The same of an SRU. */
export type KnownSruSizes = Partial<Pick<SruSizes, "inputSize" | "hiddenSize" | "numLayers" | "layerNorm" | "projectionSize">>;

/** The same of a Skim layer. */
export type KnownSkimSizes = Partial<Omit<SkimSizes, "seed" | "precision">>;

/** A kind of layer. */
export interface LayerKind<Fresh, Choices, State, Out = Computed<State>, Options = ForwardOptions<State>> {
  /** With weights drawn as the original draws them. */
  random(sizes: Fresh): Promise<SequenceLayer<State, Out, Options>>;
  /**
   * With the weights of a safetensors file. Sizes are read off the tensors' shapes; tensors with another prefix are left
   * alone. Rejects with a `MODEL_` code if they are not those of such a layer: the message names all that differ, or the
   * layers that the file has.
   */
  fromSafetensors(file: FileSource | PromiseLike<FileSource>, choices?: From & Choices): Promise<SequenceLayer<State, Out, Options>>;
}

const NONE = new Float32Array();
const AS_ASKED: Reason = { code: "cpuAsked" };

class Loaded<State, Out, Options> extends Owner implements SequenceLayer<State, Out, Options> {
  readonly inputSize: number;
  readonly outputSize: number;
  readonly #parts: Parts;
  readonly #columns: readonly number[];
  readonly #skims: boolean;
  readonly #given: ReturnType<typeof forward>;

  constructor(engine: Engine, type: LayerName, made: MadeLayer) {
    const { id, inputSize, outputSize, stateParts, stateColumns } = made;
    super(engine, id, "layer");
    this.inputSize = inputSize;
    this.outputSize = outputSize;
    this.#parts = [...stateParts] as ("h" | "c")[];
    this.#skims = type === "skim";
    this.#columns = stateColumns;
    this.#given = forward(this.#skims, inputSize, this.#parts, stateColumns);
  }

  async forward(...given: unknown[]): Promise<Out> {
    const [x, { state, device, threshold, lengths, force, profile, signal }] = this.#given(given);
    const rows = x.length / this.inputSize;
    const sum = lengths?.reduce((all, length) => all + length, 0) ?? rows;
    if (sum !== rows) throw errorOf("OPTION_INVALID", `forward: options.lengths: expected a sum of ${rows} rows, found ${sum}`);
    // The engine would begin with zeros.
    if (state?.length === 0 && lengths?.length !== 0) throw errorOf("OPTION_INVALID", "forward: options.state: it has no numbers");
    const many = lengths?.length === 1 ? undefined : lengths;
    const options = { device, threshold, lengths: many, force, profile };
    return this.#computed(rows, await this.call("forward", [x, state ?? NONE, options], { signal }));
  }

  #computed(rows: number, [values, bits, reason = AS_ASKED]: LayerValues): Out {
    const end = rows * this.outputSize;
    const skims = this.#skims ? 3 * rows : 0;
    const rowsOfAll = (values.length - skims - end) / this.#columns.reduce((sum, columns) => sum + columns, 0);
    const state: { h?: Float32Array; c?: Float32Array } = {};
    let at = end;
    this.#parts.forEach((part, i) => {
      const begin = at;
      at += rowsOfAll * (this.#columns[i] ?? 0);
      state[part] = values.subarray(begin, at);
    });
    const figures = new Float64Array(bits.buffer, bits.byteOffset, bits.length / 2);
    const [totalMs, spent, full, reduction] = figures;
    const computed = {
      output: values.subarray(0, end),
      state,
      flops: { spent, full, reduction },
      timing: figures.length > OF_CPU ? onGpu(figures) : { device: "cpu", totalMs },
      deviceReason: reasonInWords(reason, { what: "input", done: "computed", units: "rows" }),
    };
    if (!this.#skims) return computed as Out;
    const decided = values.length - rows;
    return { ...computed, logits: values.subarray(decided - 2 * rows, decided), decisions: values.subarray(decided) } as Out;
  }
}

/** How many figures there are of a run on the CPU. */
const OF_CPU = 4;

function onGpu(figures: Float64Array): object {
  const [totalMs, , , , dispatches, submissions, bytesMoved, kernelMs] = figures;
  return { device: "webgpu", totalMs, dispatches, submissions, bytesMoved, ...(kernelMs !== undefined && { kernelMs }) };
}

/** A kind of layer. */
function kind<Fresh extends Sizes, Known, State, Out = Computed<State>, Options = ForwardOptions<State>>(
  engine: Engine,
  type: LayerName,
): LayerKind<Fresh, Known, State, Out, Options> {
  const make = async (args: Parameters<Calls["layer"]>, transfer: readonly Transferable[] = []) => {
    await engine.call("start", [{}]);
    return new Loaded<State, Out, Options>(engine, type, await engine.call("layer", args, {}, transfer));
  };
  return {
    async random(...given: unknown[]) {
      const [{ seed = 0, precision = "f32", ...choices }] = layers[type].random(given);
      return make([{ choices: choices as Choices, seed }, type, precision]);
    },
    async fromSafetensors(...given: unknown[]) {
      const [source, { prefix = "", precision = "f32", ...choices }] = layers[type].fromSafetensors(given);
      const file = await fileIn(source, { by: "fromSafetensors", cache: false }, {});
      const { bytes } = file;
      return make([{ bytes, prefix, choices: choices as Choices }, type, precision], [bytes.buffer]).catch(about(file));
    },
  };
}

/** Every kind of layer, on an engine. @internal */
export function layersOf(engine: Engine) {
  return {
    Elman: kind<RecurrentSizes & ElmanChoices, KnownSizes & ElmanChoices, HiddenState>(engine, "elman"),
    Lstm: kind<RecurrentSizes, KnownLstmSizes, LstmState>(engine, "lstm"),
    Gru: kind<RecurrentSizes, KnownSizes, HiddenState>(engine, "gru"),
    Sru: kind<SruSizes, KnownSruSizes & SruChoices, SruState>(engine, "sru"),
    Skim: kind<SkimSizes, KnownSkimSizes, SkimState, SkimComputed<SkimState>, SkimForwardOptions<SkimState>>(engine, "skim"),
    AdaptiveSoftmax: adaptiveSoftmaxOf(engine),
  };
}
