import { load } from "saccade-rnn";
import { Parameters } from "saccade-rnn/graph";

const doubled = await new Parameters().run((graph) => graph.input(1, 1, [21]).scale(2).scalar());
if (doubled !== 42) throw new Error(`twice 21 is ${doubled}`);
const model = await load("model.safetensors");
window.result = await model.read("a quiet, generous film");
