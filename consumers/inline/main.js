import "saccade-rnn/inline";
import { load } from "saccade-rnn";
import { load as loadInWorker, useWorker } from "saccade-rnn/worker";

useWorker(() => new Worker("dist/worker.js", { type: "module" }));

const text = "a quiet, generous film";
const [here, there] = await Promise.all([load("model.safetensors"), loadInWorker("model.safetensors")]);
const result = await here.read(text);
const { label } = await there.read(text);
if (label !== result.label) throw new Error(`the worker says ${label}`);
Object.assign(window, { result });
