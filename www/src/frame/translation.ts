/**
 * A browser's translator puts a `<font>` where a text stood, and takes the text out of the document or into the `<font>`.
 * Svelte goes on writing to the text that it made, and finds its place by it. So every text comes back, empty, before its
 * translation, which goes when the text is rewritten or removed: the translator then finds the new text as any other.
 */

interface Translated {
  readonly font: Element;
  /** What the text said. */
  readonly said: string;
}

/** Keeps the texts under `root` in their places, whatever a translator does to them; the answer stops that. */
export function followTranslators(root: Node): () => void {
  const translated = new Map<Text, Translated>();
  const textOf = new WeakMap<Element, Text>();

  const forget = (text: Text, { font }: Translated) => {
    translated.delete(text);
    textOf.delete(font);
  };

  function settle(text: Text, font: Element): void {
    const said = text.data;
    // One that was taken into the `<font>` leaves what it says there.
    if (font.contains(text)) text.replaceWith(said);
    font.before(text);
    text.data = "";
    translated.set(text, { font, said });
    textOf.set(font, text);
  }

  /** The `<font>` that stands where a text stood. */
  function inPlaceOf({ addedNodes, previousSibling, nextSibling }: MutationRecord): Element | undefined {
    return [...addedNodes, previousSibling, nextSibling].filter(isFont).find((font) => font.isConnected && !textOf.has(font));
  }

  function removed(node: Node, record: MutationRecord): void {
    if (isFont(node)) {
      const text = textOf.get(node);
      const known = text && translated.get(text);
      if (!known || node.isConnected) return;
      // The original is shown again.
      forget(text, known);
      text.data = known.said;
    } else if (node instanceof Text) {
      const known = translated.get(node);
      if (known) {
        if (node.isConnected && known.font.isConnected) return node.after(known.font);
        forget(node, known);
        known.font.remove();
        // The original was put back.
        if (node.isConnected) node.data = known.said;
      } else if (node.data !== "") {
        const font = inPlaceOf(record);
        if (font && (!node.isConnected || font.contains(node))) settle(node, font);
      }
    }
  }

  function rewritten(text: Node): void {
    const known = text instanceof Text && translated.get(text);
    if (!known) return;
    forget(text, known);
    known.font.remove();
  }

  const observer = new MutationObserver((records) => {
    // A text that a translator takes along and rewrites is not yet one that was translated.
    for (const { type, target } of records) if (type === "characterData") rewritten(target);
    for (const record of records) for (const node of record.removedNodes) removed(node, record);
    // What was done here is nobody else's change.
    observer.takeRecords();
  });
  observer.observe(root, { subtree: true, childList: true, characterData: true });
  return () => observer.disconnect();
}

/** The page itself has none. */
function isFont(node: Node | null): node is Element {
  return node?.nodeName.toLowerCase() === "font";
}
