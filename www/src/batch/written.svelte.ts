import { recall, remember } from "../study/kept.ts";
import { parser } from "./parsers/parser.svelte.ts";
import { examples } from "./scene/strings.ts";
import { linesOf, MOST_LINES, plainOf, treeOfHeads, type Grown, type Lines } from "./trees.ts";

/** Sentences as they are to begin with. */
export const first = examples.join("\n");

/** The visitor's sentences and their trees, which all scenes of the chapter have. */
class Written {
  text = $state(recall("sentences") ?? first);
  /** What the visitor had written before others took its place, to which a way leads back. */
  draft: string | null = $state(null);
  /** Whether the parser grows the trees, whatever the brackets; until it has, they do. */
  grown = $state(false);
  failure: string | null = $state(null);
  /** Trees that the parser grew, by their sentence without brackets. */
  #trees: ReadonlyMap<string, Grown> = $state.raw(new Map());
  readonly lines: Lines = $derived(linesOf(this.text, (sentence) => (this.grown ? this.#trees.get(plainOf(sentence)) : undefined)));
  /** What is to be parsed. */
  readonly #missing: readonly string[] = $derived(
    this.text.split("\n").map(plainOf).filter((sentence) => sentence !== "").slice(0, MOST_LINES).filter((sentence) => !this.#trees.has(sentence)),
  );
  /** What was to be parsed when that was asked last. */
  #asked: readonly string[] = [];
  /** Whether all trees are the parser's. */
  readonly parsed: boolean = $derived(this.grown && this.#missing.length === 0);

  /** Brings back what the visitor had written, else the first sentences; what is written now is led back to then. */
  swap(): void {
    const { text, draft } = this;
    const nothing = [first, draft].includes(text) || text.trim() === "";
    [this.text, this.draft] = [draft ?? first, nothing ? null : text];
  }

  /** Keeps what is written, and has the parser grow what is missing, as long as it is asked to; called while a component is made. */
  follow(): void {
    $effect(() => remember("sentences", this.text === first ? null : this.text));
    $effect(() => {
      const missing = this.#missing;
      if (!this.grown || missing.length === 0) return;
      void this.grow(missing);
    });
  }

  /** Has the parser grow trees; of what is asked for while it is on its way, the latest alone. */
  async grow(missing: readonly string[]): Promise<void> {
    this.#asked = missing;
    this.failure = null;
    try {
      const { parse } = await parser.ready();
      if (this.#asked !== missing) return;
      const all = await parse(missing);
      const trees = all.map(({ tokens }, at): [string, Grown] => {
        const sentence = missing[at] ?? "";
        return [sentence, { tree: treeOfHeads(tokens) ?? { word: sentence }, words: tokens.length }];
      });
      this.#trees = new Map([...this.#trees, ...trees]);
    } catch (error) {
      this.failure = error instanceof Error ? error.message : String(error);
      this.grown = false;
    }
  }
}

/** The page's one: what was written stays while other chapters are open. */
export const written = new Written();
