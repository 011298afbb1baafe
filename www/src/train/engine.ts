/** The package's training, in a worker of its own, whose binary comes with the first run. No other file of the page imports it. */

import { train, useWorker, type ClassifySettings, type PredictSettings, type TagSettings, type Training, type TrainingEvaluation, type TrainingFigures } from "../../../js/src/train/index.ts";

// Written out, so that the bundler finds the script.
useWorker(() => new Worker(new URL("../../../js/src/train/worker-entry.ts", import.meta.url), { type: "module" }));

export { train };
export type { ClassifySettings, PredictSettings, TagSettings, Training, TrainingEvaluation, TrainingFigures };
