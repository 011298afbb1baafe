import { methodInWords, reasonInWords } from "../../../js/src/words.ts";
import type { Reading } from "../engine.ts";
import type { ModelId } from "./models.ts";
import record from "./recorded.json";

const { model, text, reading } = record;
const { timing } = reading;
const deviceReason = reasonInWords(reading.deviceReason as Parameters<typeof reasonInWords>[0]);
const method = methodInWords(timing.method as Parameters<typeof methodInWords>[0], "cpu");

/** A reading that the native program made (`npm run record`), to be seen while the model is on its way; its codes in words. */
export const recorded = { model, text, reading: { ...reading, deviceReason, timing: { ...timing, method } } } as {
  readonly model: ModelId;
  readonly text: string;
  readonly reading: Reading;
};
