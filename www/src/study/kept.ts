/** What no address carries, kept by the tab while the page loads anew. */

import { tooLong, wordy, type View } from "./view.ts";

/**
 * Beside texts and programs: the address that has yet to say them, the sentences of the chapter Batch, and which of its programs
 * is the visitor's own.
 */
const names = [...wordy, "address", "sentences", "own code"] as const;
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

/** Keeps a text and a program that are too long for a link, or that the address, as it is, has yet to say. */
export function keep(view: View, address: string | null): void {
  const which = address === null ? tooLong(view) : wordy;
  for (const field of wordy) remember(field, which.includes(field) ? (view[field] ?? null) : null);
  remember("address", address);
}

/** What an address says, with the text and the program that were kept; a page that a link has opened forgets all that was. */
export function restored(view: View, address: string): View {
  if (!isAgain()) for (const name of names) remember(name, null);
  const here = recall("address") === address;
  const restored = { ...view };
  for (const field of wordy) {
    const value = recall(field);
    if (value !== null && (here || (view[field] === undefined && tooLong({ [field]: value }).length > 0))) restored[field] = value;
  }
  // They count the words of the address's text.
  if (restored.text !== view.text) delete restored.force, delete restored.at;
  return restored;
}
