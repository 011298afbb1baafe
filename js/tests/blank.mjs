/** An empty page in Chromium beside the repository's files, for tests of what is imported into it. */

import { after, before } from "node:test";
import { root } from "../../scripts/steps.mjs";
import { launch, newPage, serve } from "../../www/tests/browser.mjs";

/** The page of the test that runs. */
export let page;
let server, browser;

/** The tests of a suite share a Chromium, with WebGPU if `gpu` says so. */
export function inChromium({ gpu = false } = {}) {
  before(async () => {
    [server, browser] = await Promise.all([serve(root), launch({ gpu })]);
  });
  after(async () => {
    await browser?.close();
    server?.close();
  });
}

/** Puts another page in the place of the one before, for `page.route` and scripts that run in it first. */
export async function renew() {
  await page?.context().close();
  page = await newPage(browser);
}

/** Opens the empty page, at whose address those of the repository's files begin. */
export async function open({ headers = {} } = {}) {
  await page.route("**/blank.html", (route) => route.fulfill({ contentType: "text/html", body: "<!doctype html>", headers }));
  await page.goto(`${server.url}blank.html`);
}
