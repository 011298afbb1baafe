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

/** What has a use for these keys itself; `data-arrows` marks what is none of the browser's own. */
const BUSY = "input, select, textarea, [data-arrows]";

/** What these keys scroll while it has the focus itself. */
const SCROLLS = "[data-scrolls]";

/** Null where the key is meant for something else. */
export function intentOf(event: KeyboardEvent): Intent | null {
  const taken = event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey;
  if (taken || (event.target instanceof Element && (event.target.closest(BUSY) || event.target.matches(SCROLLS)))) return null;
  return intents[event.key] ?? null;
}
