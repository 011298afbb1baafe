/** The scenes that have mathematics. */
export const scenes = ["score"] as const;

export type Scene = (typeof scenes)[number];
