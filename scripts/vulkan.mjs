/** A GPU for the native tests: on Linux Mesa's lavapipe, a software GPU; elsewhere what the system has. */

import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { aptInstall, onDebianAsRoot, Stop } from "./steps.mjs";

/** Where Vulkan's loader looks for drivers. */
const folders = ["/usr/share/vulkan/icd.d", "/usr/local/share/vulkan/icd.d", "/etc/vulkan/icd.d"];

function drivers() {
  return folders.flatMap((folder) => (existsSync(folder) ? readdirSync(folder).map((file) => join(folder, file)) : []));
}

/** Sees to a Vulkan driver; resolves to the environment that names the adapter of the tests. */
export async function ensureVulkan() {
  if (process.platform !== "linux") return {};
  if (drivers().length === 0 && onDebianAsRoot()) await aptInstall("mesa-vulkan-drivers", "libvulkan1");
  if (drivers().length === 0) {
    throw new Stop("No Vulkan driver for the GPU tests: install Mesa's (Debian: apt-get install mesa-vulkan-drivers).");
  }
  if (process.env.SACCADE_ADAPTER) return {};
  // The same adapter on every machine that has it.
  return drivers().some((file) => file.includes("lvp_icd")) ? { SACCADE_ADAPTER: "llvmpipe" } : {};
}
