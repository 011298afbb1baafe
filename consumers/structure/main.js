import { load } from "saccade-rnn";
import { load as loadInWorker } from "saccade-rnn/worker";

for (const open of [load, loadInWorker]) {
  const tagger = await open("tagger.safetensors");
  const { tokens } = await tagger.tag("a quiet, generous film");
  if (tokens.map(({ tag }) => tag).join(" ") !== "DET ADJ PUNCT ADJ NOUN") throw new Error(JSON.stringify(tokens));
}
const model = await load("model.safetensors");
window.result = await model.read("a quiet, generous film");
