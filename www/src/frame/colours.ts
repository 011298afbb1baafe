/** Values of a hidden state as colours: purple below zero, paper at zero, green above, which every common eye tells apart. */

type Rgb = readonly [number, number, number];

const ends: Readonly<Record<"light" | "dark", { below: Rgb; zero: Rgb; above: Rgb }>> = {
  light: { below: [112, 40, 130], zero: [247, 244, 237], above: [16, 110, 60] },
  dark: { below: [206, 150, 228], zero: [32, 34, 40], above: [120, 214, 150] },
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
