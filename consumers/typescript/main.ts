/** Wrong use does not compile: every error that is expected here must be one. Compiled by a test, never run. */

import { devices, init, load, Lstm, type Model, type Reading, SaccadeError, type Score, Skim, Sru, type Tagger } from "saccade-rnn";
import { Adam, type Expression, Parameters } from "saccade-rnn/graph";
import "saccade-rnn/inline";
import "saccade-rnn/structure";
import { train, type Training } from "saccade-rnn/train";
import "saccade-rnn/train/worker-entry";
import { load as loadInWorker, terminate } from "saccade-rnn/worker";
import "saccade-rnn/worker-entry";

async function right(signal: AbortSignal) {
  await init({ variant: "simd", wasm: new URL("https://example.org/a.wasm") });
  using model: Model = await load("/model.safetensors", { task: "classify", device: "auto", signal, onProgress: ({ done, total }) => done / (total ?? 1) });
  const reading: Reading = await model.read("a film", { threshold: 0.5, force: { 0: "skim" } });
  const probability: number | null | undefined = reading.tokens[0]?.skimProbability;
  for await (const token of model.stream("a film")) token.decision satisfies "read" | "skim";
  const remote: Model = await loadInWorker(new Uint8Array(), { task: "classify" });
  const layer = await Lstm.random({ inputSize: 1, hiddenSize: 2, bidirectional: true });
  const { output, state } = await layer.forward(new Float32Array(3));
  const { logits } = await (await Skim.random({ inputSize: 1, hiddenSize: 2, smallSize: 1 })).forward(output);
  const sru = await Sru.fromSafetensors(new ArrayBuffer(8), { prefix: "rnn.", v1: true });
  await sru.forward(output, { state: { c: state.c } });
  const again = await layer.forward([[1], [2]], { state: [state.h, state.c], lengths: Int32Array.of(1, 1) });
  await layer.forward([1], { state: again });
  await sru.forward(output, { state: state.c });
  await model.read("a film", { force: new Map([[0, "skim"]]) });
  await model.read("a film", { force: ["skim", "read"] });
  await model.readAll(new Set(["a film"]), { workers: "auto" });
  using tagger = await load("/tagger.safetensors", { task: "tag", wasmUrl: "/saccade_structure_bg.wasm" });
  const tags: string[] = (await tagger.tag("a film", { signal })).tokens.map(({ tag }) => tag);
  const parser = await loadInWorker("/parser.safetensors", { task: "parse" });
  for (const { tokens } of await parser.parse([...tags])) tokens[0]?.head satisfies number | null | undefined;
  async function* later() {
    yield "( ( a) ( film))";
  }
  const trees = await load("/trees.safetensors", { task: "tree" });
  for await (const { root } of trees.classifyAll(later(), { device: "cpu", workers: 2 })) root?.children[0]?.scores satisfies readonly Score[] | undefined;
  const parsing = { parser: await load("/parser.safetensors", { task: "parse" }), workers: 2 };
  for await (const { roots } of trees.classifyAll(tags, parsing)) roots[0]?.token.relation satisfies string | undefined;
  // @ts-expect-error Without a parser there are no sentences.
  void (await trees.classify("a film")).roots;
  const { webgpu } = await devices();
  terminate();
  return [probability, remote, logits, webgpu.reason satisfies string | null];
}

async function wrong(model: Model, tagger: Tagger) {
  // @ts-expect-error A tagger does not read.
  await tagger.read("a film");
  // @ts-expect-error The answer to many is many.
  (await tagger.tag(["a film"])).tokens;
  // @ts-expect-error One text is no stream.
  tagger.tagAll("a film");
  // @ts-expect-error Nothing is skimmed.
  await tagger.tag("a film", { threshold: 0.5 });
  // @ts-expect-error An address is no number.
  await load(3);
  // @ts-expect-error There is no such device.
  await load("/m", { device: "gpu" });
  // @ts-expect-error Weights are not kept in that way.
  await load("/m", { precision: "f16" });
  // @ts-expect-error There is no such option.
  await load("/m", { devices: "cpu" });
  // @ts-expect-error A text is a string.
  await model.read(["a film"]);
  // @ts-expect-error A decision is to read or to skim.
  await model.read("a film", { force: { 0: "skip" } });
  // @ts-expect-error There is no such number of workers.
  await model.readAll(["a film"], { workers: "many" });
  // @ts-expect-error One text is for one.
  await model.read("a film", { workers: 2 });
  // @ts-expect-error Decisions are of one text.
  await model.readAll(["a film"], { force: { 0: "skim" } });
  const reading = await model.read("a film");
  // @ts-expect-error A reading is not to be changed.
  reading.label = "positive";
  // @ts-expect-error A token may be absent.
  reading.tokens[0].text.length;
  // @ts-expect-error It is null in a model that does not skim.
  reading.tokens[0]?.skimProbability.toFixed();
  // @ts-expect-error The types are not any.
  reading.nonsense;
  // @ts-expect-error A string gives its letters, one after the other.
  await model.readAll("a film");
  // @ts-expect-error A layer computes rows of numbers.
  await (await Lstm.random({ inputSize: 1, hiddenSize: 1 })).forward(["1"]);
  // @ts-expect-error Sizes are needed.
  await Lstm.random({ inputSize: 1 });
  // @ts-expect-error An LSTM has no such choice.
  await Lstm.fromSafetensors(new Uint8Array(), { v1: true });
  const layer = await Lstm.random({ inputSize: 1, hiddenSize: 1 });
  // @ts-expect-error An LSTM's state has a memory.
  await layer.forward(new Float32Array(1), { state: { h: new Float32Array(1) } });
  // @ts-expect-error An LSTM's state is no h alone.
  await layer.forward(new Float32Array(1), { state: new Float32Array(1) });
  // @ts-expect-error It has no threshold.
  await layer.forward(new Float32Array(1), { threshold: 0.5 });
  // @ts-expect-error It does not decide.
  (await layer.forward(new Float32Array(1))).logits;
  try {
    await model.read("a film");
  } catch (error) {
    if (!(error instanceof SaccadeError)) throw error;
    // @ts-expect-error There is no such code.
    return error.code === "TIRED";
  }
  return right;
}

