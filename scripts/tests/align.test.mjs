import assert from "node:assert/strict";
import { test } from "node:test";
import { alignAll } from "../align.mjs";

const words = (...lines) =>
  new Map(lines.map((line) => [line.split(" ")[0], line.split(" ").slice(1)]));

test("letters find their sounds: one, none, or two", () => {
  const aligned = alignAll(
    words("ten T EH N", "net N EH T", "pin P IH N", "pine P AY N", "tip T IH P", "shin SH IH N", "ship SH IH P", "his HH IH S", "set S EH T", "six S IH K S", "next N EH K S T", "tax T AE K S", "tan T AE N"),
  );
  assert.deepEqual(aligned.get("six"), ["S", "IH", "K S"]);
  assert.deepEqual(aligned.get("next"), ["N", "EH", "K S", "T"]);
  assert.deepEqual(aligned.get("tax"), ["T", "AE", "K S"]);
  // One of its letters is silent: nothing tells s from h.
  assert.deepEqual(aligned.get("ship").slice(1), ["SH", "IH", "P"]);
});

test("the labels of a word are its sounds in order", () => {
  for (const [word, labels] of alignAll(words("aa AA", "ab AE B", "abc EY B S IY", "b B IY"))) {
    assert.equal(labels.length, word.length);
    assert.deepEqual(labels.flatMap((label) => label.split(" ").filter(Boolean)), { aa: ["AA"], ab: ["AE", "B"], abc: ["EY", "B", "S", "IY"], b: ["B", "IY"] }[word]);
  }
});
