/** Draws a field of dots: those that were computed lit, the likelier the brighter, and the others as faint ones. */

import type { Layout } from "./layout.ts";

type Rgb = readonly [red: number, green: number, blue: number];

/** How much of the ink a dot has that is not lit, and those that are, from the least likely to the likeliest. */
export const [FAINT, DIM, FULL] = [0.2, 0.42, 1];
/** So many times less likely than the likeliest is the least that is told apart, as a power of ten. */
const DECADES = 8;

/** How bright a lit dot is, by its probability. */
export function brightness(probability: number, most: number): number {
  const below = probability > 0 ? Math.log10(most / probability) : DECADES;
  return DIM + (FULL - DIM) * Math.max(0, 1 - below / DECADES) ** 2;
}

/** Of every pixel of a dot how much it covers; a gap of a pixel stays between dots. */
function discOf(cell: number): Float32Array {
  const disc = new Float32Array(cell * cell);
  const [side, middle] = [Math.max(1, cell - 1), (Math.max(1, cell - 1) - 1) / 2];
  for (let y = 0; y < side; y++) {
    for (let x = 0; x < side; x++) {
      const distance = Math.hypot(x - middle, y - middle);
      // Small ones are squares.
      disc[y * cell + x] = cell < 6 ? 1 : Math.min(1, Math.max(0, side / 2 - distance + 0.5));
    }
  }
  return disc;
}

/** Draws the dots; `lightOf` says of each how bright it is, 0 if it is not lit. The answer is how many are lit. */
export function draw(context: CanvasRenderingContext2D, { width, height, blocks }: Layout, [red, green, blue]: Rgb, lightOf: (dot: number) => number): number {
  if (width < 1 || height < 1) return 0;
  const image = context.createImageData(width, height);
  const { data } = image;
  let lit = 0;
  for (const { first, count, cell, columns, top } of blocks) {
    const disc = discOf(cell);
    for (let at = 0; at < count; at++) {
      const light = lightOf(first + at);
      if (light > 0) lit += 1;
      const alpha = 255 * (light > 0 ? light : FAINT);
      const corner = (top + Math.floor(at / columns) * cell) * width + (at % columns) * cell;
      for (let y = 0; y < cell; y++) {
        for (let x = 0; x < cell; x++) {
          const to = 4 * (corner + y * width + x);
          data[to] = red;
          data[to + 1] = green;
          data[to + 2] = blue;
          data[to + 3] = alpha * (disc[y * cell + x] ?? 0);
        }
      }
    }
  }
  context.putImageData(image, 0, 0);
  return lit;
}
