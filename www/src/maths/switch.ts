/** The scenes that have mathematics, and what their switch says; the mathematics itself comes later. */

export const SCENES = [
  "read-text", "read-cells", "read-memory", "read-threshold", "read-savings", "read-words", "read-eyes",
  "race-sprint", "race-gates", "race-both", "race-chain", "race-time", "race-length", "race-batch", "race-results",
] as const;

export type SceneId = (typeof SCENES)[number];

export const hasMaths = (scene: string): scene is SceneId => (SCENES as readonly string[]).includes(scene);

export const words = {
  show: "Show the mathematics",
  hide: "Hide the mathematics",
  panel: "The mathematics of this figure",
  failed: "The mathematics did not load. Press again to retry.",
};
