/** The scenes that have mathematics. */
export const scenes = ["skim", "letters", "far"] as const;

export type Scene = (typeof scenes)[number];
