/** The sounds of the CMU Pronouncing Dictionary: 39, without stress. */

/** Each in the International Phonetic Alphabet, as plain letters, and in a word. */
export const phonemes = {
  AA: ["ɑ", "ah", "odd"],
  AE: ["æ", "a", "at"],
  AH: ["ʌ", "uh", "hut"],
  AO: ["ɔ", "aw", "ought"],
  AW: ["aʊ", "ow", "cow"],
  AY: ["aɪ", "eye", "hide"],
  B: ["b", "b", "be"],
  CH: ["tʃ", "ch", "cheese"],
  D: ["d", "d", "do"],
  DH: ["ð", "dh", "thee"],
  EH: ["ɛ", "e", "bed"],
  ER: ["ɝ", "er", "hurt"],
  EY: ["eɪ", "ay", "ate"],
  F: ["f", "f", "fee"],
  G: ["ɡ", "g", "green"],
  HH: ["h", "h", "he"],
  IH: ["ɪ", "i", "it"],
  IY: ["i", "ee", "eat"],
  JH: ["dʒ", "j", "gee"],
  K: ["k", "k", "key"],
  L: ["l", "l", "lee"],
  M: ["m", "m", "me"],
  N: ["n", "n", "knee"],
  NG: ["ŋ", "ng", "ping"],
  OW: ["oʊ", "oh", "oat"],
  OY: ["ɔɪ", "oy", "toy"],
  P: ["p", "p", "pea"],
  R: ["ɹ", "r", "read"],
  S: ["s", "s", "sea"],
  SH: ["ʃ", "sh", "she"],
  T: ["t", "t", "tea"],
  TH: ["θ", "th", "theta"],
  UH: ["ʊ", "oo", "hood"],
  UW: ["u", "oo", "two"],
  V: ["v", "v", "vee"],
  W: ["w", "w", "we"],
  Y: ["j", "y", "yield"],
  Z: ["z", "z", "zoo"],
  ZH: ["ʒ", "zh", "seizure"],
} as const satisfies Record<string, readonly [ipa: string, plain: string, word: string]>;

export type Phoneme = keyof typeof phonemes;

const isPhoneme = (name: string): name is Phoneme => Object.hasOwn(phonemes, name);

/** What the tag of a letter that is not heard is, and what stands between the sounds of one that has two. */
export const [SILENT, JOINT] = ["-", "+"];

/** The sounds of a letter by its tag. */
export const soundsOf = (tag: string): readonly Phoneme[] => tag.split(JOINT).filter(isPhoneme);

/** Sounds in the International Phonetic Alphabet. */
export const ipa = (sounds: readonly Phoneme[]): string => sounds.map((sound) => phonemes[sound][0]).join("");

/** Sounds as plain letters, for who does not read that alphabet. */
export const plain = (sounds: readonly Phoneme[]): string => sounds.map((sound) => phonemes[sound][1]).join("-");

/** How many sounds must be put in, left out or replaced to make `a` of `b`. */
export function distance(a: readonly Phoneme[], b: readonly Phoneme[]): number {
  let row = Array.from({ length: b.length + 1 }, (_, at) => at);
  for (const [i, sound] of a.entries()) {
    const next = [i + 1];
    for (const [j, other] of b.entries()) {
      next.push(Math.min((row[j] ?? 0) + (sound === other ? 0 : 1), (row[j + 1] ?? 0) + 1, (next[j] ?? 0) + 1));
    }
    row = next;
  }
  return row.at(-1) ?? 0;
}
