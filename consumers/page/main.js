import { load } from "saccade-rnn";

const model = await load("model.safetensors");
window.result = await model.read("a quiet, generous film");
