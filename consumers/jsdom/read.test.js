import { readFile } from "node:fs/promises";
import { load } from "saccade-rnn";

const path = process.env.MODEL;
const bytes = await readFile(path);

test("runs in jsdom", () => {
  expect(navigator.userAgent).toMatch(/jsdom/);
});

const sources = { path, "Node's bytes": bytes, "the page's bytes": new Uint8Array(bytes), "a buffer": new Uint8Array(bytes).buffer };
for (const [name, source] of Object.entries(sources)) {
  test(`reads with a model from ${name}`, async () => {
    const model = await load(source);
    const { label, tokens } = await model.read("a quiet, generous film");
    expect(label).toBe("positive");
    expect(tokens.map(({ text }) => text)).toEqual(["a", "quiet", ",", "generous", "film"]);
  });
}
