/** Calls about many texts, and steps of training, with one worker and with two, in turns, in whatever place has the package. */

const WORDS =
  "a quiet generous film it does not hurry and I would not have missed a minute of this strange long winding story told by people who never quite say what they mean though the camera knows better than any of them how little it would take to be kind".split(" ");

/** Texts of so many words in the mean, the same each time. */
function texts(count, words) {
  let seed = 1;
  const random = (n) => (seed = (seed * 48271) % 2147483647) % n;
  const sentence = (length) => Array.from({ length }, () => WORDS[random(WORDS.length)]).join(" ");
  return Array.from({ length: count }, () => {
    const sentences = Math.max(1, Math.round((words * (50 + random(101))) / 100 / 25));
    return Array.from({ length: sentences }, () => `${sentence(Math.min(words, 25))}.`).join(" ");
  });
}

/** Trees whose words are joined from the left. */
function trees(count, words) {
  return texts(count, words).map((text) => text.split(" ").map((word) => `( ${word})`).reduce((left, right) => `( ${left} ${right})`));
}

async function gathered(answers) {
  for await (const _ of answers);
}

const reads = (given) => ({ call: (model, options) => model.readAll(given, options) });
const streams = (name, given) => ({ call: (model, options) => gathered(model[name](given, options)) });

/** Steps that a run of each number of workers goes on by; begun before anything is timed. */
function learns(data, settings, steps) {
  return {
    open({ train }) {
      const runs = new Map();
      return {
        run: (workers) => runs.get(workers) ?? runs.set(workers, train(data, settings, { workers })).get(workers),
        dispose: () => runs.forEach((run) => run.dispose()),
      };
    },
    async call(model, { workers }) {
      let done = 0;
      for await (const { type } of model.run(workers)) if (type === "step" && ++done === steps) break;
    },
  };
}

const letters = (cell, hiddenSize) => ({
  task: "predict",
  data: { tokenizer: { kind: "characters", lowercase: false }, steps: 64 },
  model: { embeddingSize: 64, encoder: [{ type: cell, hiddenSize }] },
  train: { batch: 32, epochs: 1 },
});
const skim = {
  task: "classify",
  model: { embeddingSize: 100, encoder: [{ type: "skim", cell: "lstm", hiddenSize: 100, smallSize: 10 }] },
  train: { batch: 64, epochs: 1000 },
};
const labelled = texts(20_000, 20).map((text) => ({ text, label: text.length % 2 ? "odd" : "even" }));

/** What is timed: of the model of that name, or of runs that `open` makes with `saccade-rnn/train`. */
export const work = {
  "imdb-skim-lstm": reads(texts(800, 250)),
  "imdb-lstm": reads(texts(200, 250)),
  "sst2-lstm": reads(texts(2400, 20)),
  "sst2-sru": reads(texts(2400, 20)),
  "novels-lm": streams("scoreAll", texts(40, 100)),
  "ewt-tagger": streams("tagAll", texts(300, 20)),
  "ewt-parser": streams("parseAll", texts(200, 20)),
  "sst-tree-lstm": streams("classifyAll", trees(500, 20)),
  "train letters, LSTM 128": learns(texts(20_000, 100).join("\n"), letters("lstm", 128), 20),
  "train letters, GRU 256": learns(texts(20_000, 100).join("\n"), letters("gru", 256), 10),
  "train Skim-LSTM 100": learns(labelled, skim, 40),
};

/** Arithmetic that no cache or memory bounds. */
export const SPIN = "const begun = performance.now(); let x = 0; for (let i = 0; i < 1e8; i++) x = (x * 31 + i) | 0;";

/** How long a call takes with one worker and with two, by turn, and so the arithmetic in `spins(count)` threads. */
export async function turns(model, call, spins, rounds) {
  const timed = async (run) => {
    const begun = performance.now();
    await run();
    return performance.now() - begun;
  };
  const ways = [1, 2].map((workers) => () => call(model, { workers }));
  const all = [...ways, () => spins(1), () => spins(2)];
  for (const run of all) await run();
  const rows = [];
  for (let round = 0; round < rounds; round++) {
    const row = Array(4).fill(0);
    const order = round % 2 === 0 ? [0, 1, 2, 3] : [1, 0, 3, 2];
    for (const i of order) row[i] = await timed(all[i]);
    rows.push(row);
  }
  return rows;
}
