/** `npm start`: from a bare clone to the open page. */

import { announce, checkNode, checkRust, entry, installPackages, must, root, wasm } from "./steps.mjs";
import { join } from "node:path";

await entry(async () => {
  checkNode();
  await checkRust();
  await installPackages();
  announce("build the engine for the browser (cargo xtask wasm --release)");
  await must("cargo", wasm, "The engine did not build: see the message above.");

  announce("serve the page");
  const { createServer } = await import("vite");
  const server = await createServer({ configFile: join(root, "vite.config.ts") });
  await server.listen();
  server.printUrls();
  if (hasScreen()) server.openBrowser();
  else console.log("  No screen here: open the address above in a browser.");
});

function hasScreen() {
  if (process.env.CI) return false;
  return process.platform !== "linux" || Boolean(process.env.DISPLAY || process.env.WAYLAND_DISPLAY);
}
