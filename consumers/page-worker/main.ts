import { load } from "saccade-rnn/worker";

const model = await load("model.safetensors", { task: "classify" });
const [result] = await model.readAll(["a quiet, generous film"], { workers: 1 });
Object.assign(window, { result });
