import { load } from "saccade-rnn/worker";

const model = await load("model.safetensors", { task: "classify" });
const result = await model.read("a quiet, generous film");
Object.assign(window, { result });
