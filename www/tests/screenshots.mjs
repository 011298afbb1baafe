/** `npm run screenshots`: the built page, wide and phone, light and dark, into `screenshots/`. */

import { join } from "node:path";
import { root } from "../../scripts/steps.mjs";
import { launch, serve } from "./browser.mjs";

const sizes = { wide: { width: 1440, height: 900 }, phone: { width: 390, height: 844 }, small: { width: 320, height: 640 } };

const server = await serve();
const browser = await launch({ gpu: true });
const plain = await launch();

/** Opens the page, lets `before` act before and `after` once it shows something, and keeps the picture. */
async function shoot(name, size, colorScheme, { before, after, on = browser } = {}) {
  const page = await on.newPage({ viewport: sizes[size], colorScheme, reducedMotion: "reduce" });
  await before?.(page);
  await page.goto(server.url);
  await page.locator("#threshold:enabled, [data-state=failed], [data-state=loading]").first().waitFor();
  if (!before) await page.locator("#threshold:enabled").waitFor();
  await after?.(page);
  await page.waitForTimeout(400);
  await page.screenshot({ path: join(root, "screenshots", `${name}.png`), fullPage: true });
  console.log(`screenshots/${name}.png`);
  await page.close();
}

/** The example of that name, read by its model. */
const example = (name) => async (page) => {
  await page.getByRole("button", { name }).click();
  await page.locator("[data-state=loading]").waitFor({ state: "detached" });
};
/** The device chosen by the switch, when all has been measured. */
const device = (name) => async (page) => {
  await page.getByRole("radio", { name, exact: true }).check({ force: true });
  await page.locator("[data-figure=steps]").waitFor({ timeout: 60_000 });
};
const longer = async (page) => {
  await page.fill("#text", "fine ".repeat(400_000));
  await page.locator("[data-state=reading]").waitFor();
};
const unanswered = (page) => page.route("**/*.safetensors", () => {});
const refused = (page) => page.route("**/*.safetensors", (route) => route.fulfill({ status: 503 }));

for (const size of Object.keys(sizes)) {
  for (const scheme of ["light", "dark"]) await shoot(`${size}-${scheme}`, size, scheme);
}
for (const scheme of ["light", "dark"]) await shoot(`wide-long-${scheme}`, "wide", scheme, { after: example("A long review") });
await shoot("phone-long", "phone", "light", { after: example("A long review") });
await shoot("wide-loading", "wide", "light", { before: unanswered });
await shoot("wide-failed", "wide", "light", { before: refused });
await shoot("phone-failed", "phone", "dark", { before: refused });
await shoot("wide-forced", "wide", "light", {
  after: async (page) => {
    await page.fill("#text", "");
    await page.locator("#text").pressSequentially("A zymurgical delight, dull only to dullards.");
    await page.locator('[data-index="1"]').click();
    await page.fill("#threshold", "0.8");
  },
});
await shoot("phone-empty", "phone", "light", { after: (page) => page.fill("#text", "") });

for (const scheme of ["light", "dark"]) {
  await shoot(`wide-measured-${scheme}`, "wide", scheme, { after: device("WebGPU") });
  await shoot(`phone-measured-${scheme}`, "phone", scheme, { after: device("Auto") });
}
await shoot("phone-no-webgpu", "phone", "light", { after: device("WebGPU"), on: plain });
await shoot("small-no-webgpu", "small", "dark", { after: device("WebGPU"), on: plain });
await shoot("wide-reading", "wide", "light", { after: longer });

await plain.close();
await browser.close();
server.close();
