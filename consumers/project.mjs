/** Projects that have the packed tarball installed, and what their pages read. */

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before } from "node:test";
import { root, started, target } from "../scripts/steps.mjs";
import { newPage } from "../www/tests/browser.mjs";

export const model = join(root, "models", "sst2-skim-lstm-small.safetensors");
export const tagger = join(root, "models", "ewt-tagger.safetensors");
const { version } = JSON.parse(readFileSync(join(root, "js", "package.json"), "utf8"));
const tarball = join(target, "package", `saccade-rnn-${version}.tgz`);

/** Makes projects of a suite in a temporary folder, which goes with it: the project of a folder beside this file, made once. */
export function projects() {
  let folder;
  const made = new Map();
  before(() => {
    folder = mkdtempSync(join(tmpdir(), "saccade-consumers-"));
  });
  after(() => rmSync(folder, { recursive: true, force: true }));
  return (name) => {
    if (!made.has(name)) made.set(name, makeProject(name, folder));
    return made.get(name);
  };
}

/** Makes the project of a folder beside this file in another folder; returns where it is. */
export function makeProject(name, folder) {
  assert.ok(existsSync(tarball), `${tarball} is missing: npm run package makes it`);
  const place = join(folder, name);
  cpSync(join(root, "consumers", name), place, { recursive: true });
  cpSync(model, join(place, "model.safetensors"));
  cpSync(tagger, join(place, "tagger.safetensors"));
  writeFileSync(join(place, "package.json"), JSON.stringify({ name, private: true, type: "module" }));
  const { args, shell } = started("npm", ["install", "--offline", "--no-audit", "--no-fund", "--ignore-scripts", tarball]);
  const { status, stderr } = spawnSync("npm", args, { cwd: place, encoding: "utf8", shell });
  assert.equal(status, 0, stderr);
  return place;
}

export function assertRead(reading) {
  assert.equal(reading.label, "positive");
  assert.deepEqual(reading.tokens.map(({ text }) => text), ["a", "quiet", ",", "generous", "film"]);
}

/** Opens a server's page in a real browser, which must read; then closes the server. */
export async function look(browser, server, prepare = async () => {}) {
  const page = await newPage(browser);
  await prepare(page.context());
  const complaints = [];
  page.on("pageerror", (error) => complaints.push(error.message));
  try {
    await page.goto(server.url);
    await page.waitForFunction(() => window.result).catch((error) => {
      throw new Error(`${error.message}\n${complaints.join("\n")}`);
    });
    assertRead(await page.evaluate(() => window.result));
  } finally {
    await page.context().close();
    server.close();
  }
}

/** What a server's page complains of when it cannot read; then closes the server. */
export async function complaint(browser, server) {
  const page = await newPage(browser);
  try {
    const complained = page.waitForEvent("pageerror");
    await page.goto(server.url);
    return (await complained).message;
  } finally {
    await page.context().close();
    server.close();
  }
}
