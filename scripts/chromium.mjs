/** Where the browser of the browser tests is: Chromium, and its shell without windows. */

import { existsSync } from "node:fs";
import { join } from "node:path";
import { aptInstall, inPath, onDebianAsRoot, orSay, Stop } from "./steps.mjs";

const names = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome.exe"];
const elsewhere = {
  darwin: [
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
  ],
  win32: [
    join(process.env.PROGRAMFILES ?? "", "Google", "Chrome", "Application", "chrome.exe"),
    join(process.env["PROGRAMFILES(X86)"] ?? "", "Google", "Chrome", "Application", "chrome.exe"),
  ],
};

/** Debian's name of it. */
const SHELL = "chromium-headless-shell";

/** What `$CHROMIUM` names. */
const named = () => (process.env.CHROMIUM && existsSync(process.env.CHROMIUM) ? process.env.CHROMIUM : undefined);

/** The path of an installed Chrome or Chromium, `$CHROMIUM` first; undefined when there is none. */
export function findChromium() {
  return named() ?? inPath(...names) ?? elsewhere[process.platform]?.find((path) => existsSync(path));
}

/**
 * The path of the Chromium that tests drive: `$CHROMIUM`, otherwise the shell, otherwise what {@link findChromium} finds.
 *
 * The shell has the same engines and none of the processes that make up a browser's windows: a page costs two thirds of the
 * processor's time, an empty one a fifth. It has no extensions, and its tabs are always in front.
 */
export function findDriven() {
  return named() ?? inPath(SHELL) ?? findChromium();
}

/** Sees to a Chromium and its shell: on Debian, as root, installs what is missing. */
export async function ensureChromium() {
  if (!findChromium() && onDebianAsRoot()) await aptInstall("chromium");
  if (!findChromium()) {
    throw new Stop("No Chrome or Chromium: install one from https://www.google.com/chrome, or set CHROMIUM to its path.");
  }
  if (!named() && !inPath(SHELL) && onDebianAsRoot()) {
    // Both are of one version: an older Chromium is to follow, and not to go.
    await orSay(() => aptInstall(...(inPath("chromium") ? ["chromium"] : []), SHELL));
  }
  return {};
}
