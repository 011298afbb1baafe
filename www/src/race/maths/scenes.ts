/** The scenes that have mathematics. */
export const scenes = ["sprint", "gates", "chain", "both", "time", "length", "batch", "results"] as const;

export type Scene = (typeof scenes)[number];
