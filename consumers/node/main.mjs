import { devices, load } from "saccade-rnn";

const model = await load(new URL("model.safetensors", import.meta.url));
const result = await model.read("a quiet, generous film");
const { webgpu } = await devices();
console.log(JSON.stringify({ ...result, gpu: webgpu.reason }));
