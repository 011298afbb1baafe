/** Calls about many texts with one worker and with two, in turns, in whatever place has the package. */

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

const reads = (given) => (model, options) => model.readAll(given, options);
const streams = (name, given) => (model, options) => gathered(model[name](given, options));

/** What is timed, by the name of the model. */
export const work = {
  "imdb-skim-lstm": reads(texts(800, 250)),
  "imdb-lstm": reads(texts(200, 250)),
  "sst2-lstm": reads(texts(2400, 20)),
  "sst2-sru": reads(texts(2400, 20)),
  "novels-lm": streams("scoreAll", texts(40, 100)),
  "ewt-tagger": streams("tagAll", texts(300, 20)),
  "ewt-parser": streams("parseAll", texts(200, 20)),
  "sst-tree-lstm": streams("classifyAll", trees(500, 20)),
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
