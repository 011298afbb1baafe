import { Network, type Parses } from "./network.ts";
import { parser } from "./parser.svelte.ts";
import { sentences } from "./strings.ts";

/** Parsers that run at once, a sentence each. */
class Runs {
  stage: "idle" | "loading" | "parsing" | "parsed" | "failed" = $state("idle");
  failure: string | null = $state(null);
  /** The words of each sentence, and what their parsers did. */
  found: { readonly words: readonly (readonly string[])[]; readonly parses: Parses } | null = $state.raw(null);
  #network: Network | null = null;

  async start(): Promise<void> {
    if (this.stage === "loading" || this.stage === "parsing") return;
    [this.stage, this.failure] = ["loading", null];
    try {
      const { file, parse } = await parser.ready();
      // The parser's tokens alone: the trees are for the program in JavaScript to find.
      const words = (await parse(sentences)).map(({ tokens }) => tokens.map(({ text }) => text));
      this.stage = "parsing";
      const network = (this.#network ??= new Network(file));
      this.found = { words, parses: await network.parse(words) };
      this.stage = "parsed";
    } catch (error) {
      [this.stage, this.failure] = ["failed", error instanceof Error ? error.message : String(error)];
      // It would wait for ever for what did not come, or ask an engine that is dead.
      this.#network?.dispose();
      this.#network = null;
    }
  }
}

/** The page's one: what was found stays while other chapters are open. */
export const runs = new Runs();
