/**
 * `npm run bench`: fetches the peers into `bench/node_modules`, builds the pages, measures. `npm run bench -- --help`
 * says what can be chosen, `--native` runs `bench/native` instead, `--page` asks whether the page's own numbers hold.
 */

import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { announce, cargo, checkNode, checkRust, entry, installPackages, must, root, Stop } from "../scripts/steps.mjs";

const bench = join(root, "bench");
const peers = JSON.parse(readFileSync(join(bench, "package.json"), "utf8")).dependencies;

/** The engine as the code stands; not where another build is given, or the arguments say that it is there. */
async function buildEngine() {
  if (process.env.SACCADE_PACKAGE || process.argv.includes("--no-build")) return;
  await checkRust();
  announce("build the engine for the browser (cargo xtask wasm --release)");
  await must("cargo", cargo.package, "The engine did not build: see the message above.");
}

await entry(async () => {
  checkNode();
  if (process.argv.includes("--native")) {
    const rest = process.argv.slice(2).filter((argument) => argument !== "--native");
    const native = ["run", "--release", "--package", "saccade-bench", "--", ...rest];
    await must("cargo", native, "The native benchmark failed: see the message above.");
    return;
  }
  if (process.argv.includes("--page")) {
    await installPackages();
    await buildEngine();
    announce("build the page (vite)");
    await must(process.execPath, [join(root, "node_modules", "vite", "bin", "vite.js"), "build"], "The page did not build: see the message above.");
    announce("measure");
    await (await import("./holds.mjs")).main();
    return;
  }
  await installPackages();
  const { build, runnerImport } = await import("vite");
  const load = async (file) => (await runnerImport(join(bench, "driver", file))).module;
  if (process.argv.includes("--help")) {
    console.log((await load("options.ts")).help);
    return;
  }
  try {
    const { isPeer, parse } = await load("options.ts");
    const { contestants, before } = parse(process.argv.slice(2));
    const against = contestants.some(isPeer);
    if (against) await installPackages("bench", "the peers, some 260 MB");
    await buildEngine();
    announce("build the pages (vite)");
    const configFile = join(bench, "vite.config.ts");
    await build({ configFile });
    if (before !== null) {
      process.env.SACCADE_PACKAGE = resolve(before);
      await build({ configFile, build: { outDir: join(bench, "dist", "before") } });
    }
    announce("measure");
    const { main } = await load("main.ts");
    await main(process.argv.slice(2), against ? peers : {});
  } catch (error) {
    if (error?.constructor?.name === "UsageError") throw new Stop(error.message);
    throw error;
  }
});
