/**
 * Programs of trees on the engine of this page: its graphs, which come when they are first asked for. The weights are random,
 * because a schedule does not depend on what a network knows.
 */

import { Parameters, type Expression, type Graph } from "../../../js/src/graph/index.ts";
import type { Step } from "./program.ts";
import type { Explain, Launch } from "./schedule.ts";

/** Numbers in a state, rows that are looked up, and guesses to choose from. */
const [SIZE, TABLE, GUESSES] = [16, 64, 5];

const parameters = new Parameters({ seed: 1 });
const table = parameters.embedding("table", TABLE, SIZE);
const out = parameters.linear("out", SIZE, GUESSES);

/** A cell that makes one state of two. */
function pair(name: string) {
  const [left, right] = [parameters.linear(`${name}.left`, SIZE, SIZE), parameters.linear(`${name}.right`, SIZE, SIZE)];
  return parameters.cell(name, [SIZE, SIZE], (a: Expression, b: Expression) => left(a).add(right(b)).tanh());
}

const [letter, join] = [pair("letter"), pair("join")];
const leaf = parameters.linear("word", SIZE, SIZE);
const word = parameters.cell("word", [SIZE], (x: Expression) => leaf(x).tanh());

/** A row for a word or a letter. */
const rowOf = (text: string) => [...text].reduce((sum, character) => (31 * sum + (character.codePointAt(0) ?? 0)) % TABLE, 7);

/** The loop: what each step records, with the results of those it needs. */
function record(graph: Graph, program: readonly Step[]): Expression[] {
  const made: Expression[] = [];
  for (const { kind, needs, text } of program) {
    const [a, b] = needs.map((need) => made[need]);
    if (kind === "look") made.push(table(graph, [rowOf(text)]));
    else if (kind === "guess" && a) made.push(out(a));
    else if (kind === "word" && a) made.push(word(a));
    else if (a && b) made.push((kind === "letter" ? letter : join)(a, b));
  }
  return made;
}

export const explain: Explain = (program, strategy) =>
  parameters.run(
    async (graph) => {
      const made = record(graph, program);
      const stepOf = new Map(made.map(({ number }, step) => [number, step]));
      await graph.values(made);
      const { batches, lowerBound } = await graph.explain();
      const launches = batches.map(({ expressions, alone, split }): Launch => {
        const nodes = expressions.flatMap((number) => stepOf.get(number) ?? []);
        return { nodes, alone, split };
      });
      return { lowerBound, launches };
    },
    { strategy },
  );
