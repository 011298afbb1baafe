/**
 * `npm run record`: reads the text of `www/src/study/recorded.json` with its model, natively, and keeps the reading there,
 * for the page to open with.
 */

import { spawnSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { announce, cargo, entry, must, root, saccade, Stop } from "./steps.mjs";

await entry(async () => {
  announce("build the command line");
  await must("cargo", cargo.saccade, "The command line did not build: see the message above.");
  const path = join(root, "www", "src", "study", "recorded.json");
  const { model, text } = JSON.parse(readFileSync(path, "utf8"));
  const file = join("models", `${model}.safetensors`);
  const { status, stdout, stderr } = spawnSync(saccade, ["read", "--model", file, "--measure-ms", "100", "--json"], {
    cwd: root,
    input: text,
    encoding: "utf8",
  });
  if (status !== 0) throw new Stop(`saccade read failed: ${stderr}`);
  const record = { model, text, reading: JSON.parse(stdout) };
  writeFileSync(path, `${JSON.stringify(record, null, 2)}\n`);
  console.log(`${path}: ${record.reading.tokens.length} tokens, ${record.reading.label}`);
});
