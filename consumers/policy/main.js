import { load } from "./node_modules/saccade-rnn/dist/index.js";
import { load as loadInWorker } from "./node_modules/saccade-rnn/dist/worker.js";

const text = "a quiet, generous film";
const [here, there] = await Promise.all([load("model.safetensors"), loadInWorker("model.safetensors")]);
const result = await here.read(text);
const { label } = await there.read(text);
if (label !== result.label) throw new Error(`the worker says ${label}`);
window.result = result;
