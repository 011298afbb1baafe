import { Network, type Thought } from "./network.ts";
import { parser } from "./parser.svelte.ts";
import { sentences } from "./strings.ts";

/** Parsers that think at once, a sentence each. */
class Thinking {
  stage: "idle" | "loading" | "thinking" | "parsed" | "failed" = $state("idle");
  failure: string | null = $state(null);
  /** The words of each sentence, and what their parsers did. */
  found: { readonly words: readonly (readonly string[])[]; readonly thought: Thought } | null = $state.raw(null);
  #network: Network | null = null;

  async start(): Promise<void> {
    if (this.stage === "loading" || this.stage === "thinking") return;
    [this.stage, this.failure] = ["loading", null];
    try {
      const { file, parse } = await parser.ready();
      // The parser's tokens alone: the trees are for the program in JavaScript to find.
      const words = (await parse(sentences)).map(({ tokens }) => tokens.map(({ text }) => text));
      this.stage = "thinking";
      const network = (this.#network ??= new Network(file));
      this.found = { words, thought: await network.think(words) };
      this.stage = "parsed";
    } catch (error) {
      [this.stage, this.failure] = ["failed", error instanceof Error ? error.message : String(error)];
    }
  }
}

/** The page's one: what was found stays while other chapters are open. */
export const thinking = new Thinking();
