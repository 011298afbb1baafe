import { readFile } from "node:fs/promises";
import { init, load } from "saccade-rnn";

test("takes the engine's bytes from Node", async () => {
  await init({ wasm: await readFile("node_modules/saccade-rnn/pkg/saccade_rnn_bg.wasm") });
  const model = await load(process.env.MODEL);
  const { label } = await model.read("a quiet, generous film");
  expect(label).toBe("positive");
});
