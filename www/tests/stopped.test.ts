/** The page's readers when a long reading is stopped and taken up: what stands over it has one button, which must not go. */

import { expect, test, vi } from "vitest";
import type { Model, Progress } from "../src/engine.ts";
import type { Ready } from "../src/predict/language.svelte.ts";
import { Predict } from "../src/predict/predict.svelte.ts";
import { Reader } from "../src/study/reader.svelte.ts";

interface Following {
  readonly signal: AbortSignal;
  readonly onProgress: (progress: Progress) => void;
}

/** A model that has read one token of two when `go` is called, late enough to say so; "short" it reads at once. */
function slow() {
  const reading: (() => void)[] = [];
  const update = (text: string, { signal, onProgress }: Following) =>
    text === "short"
      ? Promise.resolve({})
      : new Promise((_, reject) => {
          signal.addEventListener("abort", () => reject(signal.reason as Error));
          reading.push(() => onProgress({ done: 1, total: 2 } as Progress));
        });
  const go = () => {
    vi.spyOn(performance, "now").mockReturnValueOnce(performance.now() + 1000);
    reading.pop()?.();
  };
  return { model: { reader: () => ({ update, predict: async () => ({}), dispose: () => undefined }) }, go };
}

const subjects = {
  "the guesses": (model: object) => {
    const [predict, ready] = [new Predict(), { model } as unknown as Ready];
    predict.language.stage = { kind: "ready", ready };
    return { of: predict, read: (text: string) => predict.request(ready, text) };
  },
  "the reading": (model: object) => {
    const reader = new Reader();
    reader.stage = { kind: "ready", model: model as Model };
    return { of: reader, read: (text: string) => reader.request(text, {}) };
  },
};

test.each(Object.entries(subjects))("%s: the button stays from Stop to Resume to Stop, and goes with a text that is read", async (_, make) => {
  const { model, go } = slow();
  const { of, read } = make(model);
  const answered = () => new Promise((resolve) => setTimeout(resolve));
  const stands = () => [of.progress !== null, of.stopped !== null];
  read("long");
  go();
  expect(stands()).toEqual([true, false]);
  of.stop();
  await answered();
  expect(stands()).toEqual([false, true]);
  read("long");
  expect(stands()).toContain(true);
  await answered();
  expect(stands()).toContain(true);
  go();
  expect(stands()).toEqual([true, false]);
  of.stop();
  await answered();
  read("short");
  await answered();
  expect(stands()).toEqual([false, false]);
});
