/** The page's switch for the device, in browsers with WebGPU and without. */

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { agreeUntilUndecided } from "./compare.mjs";
import { nativeReading } from "./native.mjs";
import { choose, eventually, inPage, notices, page, openAt, settled } from "./opened.mjs";

const MODEL = "sst2-skim-lstm-small";
const SENTENCE = "A quiet, generous film; it doesn't hurry, and I wouldn't have missed a minute.";

async function open(browser, hash = `#read?text=${encodeURIComponent(SENTENCE)}`, prepare) {
  await openAt(hash, { gpu: browser === "gpu", prepare });
  await page.locator("#threshold:enabled").waitFor();
}

const ranOn = (device) => page.locator(`[data-figure="device"][data-device="${device}"]`);
const costs = () => page.locator('[data-figure="costs"]');
/** The account of a reading, which says where it was measured. */
const accountOn = (device) => page.getByText(`Measured on ${device} with the readings above`);
/** A time with two significant digits, or that there is none to tell. */
const TIME = /^([\d.,]+ (µs|ms|s)|too busy)$/;

describe("with WebGPU", { timeout: 600_000 }, () => {
  test("the keys choose it; the page says that it ran there, and reads as the native program", async () => {
    await open("gpu");
    await ranOn("cpu").waitFor();
    await page.getByRole("radio", { name: "Auto", exact: true }).focus();
    await page.keyboard.press("ArrowRight");
    await page.keyboard.press("ArrowRight");
    await ranOn("webgpu").waitFor();
    await eventually(async () => assert.match(await ranOn("webgpu").innerText(), /^WebGPU, as asked/));
    const native = nativeReading(MODEL, SENTENCE);
    const threshold = Number(await page.locator("#threshold").inputValue());
    const compared = agreeUntilUndecided(await inPage(SENTENCE, { device: "webgpu" }), native, threshold);
    await settled();
    const shown = await page.locator(".token[data-decision]").evaluateAll((all) => all.map((token) => token.dataset.decision));
    assert.equal(shown.length, native.tokens.length);
    assert.deepEqual(
      shown.slice(0, compared),
      native.tokens.slice(0, compared).map(({ decision }) => decision),
    );
    await page.waitForURL(/device=webgpu/);
  });

  test("a link brings back the device, which is then measured", async () => {
    await open("gpu", "#read?device=webgpu&text=Plain+and+kind");
    await ranOn("webgpu").waitFor();
    assert.ok(await page.getByRole("radio", { name: "WebGPU" }).isChecked());
    await accountOn("WebGPU").waitFor();
  });

  test("in a quiet moment both devices are measured, auto chooses by that, and what a token costs is shown", async () => {
    // Noted as it is shown: the measurement may be there at the next look.
    await open("gpu", undefined, () => {
      new MutationObserver((_, observer) => {
        const device = document.querySelector('[data-figure="device"]');
        if (!device?.textContent.includes("until both devices are measured")) return;
        observer.disconnect();
        window.early = { costs: document.querySelectorAll('[data-figure="costs"]').length };
      }).observe(document, { subtree: true, childList: true, characterData: true });
    });
    const early = await page.waitForFunction(() => window.early);
    assert.deepEqual(await early.jsonValue(), { costs: 0 });
    await page.getByText("the faster by a first measurement").waitFor();
    const names = { cpu: "CPU", webgpu: "WebGPU" };
    // A reading made anew is measured anew, and may then choose the other device.
    const chosen = await eventually(async () => {
      for (const device of ["cpu", "webgpu"]) {
        const [time, interval, ...more] = await costs().locator(`[data-device="${device}"] td`).allInnerTexts();
        assert.match(String(time), TIME);
        assert.match(interval, /^[\d.,]+( to [\d.,]+)? (µs|ms|s)$/);
        assert.equal(more.length, 0);
      }
      const { device, method, account, parts } = await page.evaluate(() => ({
        device: document.querySelector('[data-figure="device"]').dataset.device,
        method: document.querySelector('[data-figure="account"]')?.parentElement.textContent,
        account: document.querySelector('[data-figure="account"]')?.textContent,
        parts: [...document.querySelectorAll('[data-figure="account"] tr td:last-child')].map(({ textContent }) => textContent),
      }));
      assert.ok(method?.includes(`Measured on ${names[device]} with the readings above`), method);
      if (parts.length > 0) {
        const numbers = parts.map(Number.parseFloat);
        const total = numbers.pop();
        assert.equal(numbers.length, 3);
        assert.ok(Math.abs(numbers.reduce((sum, part) => sum + part, 0) - total) < 1e-9, parts.join());
      } else assert.match(account, /too busy to tell/);
      return device;
    });

    const other = chosen === "cpu" ? "webgpu" : "cpu";
    await choose(page.getByRole("radio", { name: names[other], exact: true }));
    await ranOn(other).waitFor();
    await accountOn(names[other]).waitFor();
  });
});

describe("without WebGPU", { timeout: 600_000 }, () => {
  test("who asks for it has the CPU's reading, and sees why", async () => {
    await open("plain", `#read?device=webgpu&text=${encodeURIComponent(SENTENCE)}`);
    await ranOn("cpu").waitFor();
    await eventually(async () => assert.match(await ranOn("cpu").innerText(), /^CPU, since no WebGPU adapter: the browser offers none\.$/));
    assert.equal(await page.locator(".token").count(), nativeReading(MODEL, SENTENCE).tokens.length);
    await eventually(async () => {
      assert.match(await costs().locator('[data-device="webgpu"] td').innerText(), /the browser offers none/);
      assert.match(await costs().locator('[data-device="cpu"] td').first().innerText(), TIME);
    });
  });

  test("a long reading shows how far it is, can be stopped and taken up, and makes way for a newer text", async () => {
    // Every word read: that takes many times as long as a press, on any machine.
    await open("plain", "#read?threshold=1&text=Plain+and+kind");
    const shown = await notices();
    // Pasted right after another text has been read, whose whole reading is then still to come.
    await page.fill("#text", "Plain.");
    await page.waitForFunction(() => {
      if (document.querySelector(".text")?.textContent !== "Plain.") return false;
      const field = document.querySelector("#text");
      field.value = "fine ".repeat(400_000);
      return field.dispatchEvent(new InputEvent("input", { bubbles: true }));
    });
    const reading = page.locator('[data-state="reading"]', { hasText: /[1-9][\d,]* of 400,000 words/ });
    await reading.waitFor();
    assert.equal(await shown.evaluate(({ size }) => size), 1, "one notice stands from the beginning, to be pressed");
    await page.getByRole("button", { name: "Stop" }).click();
    await page.locator('[data-state="stopped"]').waitFor();
    await page.getByRole("button", { name: "Read it after all" }).click();
    await reading.waitFor();
    await page.fill("#text", "Short again.");
    await page.waitForFunction(() => document.querySelector(".text")?.textContent === "Short again.");
    await settled();
    assert.equal(await page.locator('[data-state="reading"], [data-state="stopped"], [data-state="failed"]').count(), 0);
  });
});
