/** `npm run screenshots`: the built page, wide and phone, light and dark, into `screenshots/`. */

import { join } from "node:path";
import { root } from "../../scripts/steps.mjs";
import { launch, serve } from "./browser.mjs";

const sizes = { wide: { width: 1280, height: 900 }, phone: { width: 390, height: 844 }, small: { width: 320, height: 640 } };
const long = "model=imdb-skim-lstm";

const server = await serve();
const browser = await launch();

/** Opens the page, lets `prepare` act on it, and keeps the picture. */
async function shoot(name, viewport, colorScheme, hash, prepare) {
  const page = await browser.newPage({ viewport, colorScheme, reducedMotion: "reduce" });
  await prepare?.(page);
  await page.goto(`${server.url}#${hash}`);
  await page.locator(".token, [data-state=failed]").first().waitFor();
  if (hash === long) await page.getByRole("button", { name: "A long review" }).click();
  await page.waitForTimeout(300);
  await page.screenshot({ path: join(root, "screenshots", `${name}.png`), fullPage: true });
  console.log(`screenshots/${name}.png`);
  await page.close();
}

for (const [size, viewport] of Object.entries(sizes)) {
  for (const scheme of ["light", "dark"]) await shoot(`${size}-${scheme}`, viewport, scheme, "");
}
await shoot("wide-long", sizes.wide, "light", long);
await shoot("phone-failed", sizes.phone, "light", "", (page) =>
  page.route("**/*.safetensors", (route) => route.fulfill({ status: 503 })),
);

await browser.close();
server.close();
