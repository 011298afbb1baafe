/** The browsers of the platform tests: where they are, and how one that is missing is installed. */

import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { findChromium } from "../scripts/chromium.mjs";
import { aptInstall, inPath, onDebianAsRoot, orSay } from "../scripts/steps.mjs";
import { ensureVulkan } from "../scripts/vulkan.mjs";

/** WebKitGTK's MiniBrowser, if its driver and a screen without one are there as well. */
function findWebKit() {
  if (!inPath("WebKitWebDriver") || !inPath("Xvfb")) return undefined;
  const libraries = ["/usr/lib", "/usr/libexec", `/usr/lib/${process.arch === "arm64" ? "aarch64" : "x86_64"}-linux-gnu`];
  const folders = libraries.flatMap((folder) =>
    existsSync(folder) ? readdirSync(folder).filter((name) => /^webkit2?gtk-/.test(name)).map((name) => join(folder, name)) : [],
  );
  return folders.map((folder) => join(folder, "MiniBrowser")).find((place) => existsSync(place));
}

/** Each by its name: what finds it, and Debian's packages of it. */
export const browsers = {
  Chromium: { find: findChromium, packages: ["chromium"] },
  Firefox: { find: () => process.env.FIREFOX ?? inPath("firefox-esr", "firefox"), packages: ["firefox-esr"] },
  WebKitGTK: { find: findWebKit, packages: ["webkit2gtk-driver", "xvfb"] },
};

/** Sees to the browsers, and to the software GPU of Firefox; one that cannot be installed is missing, and its tests are skipped. */
export async function ensureBrowsers() {
  const missing = Object.values(browsers).filter(({ find }) => !find());
  if (missing.length > 0 && onDebianAsRoot()) {
    for (const { packages } of missing) await orSay(() => aptInstall(...packages));
  }
  await orSay(ensureVulkan);
  return {};
}
