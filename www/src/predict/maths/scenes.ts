/** The scenes that have mathematics. */
export const scenes = ["surprise", "next", "field", "writing", "influence"] as const;

export type Scene = (typeof scenes)[number];
