/** The scenes that have mathematics. */
export const scenes = ["score", "parsers", "code"] as const;

export type Scene = (typeof scenes)[number];
