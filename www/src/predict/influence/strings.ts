/** What the scene of influences says. */

export const influence = {
  title: "Which words a guess hung on",
  prose: [
    "**Press a word.** The network then guesses it again and again, each time with one of the earlier words left out. If it is more surprised without that word, the word had helped.",
    "The number under an earlier word says by how many bits: **+1** means that the guess was twice as likely with the word as without it. A minus means that the word had led it astray.",
  ],
  empty: "There is no word to guess yet. Type something, or pick a beginning at the top.",
  group: "The text: press a word to see what its guess hung on",
  target: (word: string) => `${word}: the word that was guessed`,
  label: (word: string, bits: string, hinders: boolean) => `${word}: ${bits} bits, ${hinders ? "led it astray" : "helped"}`,
  told: (word: string, target: string, bits: string, hinders: boolean) =>
    `${bits} bits: “${word}” made “${target}” ${hinders ? "less" : "more"} likely.`,
  strongest: (target: string, words: readonly string[]) => `The guess of “${target}” hung most on ${list(words)}.`,
  first: "Nothing comes before the first word.",
  none: (target: string) => `No single word changed the guess of “${target}” by much.`,
  nearest: (count: string) => `Only the ${count} words before it are left out in turn.`,
  stop: "Stop",
  stopped: (count: number, of: number) => `Stopped after ${count} of ${of}.`,
  progress: "Words left out so far",
  more: "made the guess likelier",
  less: "made it less likely",
};

const list = (words: readonly string[]) => new Intl.ListFormat("en").format(words);
