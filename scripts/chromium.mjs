/** Where the browser of the browser tests is. */

import { existsSync } from "node:fs";
import { delimiter, join } from "node:path";
import { aptInstall, onDebianAsRoot, Stop } from "./steps.mjs";

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

/** The path of an installed Chrome or Chromium, `$CHROMIUM` first; undefined when there is none. */
export function findChromium() {
  const folders = (process.env.PATH ?? "").split(delimiter);
  const places = [
    process.env.CHROMIUM,
    ...names.flatMap((name) => folders.map((folder) => join(folder, name))),
    ...(elsewhere[process.platform] ?? []),
  ];
  return places.find((place) => place && existsSync(place));
}

/** The path of a Chromium; on Debian, as root, installs it when there is none. */
export async function ensureChromium() {
  const found = findChromium();
  if (found) return found;
  if (onDebianAsRoot()) await aptInstall("chromium");
  const installed = findChromium();
  if (!installed) {
    throw new Stop("No Chrome or Chromium: install one from https://www.google.com/chrome, or set CHROMIUM to its path.");
  }
  return installed;
}
