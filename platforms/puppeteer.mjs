/** Chromium and Firefox, by Puppeteer. */

import puppeteer from "puppeteer-core";

/** What makes each the same on every machine: no motion, and WebGPU by a software GPU where there is no other. */
const options = {
  chrome: {
    args: ["--no-sandbox", "--disable-quic", "--force-prefers-reduced-motion", "--enable-unsafe-webgpu", "--use-webgpu-adapter=swiftshader"],
  },
  firefox: {
    extraPrefsFirefox: {
      "dom.webgpu.enabled": true,
      "dom.webgpu.workers.enabled": true,
      "gfx.webgpu.ignore-blocklist": true,
      "ui.prefersReducedMotion": 1,
    },
  },
};

/** Starts the browser without a window. */
export async function puppeteerBrowser(browser, executablePath) {
  const running = await puppeteer.launch({ browser, executablePath, headless: true, protocolTimeout: 600_000, ...options[browser] });
  const page = await running.newPage();
  page.setDefaultTimeout(240_000);
  return {
    version: (await running.version()).split("/")[1],
    page: {
      goto: async (url) => void (await page.goto(url)),
      async evaluate(work, argument) {
        // Firefox and Chromium differ in what else they hand out.
        const script = `Promise.resolve((${work})(${JSON.stringify(argument)})).then((value) => JSON.stringify(value) ?? "null")`;
        return JSON.parse(await page.evaluate(script));
      },
      async press(keys) {
        const held = keys.split("+");
        const key = held.pop();
        for (const name of held) await page.keyboard.down(name);
        await page.keyboard.press(key);
        for (const name of held) await page.keyboard.up(name);
      },
      type: (text) => page.keyboard.type(text),
      resize: (width, height) => page.setViewport({ width, height }),
      screenshot: async (path) => void (await page.screenshot({ path })),
    },
    close: () => running.close(),
  };
}
