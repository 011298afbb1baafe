/** The scenes that have mathematics. */
export const scenes = ["text", "cells", "memory", "threshold", "savings", "words", "eyes"] as const;

export type Scene = (typeof scenes)[number];
