import { load } from "saccade-rnn";

// No await outside: a bundle may be CommonJS.
async function main() {
  const model = await load("model.safetensors");
  console.log(JSON.stringify(await model.read("a quiet, generous film")));
}

void main();
