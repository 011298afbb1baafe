/**
 * Prose as the files of strings have it: `*stressed*`, `**strong**`, `[what can be pressed](name)`, `[a link](https://…)`, and
 * `{name}` for what is not the page's own, such as a word of the visitor's.
 */

export type Piece =
  | { readonly kind: "plain" | "em" | "strong"; readonly text: string }
  | { readonly kind: "value"; readonly name: string }
  | { readonly kind: "link" | "press"; readonly to: string; readonly label: readonly Piece[] };

const MARKS = /\*\*(.+?)\*\*|\*(.+?)\*|\[(.+?)\]\((.+?)\)|\{(\w+)\}/g;

/** The pieces of a sentence, in their order. */
export function pieces(prose: string): Piece[] {
  const found: Piece[] = [];
  let end = 0;
  for (const match of prose.matchAll(MARKS)) {
    const [all, strong, em, label, to, name] = match;
    if (match.index > end) found.push({ kind: "plain", text: prose.slice(end, match.index) });
    if (strong !== undefined) found.push({ kind: "strong", text: strong });
    else if (em !== undefined) found.push({ kind: "em", text: em });
    else if (name !== undefined) found.push({ kind: "value", name });
    else if (label !== undefined && to !== undefined) {
      found.push({ kind: to.startsWith("https:") ? "link" : "press", to, label: pieces(label) });
    }
    end = match.index + all.length;
  }
  if (end < prose.length) found.push({ kind: "plain", text: prose.slice(end) });
  return found;
}
