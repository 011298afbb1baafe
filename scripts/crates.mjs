/**
 * The crates as crates.io would have them: packed by cargo, unpacked, and checked as one workspace in which each stands for the
 * version that the others ask for. `cargo package` would compile them in a target folder of its own, with all that they
 * depend on; here that is what the lint has compiled already.
 */

import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { announce, entry, must, root, target } from "./steps.mjs";

/** Those that are for nobody but us. */
const ours = ["xtask", "saccade-checks", "saccade-bench"];

await entry(async () => {
  const folder = join(target, "crates");
  rmSync(folder, { recursive: true, force: true });
  const packed = join(folder, "package");
  announce("pack the crates (cargo package)");
  const others = ours.flatMap((name) => ["--exclude", name]);
  const pack = ["package", "--workspace", ...others, "--no-verify", "--allow-dirty", "--target-dir", folder];
  await must("cargo", pack, "A crate cannot be packed: see the message above.");

  announce("check what was packed, alone (cargo check)");
  const workspace = join(folder, "workspace");
  mkdirSync(workspace);
  for (const file of readdirSync(packed).filter((name) => name.endsWith(".crate"))) {
    // As of now: cargo gives all packed files one date of long ago, by which what is compiled of them would stay for ever.
    await must("tar", ["-xzmf", join(packed, file), "-C", workspace], `${file} cannot be unpacked: see the message above.`);
  }
  const members = readdirSync(workspace).map((member) => ({ member, name: member.replace(/-[\d.]+$/, "") }));
  const patches = members.map(({ member, name }) => `${name} = { path = "${member}" }`);
  const manifest = ["[workspace]", 'resolver = "3"', `members = ${JSON.stringify(members.map(({ member }) => member))}`];
  // What they depend on is then compiled already: of the same versions, by the same profiles.
  const profiles = readFileSync(join(root, "Cargo.toml"), "utf8").match(/^\[profile\.[^]*/m)[0];
  writeFileSync(join(workspace, "Cargo.toml"), [...manifest, "", "[patch.crates-io]", ...patches, "", profiles].join("\n"));
  cpSync(join(root, "Cargo.lock"), join(workspace, "Cargo.lock"));
  const check = ["check", "--manifest-path", join(workspace, "Cargo.toml"), "--workspace", "--target-dir", target];
  await must("cargo", check, "A crate does not compile as it is packed: see the message above.");
});
