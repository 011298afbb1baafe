/**
 * The loops of `src/loops/layers.rs` on the package's graphs, forward only, wherever the package runs: in Node (`loops.mjs`) and in
 * a page (`loops-page.mjs`). FORMs are tree-cells, tagger, tagger-whole, letters and letters-whole.
 */

const BATCH = 64;
const [WORDS, LETTERS] = [20_000, 300];
const [WORD, TREE, STATE, HIDDEN, LETTER, TAGS, LABELS] = [128, 128, 50, 32, 20, 17, 5];
const INNER = 2 ** 32 - 1;

/** Label and word of every node, children before their parent. */
function treesIn(numbers) {
  const trees = [];
  for (let at = 0; at < numbers.length; ) {
    const count = numbers[at++];
    trees.push(Array.from({ length: count }, () => ({ label: numbers[at++], word: numbers[at++] })));
  }
  return trees;
}

/** Number, tag and letters (if the word is read by them) of every word. */
function sentencesIn(numbers) {
  const sentences = [];
  for (let at = 0; at < numbers.length; ) {
    const count = numbers[at++];
    const word = () => {
      const [id, tag, letters] = numbers.subarray(at, (at += 3));
      return { id, tag, letters: numbers.subarray(at, (at += letters)) };
    };
    sentences.push(Array.from({ length: count }, word));
  }
  return sentences;
}

/** A binary Tree-LSTM with a loss at every node. */
function treeOfCells(parameters) {
  const words = parameters.embedding("words", WORDS, WORD);
  const weight = (name, rows, columns) => parameters.parameter(name, rows, columns);
  const gates = ["i", "o", "u"];
  const [leaves, inners] = [["leaf", WORD], ["inner", 2 * TREE]].map(([name, columns]) => gates.map((gate) => weight(`${name}.${gate}`, TREE, columns)));
  const forget = ["left", "right"].map((name) => weight(`${name}.f`, TREE, TREE));
  const bias = ["i", "o", "u", "f"].map((gate) => parameters.parameter(`bias.${gate}`, TREE));
  const output = weight("output", LABELS, TREE);
  const three = (weights, x) => [0, 1, 2].map((gate) => x.affine(weights[gate], bias[gate]));
  const leaf = parameters.cell("leaf", [WORD], (x) => {
    const [i, o, u] = three(leaves, x);
    const c = i.sigmoid().multiply(u.tanh());
    return [o.sigmoid().multiply(c.tanh()), c];
  });
  const merge = parameters.cell("merge", [TREE, TREE, TREE, TREE], (left, leftC, right, rightC) => {
    const [i, o, u] = three(inners, left.graph.concatColumns([left, right]));
    const kept = (h, c, side) => h.affine(forget[side], bias[3]).sigmoid().multiply(c);
    const c = i.sigmoid().multiply(u.tanh()).add(kept(left, leftC, 0)).add(kept(right, rightC, 1));
    return [o.sigmoid().multiply(c.tanh()), c];
  });
  return (graph, nodes, losses) => {
    const states = [];
    for (const { label, word } of nodes) {
      const right = word === INNER ? states.pop() : undefined;
      const state = right ? merge(...states.pop(), ...right) : leaf(words(graph, [word]));
      losses.push(state[0].affine(output).crossEntropy([label]));
      states.push(state);
    }
  };
}

/** A tagger that reads a sentence in both directions, and rare words letter by letter. */
function tagger(parameters, whole) {
  const words = parameters.embedding("words", WORDS, WORD);
  const letters = parameters.embedding("letters", LETTERS, LETTER);
  const both = (name, input, size) =>
    whole ? parameters.lstm(name, input, size, { bidirectional: true }) : ["there", "back"].map((way) => parameters.lstm(`${name}.${way}`, input, size));
  const [spelling, reader] = [both("spelling", LETTER, WORD / 2), both("reader", WORD, STATE)];
  const [hidden, output] = [parameters.parameter("hidden", HIDDEN, 2 * STATE), parameters.parameter("output", TAGS, HIDDEN)];
  const scores = (rows) => rows.affine(hidden).tanh().affine(output);
  const read = (lstm, rows) => {
    let state;
    return rows.map((row) => {
      const step = lstm.step(row, state);
      state = step.state;
      return step.output;
    });
  };
  /** The states after every row, in the order of the rows, of both directions. */
  const steps = ([there, back], rows) => [read(there, rows), read(back, rows.toReversed()).reverse()];
  const spell = (graph, word) => {
    if (whole) {
      const { forward, backward } = spelling(letters(graph, word.letters));
      return graph.concatColumns([forward.h, backward.h]);
    }
    const [there, back] = steps(spelling, Array.from(word.letters, (letter) => letters(graph, [letter])));
    return graph.concatColumns([there.at(-1), back[0]]);
  };
  if (!whole) {
    return (graph, sentence, losses) => {
      const rows = sentence.map((word) => (word.letters.length > 0 ? spell(graph, word) : words(graph, [word.id])));
      const [there, back] = steps(reader, rows);
      sentence.forEach(({ tag }, i) => losses.push(scores(graph.concatColumns([there[i], back[i]])).crossEntropy([tag])));
    };
  }
  return (graph, sentence, losses) => {
    const rows = [];
    // Words that follow one another in the table are looked up as one value.
    let known = [];
    const look = () => {
      if (known.length > 0) rows.push(words(graph, known));
      known = [];
    };
    for (const word of sentence) {
      if (word.letters.length === 0) {
        known.push(word.id);
        continue;
      }
      look();
      rows.push(spell(graph, word));
    }
    look();
    const x = rows.length === 1 ? rows[0] : graph.concatRows(rows);
    losses.push(scores(reader(x).output).crossEntropy(sentence.map(({ tag }) => tag)));
  };
}

/** Takes minibatches of a file's examples by their numbers; each resolves to its milliseconds and its loss. */
export async function minibatches(Parameters, form, strategy, numbers) {
  const parameters = new Parameters({ seed: 1 });
  const isTree = form.startsWith("tree");
  const record = isTree ? treeOfCells(parameters) : tagger(parameters, form.endsWith("-whole"));
  const examples = isTree ? treesIn(numbers) : sentencesIn(numbers);
  await parameters.names();
  return async (number) => {
    const begun = performance.now();
    const loss = await parameters.run(
      async (graph) => {
        const losses = [];
        for (const example of examples.slice(BATCH * number, BATCH * (number + 1))) record(graph, example, losses);
        const [value] = await graph.concatRows(losses).sumRows().value();
        return value;
      },
      { strategy: strategy.toLowerCase() },
    );
    return `${performance.now() - begun} ${loss}`;
  };
}
