/**
 * `npm run package`: the npm package as a tarball in `target/package`, from the engine in `js/pkg`, which is made if it is not
 * there or older than its code. Prints where it is and what is in it.
 */

import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { announce, ensureEngine, entry, must, root, target } from "./steps.mjs";

await entry(async () => {
  const js = join(root, "js");
  await ensureEngine();
  announce("compile the package (tsc)");
  rmSync(join(js, "dist"), { recursive: true, force: true });
  const tsc = [join("node_modules", "typescript", "bin", "tsc"), "--project", "js"];
  const advice = "The package did not compile: see the message above.";
  // People read the types' comments; the code is downloaded without them.
  await must(process.execPath, [...tsc, "--emitDeclarationOnly"], advice);
  await must(process.execPath, [...tsc, "--declaration", "false", "--removeComments"], advice);
  const engine = gzipSync(readFileSync(join(js, "pkg", "saccade_rnn_bg.wasm")), { level: 9 }).toString("base64");
  writeFileSync(join(js, "dist", "inlined.js"), `export const engine = "${engine}";\n`);
  for (const name of ["LICENSE-APACHE", "LICENSE-MIT", "README.md"]) cpSync(join(root, name), join(js, name));

  announce("pack it (npm pack)");
  const folder = join(target, "package");
  mkdirSync(folder, { recursive: true });
  await must("npm", ["pack", "./js", "--pack-destination", folder], "npm pack failed: see its message above.");
});
