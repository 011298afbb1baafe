import { load } from "saccade-rnn/worker";

async function main() {
  const model = await load("model.safetensors");
  console.log(JSON.stringify(await model.read("a quiet, generous film")));
}

void main();
