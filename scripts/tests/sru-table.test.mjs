import assert from "node:assert/strict";
import { test } from "node:test";
import { configOf, networks, sets } from "../../models/sru-table.mjs";

const lines = (text, key) => text.split("\n").filter((line) => line.startsWith(`${key} =`));

for (const [set, { config }] of Object.entries(sets)) {
  test(`${set}: its config has each network in turn, begun with word vectors alone`, () => {
    for (const [network, encoder] of Object.entries(networks)) {
      const text = configOf(config, encoder);
      assert.deepEqual(lines(text, "encoder"), [`encoder = [${encoder}]`]);
      assert.deepEqual(lines(text, "init"), ['init = "vectors.safetensors"']);
      assert.deepEqual(lines(text, "dropout_encoder"), ["dropout_encoder = 0.2"]);
      // An SRU has a forget gate of another kind: to set its bias would be an error.
      assert.equal(lines(text, "forget_bias").length, network.startsWith("LSTM") ? 1 : 0, network);
      // The script divides by what it reads there.
      assert.match(text, /^epochs = [1-9]/m);
    }
  });
}
