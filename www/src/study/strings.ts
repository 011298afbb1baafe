/** What the page calls its models, its texts and its devices. */

import type { Device, DevicePreference } from "../engine.ts";

export const models = {
  "sst2-skim-lstm-small": {
    name: "Sentences",
    about: "Reads sentences of film reviews. It knows only common words, so it loads fast: 0.7\u00a0MB.",
  },
  "sst2-skim-lstm": { name: "Sentences, all words", about: "Reads sentences of film reviews. It knows four times as many words: 3\u00a0MB." },
  "imdb-skim-lstm": { name: "Long reviews", about: "Reads whole film reviews: 3\u00a0MB." },
  "trec-skim-lstm": { name: "Questions", about: "Says what a question asks for: a person, a place, a number. 3\u00a0MB." },
};

export const examples = {
  thought: "A second thought",
  verdict: "A verdict",
  negations: "Two negations",
  irony: "Irony",
  question: "A question",
  review: "A long review",
};

export const devices: Readonly<Record<Device, string>> = { cpu: "CPU", webgpu: "WebGPU" };
export const preferences: Readonly<Record<DevicePreference, string>> = { auto: "Auto", cpu: "CPU", webgpu: "WebGPU", "webgpu-only": "WebGPU" };

export const failures = {
  notReady: "the model is not ready",
  lost: "The engine stopped and lost the model. Please load it again.",
  answered: (url: string, status: number) => `${url}: the server answered ${status}`,
};
