/** Values of a hidden state as colours: blue below zero, paper at zero, orange above, which every common eye tells apart. */

type Rgb = readonly [number, number, number];

const ends: Readonly<Record<"light" | "dark", { below: Rgb; zero: Rgb; above: Rgb }>> = {
  light: { below: [33, 92, 140], zero: [247, 244, 237], above: [186, 67, 13] },
  dark: { below: [122, 183, 230], zero: [32, 34, 40], above: [255, 157, 102] },
};

/** The colour of a value in [-1, 1]; beyond, that of the nearest end. */
export function colourOf(value: number, scheme: "light" | "dark"): Rgb {
  const { below, zero, above } = ends[scheme];
  // The root spreads the many small values, at no cost to their order.
  const share = Math.sqrt(Math.min(1, Math.abs(value)));
  const end = value < 0 ? below : above;
  return [0, 1, 2].map((at) => Math.round((zero[at] ?? 0) + ((end[at] ?? 0) - (zero[at] ?? 0)) * share)) as unknown as Rgb;
}

export const cssColour = (value: number, scheme: "light" | "dark"): string => `rgb(${colourOf(value, scheme).join(" ")})`;
