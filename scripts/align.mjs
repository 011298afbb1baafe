/**
 * Which letter of a word makes which of its sounds. Every letter makes none, one or two, in order; how probable each is for a
 * letter is estimated from all words aligned at their most probable, again and again (Viterbi training).
 */

/** Rounds after which alignments hardly change. */
const ROUNDS = 8;

/** How probable each kind of label is before any word is aligned: the logarithms for none, one and two of 39 sounds. */
const BEFORE = [0.2, 0.75 / 39, 0.05 / 39 ** 2].map(Math.log);
/** What is added to the counts of labels that a letter was not seen with. */
const UNSEEN = [0.1, 1e-3, 1e-4];

const sounds = (label) => (label === "" ? 0 : label.split(" ").length);

/** A label for each letter, those that are most probable together. */
export function align(word, phonemes, logProbability) {
  const columns = phonemes.length + 1;
  const score = new Float64Array((word.length + 1) * columns).fill(-Infinity);
  const taken = new Int8Array(score.length);
  score[0] = 0;
  for (let i = 0; i < word.length; i++) {
    for (let j = 0; j < columns; j++) {
      for (let count = 0; count <= 2 && j + count < columns; count++) {
        const label = phonemes.slice(j, j + count).join(" ");
        const next = score[i * columns + j] + logProbability(word[i], label);
        const at = (i + 1) * columns + j + count;
        if (next > score[at]) [score[at], taken[at]] = [next, count];
      }
    }
  }
  const labels = [];
  for (let i = word.length, j = phonemes.length; i > 0; i--) {
    const count = taken[i * columns + j];
    labels.unshift(phonemes.slice(j - count, j).join(" "));
    j -= count;
  }
  return labels;
}

/** The labels of every word. */
export function alignAll(words) {
  let logProbability = (_, label) => BEFORE[sounds(label)];
  for (let round = 0; round < ROUNDS; round++) {
    const [counts, totals] = [new Map(), new Map()];
    for (const [word, phonemes] of words) {
      for (const [i, label] of align(word, phonemes, logProbability).entries()) {
        const key = `${word[i]} ${label}`;
        counts.set(key, (counts.get(key) ?? 0) + 1);
        totals.set(word[i], (totals.get(word[i]) ?? 0) + 1);
      }
    }
    logProbability = (letter, label) =>
      Math.log(((counts.get(`${letter} ${label}`) ?? 0) + UNSEEN[sounds(label)]) / ((totals.get(letter) ?? 0) + 1));
  }
  return new Map([...words].map(([word, phonemes]) => [word, align(word, phonemes, logProbability)]));
}
