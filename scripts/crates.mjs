/**
 * The crates as crates.io would have them: packed by cargo, unpacked, and checked as one workspace in which each stands for the
 * version that the others ask for. `cargo package` would compile them in a target folder of its own, with all that they
 * depend on; here that is what the lint has compiled already.
 */

import { cpSync, mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
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
    await must("tar", ["-xzf", join(packed, file), "-C", workspace], `${file} cannot be unpacked: see the message above.`);
  }
  const members = readdirSync(workspace).map((member) => ({ member, name: member.replace(/-[\d.]+$/, "") }));
  const patches = members.map(({ member, name }) => `${name} = { path = "${member}" }`);
  const manifest = ["[workspace]", 'resolver = "3"', `members = ${JSON.stringify(members.map(({ member }) => member))}`];
  writeFileSync(join(workspace, "Cargo.toml"), [...manifest, "", "[patch.crates-io]", ...patches, ""].join("\n"));
  // What they depend on is then of the versions that are compiled already.
  cpSync(join(root, "Cargo.lock"), join(workspace, "Cargo.lock"));
  const check = ["check", "--manifest-path", join(workspace, "Cargo.toml"), "--workspace", "--target-dir", target];
  await must("cargo", check, "A crate does not compile as it is packed: see the message above.");
});
