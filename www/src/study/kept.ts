/** What no address carries, kept by the tab while the page loads anew. */

import { tooLong, wordy, type View, type Wordy } from "./view.ts";

/** Beside what is too long for a link: the sentences of the chapter Batch, and which of its programs is the visitor's own. */
const names = [...wordy, "sentences", "own code"] as const;
type Name = (typeof names)[number];

const keyOf = (name: Name) => `saccade:${name}`;

/** Keeps a value, and nothing of what was kept before; null keeps none. */
export function remember(name: Name, value: string | null): void {
  try {
    // First, since storage that is full keeps what it has.
    sessionStorage.removeItem(keyOf(name));
    if (value !== null) sessionStorage.setItem(keyOf(name), value);
  } catch {
    // Storage is refused, or full.
  }
}

/** Whether the page was loaded again or come back to; one opened by a link begins with what the link says. */
export function isAgain(): boolean {
  const [entry] = performance.getEntriesByType("navigation") as PerformanceNavigationTiming[];
  return entry?.type === "reload" || entry?.type === "back_forward";
}

/** What was kept, for the page that was loaded again. */
export function recall(name: Name): string | null {
  if (!isAgain()) return null;
  try {
    return sessionStorage.getItem(keyOf(name));
  } catch {
    // Storage is refused.
    return null;
  }
}

/** Keeps a text and a program that are too long for a link. */
export function keep(view: View): void {
  const long = tooLong(view);
  for (const field of wordy) remember(field, long.includes(field) ? (view[field] ?? "") : null);
}

/** The text and the program that were kept; a page that a link has opened forgets all that was. */
export function kept(): Pick<View, Wordy> {
  if (!isAgain()) for (const name of names) remember(name, null);
  return Object.fromEntries(wordy.flatMap((field) => {
    const value = recall(field);
    return value === null ? [] : [[field, value]];
  }));
}
