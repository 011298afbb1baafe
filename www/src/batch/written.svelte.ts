import { examples } from "./scene/strings.ts";
import { linesOf, type Lines } from "./trees.ts";

/** Sentences as they are to begin with. */
export const first = examples.join("\n");

/** The visitor's sentences, which all scenes of the chapter have. */
class Written {
  text = $state(first);
  readonly lines: Lines = $derived(linesOf(this.text));
}

/** The page's one: what was written stays while other chapters are open. */
export const written = new Written();
