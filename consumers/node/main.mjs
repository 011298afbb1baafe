import { devices, load } from "saccade-rnn";
import { Parameters } from "saccade-rnn/graph";

const model = await load(new URL("model.safetensors", import.meta.url));
const result = await model.read("a quiet, generous film");
const { webgpu } = await devices();
const doubled = await new Parameters().run((graph) => graph.input(1, 1, [21]).scale(2).scalar());
if (doubled !== 42) throw new Error(`twice 21 is ${doubled}`);
console.log(JSON.stringify({ ...result, gpu: webgpu.reason }));
