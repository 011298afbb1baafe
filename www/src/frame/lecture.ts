/** What a key asks for while somebody lectures: the arrows, and what remote controls send, go from scene to scene. */

export type Intent = "next" | "previous" | "prose" | "leave";

const intents: Readonly<Record<string, Intent>> = {
  ArrowRight: "next",
  PageDown: "next",
  ArrowLeft: "previous",
  PageUp: "previous",
  p: "prose",
  P: "prose",
  Escape: "leave",
};

/** What has a use for the arrows and for letters; `data-arrows` marks what is none of the browser's own. */
const BUSY = "input, select, textarea, [data-arrows]";

/** What of that is only pressed or pulled: what remote controls send is not meant for it. */
const PULLED = "input:is([type=radio], [type=checkbox], [type=range])";

/** Whom Escape is not meant for. */
const WRITTEN = `select, textarea, input:not(${PULLED})`;

/** What these keys scroll while it has the focus itself. */
const SCROLLS = "[data-scrolls]";

/** Null where the key is meant for something else. */
export function intentOf(event: KeyboardEvent): Intent | null {
  const { key, target } = event;
  if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return null;
  if (target instanceof Element) {
    const freed = key === "Escape" ? !target.matches(WRITTEN) : key.startsWith("Page") && target.matches(PULLED);
    if (!freed && (target.closest(BUSY) || target.matches(SCROLLS))) return null;
  }
  return intents[key] ?? null;
}