export { right, wrong };

async function graphs() {
  const parameters = new Parameters({ seed: 1 });
  const [words, out] = [parameters.embedding("words", 10, 4), parameters.linear("out", 4, 2)];
  const lstm = parameters.lstm("lstm", 4, 4);
  const both = parameters.gru("gru", 4, 4, { bidirectional: true });
  const swap = parameters.cell("swap", [4, 4], (x, y) => [y.tanh(), x]);
  const adam = new Adam(parameters, { rate: 0.01 });
  adam.rate /= 2;
  const loss: number = await adam.learn((graph) => graph.mean([out(lstm(words(graph, [1, 2])).state.h).crossEntropy([0])]), { device: "webgpu" });
  const read = await parameters.run(async (graph) => {
    const { output, state } = lstm.step(words(graph, [1]));
    const [h, c]: readonly [Expression, Expression] = swap(state.h, state.c);
    const { forward, backward } = both(graph.concatRows([output, h, c]));
    const values: Float32Array[] = await graph.join([forward.h.value(), backward.h.value()]);
    const [row, score]: [Float32Array, number] = await graph.join([forward.h.value(), out(h).scalar()]);
    const settled = await graph.join([out(h).scalar()], { settled: true });
    // @ts-expect-error A GRU has no memory.
    forward.c;
    // @ts-expect-error Steps go in one direction.
    both.step;
    // @ts-expect-error A cell has as many operands as its function.
    swap(h);
    // @ts-expect-error The graph comes first.
    words([1]);
    // @ts-expect-error A number is no expression.
    h.add(1);
    // @ts-expect-error There is no such order.
    await parameters.run(() => 1, { strategy: "breadth" });
    return [values[0]?.[0], settled[0]?.status, row[0], score] as const;
  });
  // @ts-expect-error A loss is an expression.
  await adam.learn(() => 3);
  // @ts-expect-error Adam has no momentum.
  new Adam(parameters, { momentum: 0.9 });
  return [loss, read[0], right, wrong];
}

export { graphs };

async function training() {
  const model = { encoder: [{ type: "lstm", hiddenSize: 2 }] } as const;
  using run = train([{ text: "a film", label: "good" }], { task: "classify", model });
  for await (const event of run) {
    if (event.type === "evaluated") event.dev.skimRate satisfies number;
    if (event.type === "ended") event.test?.accuracy satisfies number | undefined;
    // @ts-expect-error A classifier has no perplexity.
    if (event.type === "evaluated") event.dev.perplexity;
  }
  const { dev } = await run.finish();
  // @ts-expect-error Its figures at the end have none either.
  dev.perplexity;
  const reading: Reading = await (await run.model()).read("a film");
  // @ts-expect-error A classifier does not tag.
  (await run.model()).tag;
  const writer = train("a film", { task: "predict", model });
  const written: number = (await writer.finish()).dev.perplexity;
  for await (const { piece } of (await writer.model()).generate("a")) piece satisfies string;
  const tagger = train({ train: [{ words: ["a"], tags: ["DET"] }] }, { task: "tag", model });
  const tagged: number = (await tagger.finish()).dev.unknownAccuracy;
  (await tagger.model()) satisfies Tagger;
  const runs: readonly Training[] = [run, writer, tagger];
  return [dev.accuracy, reading, written, tagged, runs];
}

export { training };
