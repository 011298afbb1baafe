/** @jest-environment-options { "customExportConditions": ["node"] } */

import { load } from "saccade-rnn/worker";

test("reads in a worker", async () => {
  const model = await load(process.env.MODEL);
  const { label } = await model.read("a quiet, generous film");
  expect(label).toBe("positive");
});
