/** The scenes that have mathematics. */
export const scenes = ["skim", "letters", "far", "name"] as const;

export type Scene = (typeof scenes)[number];
