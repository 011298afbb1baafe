/** What waits for what in a layer that reads a text, in floating-point operations. */

import { cellFlops, skimCost, type SkimCost } from "../study/flops.ts";
import { HIDDEN, INPUT, SMALL } from "./runner.ts";

export type Lane = "lstm" | "skim" | "sru";

/** A product, or a step of a scan: from when to when, if each operation takes as long. */
export interface Block {
  readonly from: number;
  readonly to: number;
  /** Ahead: waits for no other word. Large, small, scan: a link of the chain. */
  readonly kind: "ahead" | "large" | "small" | "scan";
  readonly word: number;
}

/** Of SRU's scan, for each number of the memory: two gates of a product, two sums and a sigmoid each, and two mixtures. */
const SCAN = 14;

/** Operations of one word that wait for nothing, and of its link in the chain. */
export function costOf(lane: Lane, decision: "read" | "skim"): { readonly ahead: number; readonly link: number } {
  if (lane === "sru") return { ahead: cellFlops("sru", INPUT, HIDDEN).word, link: SCAN * HIDDEN };
  if (lane === "lstm") {
    const { word, state } = cellFlops("lstm", INPUT, HIDDEN);
    return { ahead: word, link: state };
  }
  const cost: SkimCost = skimCost({ cell: "lstm", input: INPUT, hidden: HIDDEN, small: SMALL, smallReads: SMALL });
  return { ahead: 2 * (cost.decision + cost.smallInput), link: 2 * (decision === "read" ? cost.read : cost.skimmed) };
}

/** The blocks of a text: what waits for nothing first, all at once or one after the other, then the chain. */
export function blocksOf(lane: Lane, decisions: readonly ("read" | "skim")[], atOnce: boolean): Block[] {
  const blocks: Block[] = [];
  let from = 0;
  const costs = decisions.map((decision) => costOf(lane, decision));
  for (const [word, { ahead }] of costs.entries()) {
    blocks.push({ from, to: from + ahead, kind: "ahead", word });
    if (!atOnce) from += ahead;
  }
  if (atOnce) from = costs[0]?.ahead ?? 0;
  for (const [word, { link }] of costs.entries()) {
    const kind = lane === "sru" ? "scan" : lane === "skim" && decisions[word] === "skim" ? "small" : "large";
    blocks.push({ from, to: from + link, kind, word });
    from += link;
  }
  return blocks;
}

/** When the last block ends. */
export const endOf = (blocks: readonly Block[]): number => blocks.reduce((end, { to }) => Math.max(end, to), 0);
