/** What the editor of programs says, and the programs to begin with. */

import { plural, whole } from "../../frame/format.ts";

const tree = `const parameters = new Parameters({ seed: 1 });
const words = parameters.embedding("words", 64, 16);
const left = parameters.linear("left", 16, 16), right = parameters.linear("right", 16, 16);
const join = parameters.cell("join", [16, 16], (a, b) => left(a).add(right(b)).tanh());
const guess = parameters.linear("guess", 16, 5);

return parameters.run((graph) => graph.join(trees.map(async (tree) => {
  const grow = ({ word, parts }) => word ? words(graph, [idOf(word)]) : join(...parts.map(grow));
  const scores = await guess(grow(tree)).value();
  return scores.indexOf(Math.max(...scores));
})));`;

const decide = `const parameters = new Parameters({ seed: 5 });
const words = parameters.embedding("words", 64, 16);
const lstm = parameters.lstm("lstm", 16, 16);
const enough = parameters.linear("enough", 16, 1);

return parameters.run((graph) => graph.join(trees.map(async (tree) => {
  let state, read = 0;
  for (const word of wordsOf(tree)) {
    ({ state } = lstm.step(words(graph, [idOf(word)]), state));
    read += 1;
    if (await enough(state.h).scalar() > 0.2) break; // all loops that go on wait here together
  }
  return read + " of " + wordsOf(tree).length + " words";
})));`;

const learn = `const parameters = new Parameters({ seed: 1 });
const words = parameters.embedding("words", 64, 16);
const lstm = parameters.lstm("lstm", 16, 16);
const out = parameters.linear("out", 16, 2);
const adam = new Adam(parameters, { rate: 0.05 });

for (let step = 1; step <= 10; step += 1) {
  const loss = await adam.learn((graph) => graph.mean(trees.map((tree, number) =>
    out(lstm(words(graph, wordsOf(tree).map(idOf))).state.h).crossEntropy([number % 2]))));
  console.log("step " + step + ": " + loss.toFixed(3));
}`;

export const programs = { tree, decide, learn };
export type ProgramName = keyof typeof programs;

export const code = {
  title: "Ten lines that do it",
  prose: [
    "This is all that somebody has to write: a loop over *one* tree, and nothing about batches. Change it, run it, and see what runs together.",
    "`trees` are your sentences from above: a tree is `{ word }` or `{ parts: [left, right] }`. `wordsOf(tree)` lists its words, and `idOf(word)` is a row of a table of 64. The rest is the package `saccade-rnn/graph`.",
    "A program may *wait for a value* and decide by it. All programs that `graph.join` holds go on until each of them waits. Then everything that they asked for is computed at once.",
    "The program runs in a worker that can reach nothing: no network, no storage, nothing of this page. It ends after eight seconds. What comes with a link is shown, and runs only when you start it.",
  ].map((paragraph) => paragraph.replaceAll("`", "*")),
  choose: "Begin with",
  back: "Back to your program",
  backToLinked: "Back to the program of the link",
  programs: { tree: "A tree", decide: "A loop that decides", learn: "Learning" } satisfies Record<ProgramName, string>,
  editor: "The program",
  keys: "Tab indents; press Esc before it to leave. Ctrl or Cmd with Enter runs.",
  linked: "This program came with the link. It has not run yet.",
  run: "Run",
  stop: "Stop",
  running: "It runs…",
  done: "It has run.",
  stopped: "It was stopped.",
  late: (seconds: number) => `It did not end within ${seconds} seconds, and was stopped. Does a loop of it go on for ever, or wait for what never comes?`,
  failed: (message: string, line: number | null) => (line === null ? message : `Line ${line}: ${message}`),
  nothing: "It ran no graph.",
  gave: "It gave",
  wrote: (lines: number, shown: number) => (shown < lines ? `It wrote ${whole(lines)} lines. These are the last ${shown}.` : "It wrote"),
  drawn: (most: number) => `The first ${whole(most)} are drawn.`,
  total: (launches: number, nodes: number) => `${plural(launches, "launch", "launches")} for ${plural(nodes, "node")}`,
  least: (bound: number, launches: number) =>
    launches <= bound ? `No order needs fewer than ${whole(bound)}.` : `With all asked for at once no order would need fewer than ${whole(bound)}; this makes ${whole(launches - bound)} more.`,
  graph: (number: number) => (number > 1 ? `The last of ${whole(number)} graphs:` : ""),
  bound: (bound: number) => `no fewer than ${whole(bound)}`,
  columns: "launches, one after the other",
  rows: "Rows are kinds of node.",
  launch: "Launch",
  value: (at: number, of: number) => `launch ${at} of ${of}`,
  said: (at: number, of: number, lanes: number, op: string) => `Launch ${at} of ${of}: ${plural(lanes, "node")} of “${op}”.`,
};

/** What a program is told that wants too much. */
export const limits = {
  nodes: (most: number) => `a program here may record ${most} nodes, and this one goes on`,
  numbers: (most: number) => `a program here may record ${most} numbers, and this one goes on`,
  messages: (most: number) => `a program here may tell something ${most} times, and this one goes on`,
};
