/** `npm run example:NAME [-- ARGUMENTS]`: makes the package if it is not there or older than its code, and starts an example. */

import { spawn } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, rmSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { ensurePackage, entry, root, Stop } from "./steps.mjs";

const examples = join(root, "examples");

/** Makes what an example imports: the package, under its name. */
async function prepare() {
  await ensurePackage();
  linkPackage();
}

/** What `npm install` makes of the dependency in `examples/package.json`, without asking a registry. */
export function linkPackage() {
  const modules = join(examples, "node_modules");
  const link = join(modules, "saccade-rnn");
  mkdirSync(modules, { recursive: true });
  rmSync(link, { recursive: true, force: true });
  symlinkSync(join(root, "js"), link, "junction");
}

/** How Vite serves and builds an example; one that has a `vite.config.js` adds its own to it. */
export function settings(name) {
  return {
    root: join(examples, name),
    base: "./",
    // An address that names no file is an error, not the page.
    appType: "mpa",
    worker: { format: "es" },
    build: { target: "es2022", emptyOutDir: true },
    server: { fs: { allow: [root] } },
  };
}

async function start(name, args) {
  const folder = join(examples, name);
  if (existsSync(join(folder, "index.html"))) {
    const { createServer } = await import("vite");
    const server = await createServer(settings(name));
    await server.listen();
    server.printUrls();
    return;
  }
  const program = readdirSync(folder).find((file) => file.endsWith(".mjs"));
  const given = args.length > 0 ? args : [join(folder, "reviews.txt")];
  const child = spawn(process.execPath, [join(folder, program), ...given], {
    cwd: process.env.INIT_CWD ?? root,
    stdio: "inherit",
  });
  child.on("exit", (status) => (process.exitCode = status ?? 1));
}

/** The examples that can be started: those with a page, or with a program for Node. */
function names() {
  const starts = (name) => readdirSync(join(examples, name)).some((file) => file === "index.html" || file.endsWith(".mjs"));
  const folders = readdirSync(examples, { withFileTypes: true }).filter((found) => found.isDirectory());
  return folders.map(({ name }) => name).filter((name) => name !== "node_modules" && starts(name));
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  await entry(async () => {
    const [name, ...args] = process.argv.slice(2);
    if (!names().includes(name)) throw new Stop(`Which example? ${names().join(", ")}`);
    await prepare();
    await start(name, args);
  });
}
