/** The scenes that have mathematics. */
export const scenes = ["surprise", "next", "field", "writing", "influence", "cutoffs", "truncation", "cells"] as const;

export type Scene = (typeof scenes)[number];
