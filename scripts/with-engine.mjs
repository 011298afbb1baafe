/** `node scripts/with-engine.mjs PROGRAM [ARGUMENTS]`: a program of an installed package, once the engine is as the code stands. */

import { join } from "node:path";
import { ensureEngine, entry, must, root } from "./steps.mjs";

await entry(async () => {
  const [program, ...args] = process.argv.slice(2);
  await ensureEngine();
  await must(process.execPath, [join(root, "node_modules", program), ...args], `${program} failed: see the message above.`);
});
