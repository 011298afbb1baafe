// A service worker: a recurrent network without a page.
import { load } from "./node_modules/saccade-rnn/dist/index.js";

const reading = load(chrome.runtime.getURL("model.safetensors"), { device: "webgpu" }).then(async (model) => {
  return model.read("a quiet, generous film");
});
globalThis.reading = reading;
