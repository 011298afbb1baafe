/** Words by how often they occur and how often they are read, and where their names fit. */

import type { WordCount } from "./data.svelte.ts";

export interface Dot {
  readonly word: string;
  readonly count: number;
  readonly read: number;
  readonly x: number;
  readonly y: number;
  readonly decision: "read" | "skim";
}

/** Where a name is written; none where it would lie across another. */
export interface Label {
  readonly word: string;
  readonly x: number;
  readonly y: number;
  readonly anchor: "start" | "end" | "middle";
}

export interface Box {
  readonly left: number;
  readonly right: number;
  readonly top: number;
  readonly bottom: number;
}

/**
 * A share stretched at both ends, where most words are: 0 at one half. What was never read among n is placed where half a
 * reading would be, as n occurrences say no more than that.
 */
export function stretched(read: number, count: number): number {
  const share = (read + 0.5) / (count + 1);
  return Math.log(share / (1 - share));
}

/** The dots of a table's words in a frame. */
export function dotsOf(words: readonly WordCount[], frame: Box, most: number): Dot[] {
  const unique = [...new Map(words.map((word) => [word.word, word])).values()];
  const counts = unique.map(({ count }) => Math.log(count));
  const [least, greatest] = [Math.min(...counts), Math.max(...counts)];
  return unique.map(({ word, count, skimmed }) => {
    const read = count - skimmed;
    return {
      word,
      count,
      read,
      x: frame.left + ((Math.log(count) - least) / (greatest - least || 1)) * (frame.right - frame.left),
      y: frame.top + (0.5 - Math.max(-1, Math.min(1, stretched(read, count) / most)) / 2) * (frame.bottom - frame.top),
      decision: read * 2 > count ? "read" : "skim",
    };
  });
}

const RADIUS = 4;
const crosses = (a: Box, b: Box) => a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom;

/** Names for as many dots as have room, the most frequent first; none lies across another, a dot, or the edge. */
export function labelsOf(dots: readonly Dot[], edge: Box, widthOf: (word: string) => number, height: number): Label[] {
  const taken: Box[] = dots.map(({ x, y }) => ({ left: x - RADIUS, right: x + RADIUS, top: y - RADIUS, bottom: y + RADIUS }));
  const labels: Label[] = [];
  for (const { word, x, y } of [...dots].sort((a, b) => b.count - a.count)) {
    const width = widthOf(word);
    const [beside, half] = [RADIUS + 2, height / 2];
    const ways = [
      { anchor: "start", x: x + beside, y, left: x + beside },
      { anchor: "end", x: x - beside, y, left: x - beside - width },
      { anchor: "middle", x, y: y - RADIUS - half - 1, left: x - width / 2 },
      { anchor: "middle", x, y: y + RADIUS + half + 1, left: x - width / 2 },
    ] as const;
    for (const way of ways) {
      const box = { left: way.left, right: way.left + width, top: way.y - half, bottom: way.y + half };
      const inside = box.left >= edge.left && box.right <= edge.right && box.top >= edge.top && box.bottom <= edge.bottom;
      if (!inside || taken.some((other) => crosses(other, box))) continue;
      taken.push(box);
      labels.push({ word, x: way.x, y: way.y, anchor: way.anchor });
      break;
    }
  }
  return labels;
}
