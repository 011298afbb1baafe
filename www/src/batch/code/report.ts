/**
 * What a program in the sandbox tells. It is the visitor's, or a link's, and may tell anything: nothing is taken that does not
 * have the shape and size of what is expected.
 */

import type { Batch } from "../../../../js/src/graph/index.ts";

/** A launch, as {@link Batch} has it. */
export type Launch = Pick<Batch, "op" | "lanes" | "alone" | "split">;

/** What the last graph of a program ran. */
export interface Ran {
  /** The first of them. */
  readonly launches: readonly Launch[];
  /** How many there were. */
  readonly count: number;
  readonly nodes: number;
  readonly lowerBound: number;
  /** Which graph of the program it is, from 1. */
  readonly graph: number;
}

export type Message =
  | { readonly type: "logged"; readonly text: string }
  | ({ readonly type: "ran" } & Ran)
  /** With what the program gave, in words. */
  | { readonly type: "ended"; readonly text: string }
  /** The line is that of the program, from 1; null where it is not known. */
  | { readonly type: "failed"; readonly message: string; readonly line: number | null };

/**
 * A program may have so many nodes and numbers in all its graphs, have so many launches of a graph drawn and lines shown, of so many
 * characters each, and tell so often.
 */
export const MOST = { nodes: 50_000, numbers: 2e7, launches: 2000, lines: 100, characters: 2000, messages: 10_000 };

/** A text as far as it is shown. */
export const cut = (text: string): string => (text.length > MOST.characters ? `${text.slice(0, MOST.characters - 1)}…` : text);

type Unknown = Readonly<Record<string, unknown>>;

const isRecord = (found: unknown): found is Unknown => typeof found === "object" && found !== null;
const text = (found: unknown): string | null => (typeof found === "string" ? cut(found) : null);
const count = (found: unknown): number | null => (typeof found === "number" && Number.isSafeInteger(found) && found >= 0 ? found : null);

function launchOf(found: unknown): Launch | null {
  if (!isRecord(found)) return null;
  const [op, lanes] = [text(found["op"]), count(found["lanes"])];
  if (op === null || lanes === null || lanes > MOST.nodes) return null;
  return { op, lanes, alone: text(found["alone"]), split: text(found["split"]) };
}

function ranOf(found: Unknown): Message | null {
  const [nodes, lowerBound, graph, launches] = [count(found["nodes"]), count(found["lowerBound"]), count(found["graph"]), found["launches"]];
  const ran = count(found["count"]);
  if (nodes === null || lowerBound === null || graph === null || ran === null || !Array.isArray(launches)) return null;
  const all = launches.slice(0, MOST.launches).map(launchOf);
  return all.includes(null) ? null : { type: "ran", launches: all as Launch[], count: ran, nodes, lowerBound, graph };
}

/** What was told; null of anything else. */
export function messageOf(found: unknown): Message | null {
  if (!isRecord(found)) return null;
  switch (found["type"]) {
    case "logged":
      return { type: "logged", text: text(found["text"]) ?? "" };
    case "ran":
      return ranOf(found);
    case "ended":
      return { type: "ended", text: text(found["text"]) ?? "" };
    case "failed":
      return { type: "failed", message: text(found["message"]) ?? "", line: count(found["line"]) };
    default:
      return null;
  }
}
