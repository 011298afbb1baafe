/** `npm start`: from a bare clone to the open page, which follows what is changed. */

import { join } from "node:path";
import { buildEngine, Engines, servedEngines } from "./engine.mjs";
import { announce, checkNode, checkRust, entry, installPackages, plain, root, Stop } from "./steps.mjs";

/** The engines that follow the first. */
const following = {
  graph: "graphs, for the chapter Batch,",
  structure: "taggers and parsers",
  train: "training, for the chapter Train,",
};

await entry(async () => {
  checkNode();
  await checkRust();
  await installPackages();

  let server;
  let complained = false;
  const engines = new Engines(buildEngine, (name, built) => {
    if (name in following) {
      // Its JavaScript is there from now on.
      if (built.new) server?.environments.client.moduleGraph.invalidateAll();
      if (built.ok) console.log(`  The engine of ${following[name]} is there too.`);
      else console.log(`  The engine of ${following[name]} did not build; the page does without it.\n${built.output}`);
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
  await engines.update();
  if (!engines.has("engine")) throw new Stop("The engine did not build: see the message above.");

  announce("serve the page");
  const { createServer } = await import("vite");
  server = await createServer({ configFile: join(root, "vite.config.ts"), plugins: [servedEngines(engines)] });
  await server.listen();
  server.printUrls();
  if (hasScreen()) server.openBrowser();
  else console.log("  No screen here: open the address above in a browser.");
});

function hasScreen() {
  if (process.env.CI) return false;
  return process.platform !== "linux" || Boolean(process.env.DISPLAY || process.env.WAYLAND_DISPLAY);
}
