import { load } from "saccade-rnn";

const model = await load("model.safetensors");
const text = "a quiet, generous film";
const [result] = await model.readAll([text], { workers: 1 });
const { label } = await model.read(text);
if (label !== result.label) throw new Error(`a worker says ${result.label}`);
Object.assign(window, { result });
