import { load } from "saccade-rnn";
import { Parameters } from "saccade-rnn/graph";
import { load as loadInWorker } from "saccade-rnn/worker";

const text = "a quiet, generous film";
const [here, there] = await Promise.all([load("model.safetensors"), loadInWorker("model.safetensors")]);
const result = await here.read(text);
const { label } = await there.read(text);
if (label !== result.label) throw new Error(`the worker says ${label}`);
for (const model of [here, there]) {
  const [reading] = await model.readAll([text], { workers: 1 });
  if (reading?.label !== label) throw new Error(`one of its workers says ${reading?.label}`);
}
const doubled = await new Parameters().run((graph) => graph.input(1, 1, [21]).scale(2).scalar());
if (doubled !== 42) throw new Error(`twice 21 is ${doubled}`);
Object.assign(window, { result });
