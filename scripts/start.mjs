/** `npm start`: from a bare clone to the open page, which follows what is changed. */

import { join } from "node:path";
import { Binaries, buildEngine, servedEngine } from "./engine.mjs";
import { announce, checkNode, checkRust, entry, installPackages, plain, root, Stop } from "./steps.mjs";

await entry(async () => {
  checkNode();
  await checkRust();
  await installPackages();

  let server;
  let complained = false;
  const binaries = new Binaries(buildEngine, (variant, built) => {
    // Its JavaScript is there from now on.
    if (variant !== "simd" && built.new) server?.environments.client.moduleGraph.invalidateAll();
    if (variant === "relaxed") {
      if (built.ok) console.log("  The engine with relaxed SIMD is there too; a page that is loaded now runs faster.");
      else console.log(`  The engine with relaxed SIMD did not build; the page does without it.\n${built.output}`);
    } else if (variant === "graph") {
      if (built.ok) console.log("  The engine of graphs is there too: the chapter Batch can be opened.");
      else console.log(`  The engine of graphs did not build; the chapter Batch does not load.\n${built.output}`);
    } else if (variant === "structure") {
      if (!built.ok) console.log(`  The engine of taggers and parsers did not build; the page does without it.\n${built.output}`);
    } else if (!built.ok) {
      complained = true;
      const message = "The engine did not build; the page goes on with the one before.";
      show({ type: "error", err: { message, stack: plain(built.output) } });
    } else if (built.new || complained) {
      complained = false;
      server?.environments.client.moduleGraph.invalidateAll();
      show({ type: "full-reload" });
    }
  });
  const show = (payload) => server?.environments.client.hot.send(payload);

  announce("build the engine for the browser (cargo xtask wasm)");
  await binaries.update();
  if (!binaries.has("simd")) throw new Stop("The engine did not build: see the message above.");

  announce("serve the page");
  const { createServer } = await import("vite");
  server = await createServer({ configFile: join(root, "vite.config.ts"), plugins: [servedEngine(binaries)] });
  await server.listen();
  server.printUrls();
  if (hasScreen()) server.openBrowser();
  else console.log("  No screen here: open the address above in a browser.");
});

function hasScreen() {
  if (process.env.CI) return false;
  return process.platform !== "linux" || Boolean(process.env.DISPLAY || process.env.WAYLAND_DISPLAY);
}
