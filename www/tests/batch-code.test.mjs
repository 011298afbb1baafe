/** Programs of visitors in Chromium: what they run, that they reach nothing, and that they end. */

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { createRequire } from "node:module";
import { after, before, describe, test } from "node:test";
import puppeteer from "puppeteer-core";
import { findChromium } from "../../scripts/chromium.mjs";
import { launch, openPage, PATIENCE_MS, serve } from "./browser.mjs";

let server, browser, trap, trapped;
before(async () => {
  server = await serve();
  browser = await launch();
  // Whatever a program might reach.
  trap = createServer((request, response) => {
    trapped.push(request.url);
    response.writeHead(200, { "access-control-allow-origin": "*", "content-type": "text/javascript" }).end("self.reached = true;");
  });
  trapped = [];
  await new Promise((resolve) => trap.listen(0, "127.0.0.1", resolve));
});
after(async () => {
  await browser.close();
  server.close();
  trap.close();
});

const place = () => `http://127.0.0.1:${trap.address().port}`;

/** How long a program may run, in milliseconds. */
const RUN_MS = 8000;

/** Opens the scene. Programs have as long as a busy machine may take for them, unless `limited` leaves them the time of people's. */
async function open(hash = "#batch/code", { limited = false, ...options } = {}) {
  const { page, complaints } = await openPage(browser, options);
  if (!limited) {
    await page.addInitScript(
      ([usual, longer]) => {
        const { setTimeout } = window;
        window.setTimeout = (work, ms, ...given) => setTimeout(work, ms === usual ? longer : ms, ...given);
      },
      [RUN_MS, PATIENCE_MS],
    );
  }
  await page.goto(`${server.url}${hash}`);
  const figure = page.locator('[data-figure="code"]');
  await figure.waitFor();
  const editor = page.getByRole("textbox", { name: "The program" });
  const ended = () => page.locator('[data-figure="code"][data-run="ended"]').waitFor();
  const run = async (code) => {
    await editor.fill(code);
    await figure.getByRole("button", { name: "Run", exact: true }).click();
    await ended();
  };
  return { page, complaints, figure, editor, run, ended, gave: () => figure.locator("[data-gave]").innerText(), failure: () => figure.locator("[data-failure]").innerText() };
}

describe("a program", { timeout: 900_000 }, () => {
  test("of the page's own runs on the visitor's trees and meets the bound; another has another score", async () => {
    const { page, complaints, figure, ended, gave } = await open();
    assert.equal(await figure.getAttribute("data-run"), "idle");
    await figure.getByRole("button", { name: "Run", exact: true }).click();
    await ended();
    assert.equal(JSON.parse(await gave()).length, 4);
    const score = figure.locator(".score");
    // A launch of look-ups, four levels of joins, a launch of guesses.
    assert.deepEqual([await score.getAttribute("data-launches"), await score.getAttribute("data-bound")], ["6", "6"]);
    await figure.getByRole("slider", { name: "Launch" }).focus();
    await page.keyboard.press("ArrowRight");
    assert.match(await figure.locator("[data-said]").innerText(), /^Launch 2 of 6: \d+ nodes of “join”/);
    await page.getByLabel("Your sentences, one a line").fill("a b\nc d");
    await figure.getByRole("button", { name: "Run", exact: true }).click();
    await page.waitForFunction(() => document.querySelector("[data-gave]")?.textContent.split(",").length === 2);
    assert.equal(await score.getAttribute("data-launches"), await score.getAttribute("data-bound"));
    assert.notEqual(await score.getAttribute("data-launches"), "6");
    for (const name of ["A loop that decides", "Learning"]) {
      await figure.getByRole("button", { name }).click();
      // What another program gave and ran is gone.
      assert.equal(await figure.locator("[data-gave], .score").count(), 0);
      await figure.getByRole("button", { name: "Run", exact: true }).click();
      await ended();
      assert.equal(await figure.locator("[data-failure]").count(), 0);
    }
    assert.match(await figure.locator("pre").innerText(), /^step 1: [\d.]+\n(.*\n)+step 10: [\d.]+$/);
    assert.deepEqual(complaints, []);
  });

  test("that is wrong is said by its line: as it is read, as it runs, and as the package refuses it", async () => {
    const { run, failure, figure } = await open();
    await run("const a = 1;\nconst = 2;");
    assert.match(await failure(), /^Line 2: .*SyntaxError/);
    await run("\n\nnull.field;");
    assert.match(await failure(), /^Line 3: TypeError: /);
    await run('const parameters = new Parameters();\nconst out = parameters.linear("out", 4, 2);\nawait parameters.run((graph) =>\n  out(graph.input(1, 3)).value());');
    assert.match(await failure(), /^Line 4: OptionError: .*4 columns/);
    assert.equal(await figure.locator("li.wrong").innerText(), "4");
    await figure.getByRole("button", { name: "Learning" }).click();
    assert.equal(await figure.locator("[data-failure], li.wrong, [aria-invalid=true]").count(), 0);
    await run("throw { reason: 7 };");
    assert.match(await failure(), /"reason":7/);
    await run("setTimeout(() => { throw new Error('later') }); await new Promise(() => {});");
    assert.match(await failure(), /later/);
    // Also where nobody waits for it.
    await run("\nnew Parameters().run(async (graph) => { await graph.input(1, 1).value(); nope(); });");
    assert.match(await failure(), /^Line 2: ReferenceError: nope/);
    // What is left open is missed at the end.
    for (const open of ["if (true) {", "const text = `a"]) {
      await run(open);
      assert.match(await failure(), /^Line 1: .*SyntaxError/);
      assert.equal(await figure.locator("li.wrong").innerText(), "1");
    }
    await run("return 5;");
    assert.equal(await figure.locator("[data-failure]").count(), 0);
  });

  test("reaches nothing: no network, no import, no socket, no other worker's, no storage, nothing of the page", async () => {
    const { page, run, gave } = await open();
    const at = place();
    await run(`
      const tries = {
        fetch: () => fetch("${at}/fetch"),
        blind: () => fetch("${at}/blind", { mode: "no-cors" }),
        own: () => fetch("${server.url}index.html"),
        import: () => import("${at}/import.js"),
        data: () => import("data:text/javascript,export default 1"),
        scripts: () => importScripts("${at}/scripts.js"),
        request: () => new Promise((resolve, reject) => {
          const request = new XMLHttpRequest();
          request.open("GET", "${at}/request");
          request.onload = resolve;
          request.onerror = () => reject(new Error("error"));
          request.send();
        }),
        socket: () => new Promise((resolve, reject) => {
          const socket = new WebSocket("${at.replace("http", "ws")}/socket");
          socket.onopen = resolve;
          socket.onerror = () => reject(new Error("error"));
        }),
        events: () => new Promise((resolve, reject) => {
          const source = new EventSource("${at}/events");
          source.onopen = resolve;
          source.onerror = () => reject(new Error("error"));
        }),
        worker: () => new Promise((resolve, reject) => {
          const inner = 'fetch("${at}/inner").then(() => postMessage("reached"), () => postMessage("refused"))';
          const worker = new Worker(URL.createObjectURL(new Blob([inner])));
          worker.onmessage = ({ data }) => (data === "reached" ? resolve() : reject(new Error(data)));
          worker.onerror = () => reject(new Error("error"));
        }),
        storage: () => new Promise((resolve, reject) => {
          const asked = indexedDB.open("any");
          asked.onsuccess = resolve;
          asked.onerror = () => reject(asked.error);
        }),
        caches: () => caches.open("any"),
        page: () => { if (typeof document !== "undefined" || typeof window !== "undefined") return 1; throw new Error("none"); },
      };
      const found = {};
      for (const [name, attempt] of Object.entries(tries)) found[name] = await Promise.resolve().then(attempt).then(() => "reached", () => "refused");
      return found;`);
    const found = JSON.parse(await gave());
    assert.equal(Object.keys(found).length, 13);
    for (const [name, what] of Object.entries(found)) assert.equal(what, "refused", name);
    assert.deepEqual(trapped, []);
    // What closes the function early runs before the runtime, and is as closed in.
    await run(`}\nconst first = fetch("${at}/first").then(() => "reached", () => "refused");\nprogram = () => first;\n{`);
    assert.equal(await gave(), "refused");
    assert.deepEqual(trapped, []);
    assert.ok(await page.evaluate(() => !("reached" in globalThis)));
  });

  test("ends, though it loops for ever, or waits for ever", async () => {
    const { run, failure } = await open("#batch/code", { limited: true });
    await run("for (;;);");
    assert.match(await failure(), /did not end within 8 seconds/);
    await run("await new Promise(() => {});");
    assert.match(await failure(), /did not end within 8 seconds/);
    // Before the runtime as well, whose word starts no clock.
    await run("}\nfor (;;);\n{");
    assert.match(await failure(), /did not end within 8 seconds/);
  });

  test("ends when it tells or records for ever, or is stopped, and the page goes on", async () => {
    const { page, run, failure, editor, figure } = await open();
    await run("}\naddEventListener('message', ({ ports: [port] }) => { for (let n = 0; n < 20000; n++) port.postMessage({ type: 'logged', text: 'x' }); });\nprogram = () => new Promise(() => {});\n{");
    assert.match(await failure(), /may tell something 10000 times/);
    await run('const parameters = new Parameters();\nawait parameters.run((graph) => {\n  for (;;) graph.input(1, 1);\n});');
    assert.match(await failure(), /^Line 3: RangeError: .*50000 nodes/);
    await run("const parameters = new Parameters();\nawait parameters.run((graph) => {\n  for (;;) graph.input(1000, 1000);\n});");
    assert.match(await failure(), /^Line 3: RangeError: .*numbers/);
    await editor.fill("for (;;);");
    await figure.getByRole("button", { name: "Run", exact: true }).click();
    await figure.getByRole("button", { name: "Stop", exact: true }).click();
    assert.match(await failure(), /was stopped/);
    await run("return 7;");
    assert.equal(await figure.locator("[data-gave]").innerText(), "7");
    assert.equal(await page.locator("iframe").count(), 0);
  });

  test("that wants all memory ends with the sandbox's own process, and the page goes on", async () => {
    // Playwright takes the end of a frame's process for the page's. Puppeteer has frames in the page's process, unless its own choice
    // of features is left out: a browser of people's gives a frame without an origin one of its own.
    const alone = puppeteer.defaultArgs().filter((argument) => argument.startsWith("--disable-features"));
    const chromium = await puppeteer.launch({ executablePath: findChromium(), args: ["--no-sandbox"], ignoreDefaultArgs: alone, protocolTimeout: PATIENCE_MS });
    try {
      const page = await chromium.newPage();
      page.setDefaultTimeout(PATIENCE_MS);
      const crashes = [];
      page.on("error", ({ message }) => crashes.push(message));
      const code = "const all = []; for (;;) all.push(new Array(1e6).fill(1.5));";
      await page.goto(`${server.url}#batch/code?${new URLSearchParams({ code })}`);
      const figure = '[data-figure="code"]';
      await (await page.waitForSelector(`${figure} .controls button`)).click();
      await page.waitForSelector(`${figure}[data-run="ended"]`);
      assert.ok((await page.$eval(`${figure} [data-failure]`, ({ textContent }) => textContent)).length > 0);
      assert.equal(await page.evaluate(() => document.querySelectorAll("iframe").length), 0);
      assert.deepEqual(crashes, []);
    } finally {
      await chromium.close();
    }
  });

  test("cannot say what it is not asked, nor write into the page", async () => {
    const { page, run, figure, gave } = await open();
    await page.evaluate(() => (window.touched = false));
    const markup = "<img src=x onerror='parent.touched = true'>";
    // Who holds its own channel may say what a program says, in its words, and nothing else.
    await run(`
}
addEventListener("message", ({ ports: [port] }) => {
  for (const forged of [null, 7, "ended", {}, { type: "opened" }, { type: "ran", launches: [{ op: 1 }], count: 1, nodes: 1, lowerBound: 1, graph: 1 }, { type: "ran", launches: [], count: -1, nodes: 1, lowerBound: 1, graph: 1 }]) port.postMessage(forged);
});
program = async () => {
      postMessage({ type: "ended", text: "forged" });
      console.log("${markup}");
      console.log("x".repeat(1e6));
      for (let n = 0; n < 1000; n++) console.log(n);
      return "${markup}";
};
{`);
    assert.equal(await gave(), markup);
    const wrote = await figure.locator("pre").first().innerText();
    assert.ok(wrote.split("\n").length <= 100 && wrote.length < 5000);
    assert.equal(await figure.locator("img").count(), 0);
    assert.equal(await figure.locator(".score").count(), 0);
    // A window of the page that says that it is the sandbox is not heard, also while there is one.
    await page.evaluate(() => {
      window.forged = 0;
      setInterval(() => {
        if (!document.querySelector("iframe")) return;
        postMessage({ type: "ended", text: "forged" }, "*");
        window.forged += 1;
      }, 10);
    });
    await run("await new Promise((resolve) => setTimeout(resolve, 1500));\nreturn 6;");
    assert.ok((await page.evaluate(() => window.forged)) > 0);
    assert.equal(await gave(), "6");
    assert.equal(await page.evaluate(() => window.touched), false);
  });

  test("that writes much has the last of it shown, and how much it was", async () => {
    const { run, figure, failure } = await open();
    await run('for (let step = 1; step <= 200; step++) console.log("step " + step);\nconsole.log("x".repeat(3000));');
    await figure.getByText("It wrote 201 lines. These are the last 100.").waitFor();
    const wrote = (await figure.locator("pre").innerText()).split("\n");
    assert.deepEqual([wrote.length, wrote.at(0), wrote.at(-2), wrote.at(-1)], [100, "step 102", "step 200", `${"x".repeat(1999)}…`]);
    await run("for (let n = 1; ; n++) console.log(n);");
    assert.match(await failure(), /may tell something 10000 times/);
    assert.match(await figure.locator("pre").innerText(), /\n10000$/);
  });

  test("of a link is shown, and runs when the visitor starts it; what is written is in the address", async () => {
    const link = 'console.log("ran"); return 3;';
    const { page, figure, editor, ended, gave } = await open(`#batch/code?${new URLSearchParams({ code: link })}`);
    assert.equal(await editor.inputValue(), link);
    await figure.getByText("This program came with the link.").waitFor();
    assert.equal(await figure.getAttribute("data-run"), "idle");
    assert.equal(await page.locator("iframe").count(), 0);
    await figure.getByRole("button", { name: "Run", exact: true }).click();
    await ended();
    assert.equal(await gave(), "3");
    assert.equal(await figure.getByText("This program came with the link.").count(), 0);
    await editor.fill("return 4;");
    await page.waitForFunction(() => new URLSearchParams(location.hash.split("?")[1]).get("code") === "return 4;");
    await figure.getByRole("button", { name: "A tree", exact: true }).click();
    await page.waitForFunction(() => !location.hash.includes("code="));
    // What was written is nobody's link, also after another chapter.
    await editor.fill("return 9;");
    await page.waitForFunction(() => location.hash.includes("code="));
    await page.locator("header").getByRole("link", { name: "Read", exact: true }).click();
    await page.locator('[data-chapter="read"]').waitFor();
    await page.locator("header").getByRole("link", { name: "Batch", exact: true }).click();
    await figure.waitFor();
    assert.equal(await editor.inputValue(), "return 9;");
    assert.equal(await figure.getByText("This program came with the link.").count(), 0);
    // One that is too long for the address is there when the page is loaded again.
    const long = "return 9; // again\n".repeat(200);
    await editor.fill(long);
    await page.waitForFunction(() => !location.hash.includes("code="));
    await page.reload();
    await figure.waitFor();
    assert.equal(await editor.inputValue(), long);
    assert.equal(await figure.getByText("This program came with the link.").count(), 0);
  });

  test("of the visitor's own is led back to behind those of the page and of a link, and is nobody's link when the page is loaded again", async () => {
    const own = "return 5;";
    const { page, complaints, figure, editor } = await open();
    await editor.fill(own);
    const back = figure.getByRole("button", { name: "Back to your program" });
    assert.equal(await back.count(), 0);
    for (const name of ["Learning", "A loop that decides", "A tree"]) await figure.getByRole("button", { name, exact: true }).click();
    assert.match(await editor.inputValue(), /const grow/);
    await back.click();
    assert.equal(await editor.inputValue(), own);
    assert.equal(await back.count(), 0);
    assert.ok(await page.evaluate(() => document.activeElement !== document.body));
    await page.waitForFunction(() => location.hash.includes("code="));
    await page.reload();
    await figure.waitFor();
    assert.equal(await editor.inputValue(), own);
    assert.equal(await figure.getByText("This program came with the link.").count(), 0);
    // That of somebody else's address still is.
    await page.evaluate(() => (location.hash = `#batch/code?${new URLSearchParams({ code: "return 6;" })}`));
    await figure.getByText("This program came with the link.").waitFor();
    await back.click();
    assert.equal(await editor.inputValue(), own);
    assert.equal(await figure.getByText("This program came with the link.").count(), 0);
    // One of the page's own is not the visitor's, whenever it was chosen.
    await figure.getByRole("button", { name: "Learning", exact: true }).click();
    await page.waitForURL(/code=.*Adam/);
    await page.reload();
    await figure.waitFor();
    await figure.getByRole("button", { name: "A tree", exact: true }).click();
    assert.match(await editor.inputValue(), /const grow/);
    assert.equal(await back.count(), 0);
    assert.deepEqual(complaints, []);
  });

  test("of a link is one also behind the page's own and the visitor's, until it has run", async () => {
    const { complaints, figure, editor, ended } = await open(`#batch/code?${new URLSearchParams({ code: "return 7;" })}`);
    const linked = figure.getByText("This program came with the link.");
    const back = figure.locator(".back");
    await linked.waitFor();
    await figure.getByRole("button", { name: "A tree", exact: true }).click();
    assert.equal(await linked.count(), 0);
    await editor.fill("return 8;");
    assert.equal(await back.innerText(), "Back to the program of the link");
    await back.click();
    assert.equal(await editor.inputValue(), "return 7;");
    await linked.waitFor();
    assert.equal(await back.innerText(), "Back to your program");
    await back.click();
    assert.equal(await editor.inputValue(), "return 8;");
    assert.equal(await linked.count(), 0);
    await back.click();
    await figure.getByRole("button", { name: "Run", exact: true }).click();
    await ended();
    await figure.getByRole("button", { name: "A tree", exact: true }).click();
    assert.equal(await back.innerText(), "Back to your program");
    assert.deepEqual(complaints, []);
  });

  test("of more launches than are drawn has all of them counted", async () => {
    const { run, figure } = await open();
    await run("const parameters = new Parameters();\nreturn parameters.run((graph) => {\n  let x = graph.input(1, 1);\n  for (let n = 0; n < 2500; n++) x = x.tanh();\n  return x.scalar();\n});");
    assert.equal(await figure.locator(".score").getAttribute("data-launches"), "2501");
    await figure.getByText("The first 2,000 are drawn.").waitFor();
  });

  test("is written by keyboard alone: Tab indents, Enter keeps the indentation, Esc and Tab leave, Ctrl and Enter run", async () => {
    const { page, editor, ended, gave } = await open();
    await editor.fill("");
    await editor.focus();
    await page.keyboard.press("Tab");
    await page.keyboard.type("const a = 2;");
    await page.keyboard.press("Enter");
    await page.keyboard.type("return a;");
    assert.equal(await editor.inputValue(), "  const a = 2;\n  return a;");
    await page.keyboard.press("Control+z");
    assert.notEqual(await editor.inputValue(), "  const a = 2;\n  return a;");
    await editor.fill("return 8;");
    await page.keyboard.press("Control+Enter");
    await ended();
    assert.equal(await gave(), "8");
    await page.keyboard.press("Escape");
    await page.keyboard.press("Tab");
    assert.equal(await editor.evaluate((element) => element === document.activeElement), false);
    await page.keyboard.press("Shift+Tab");
    assert.equal(await editor.evaluate((element) => element === document.activeElement), true);
  });

  for (const colorScheme of ["light", "dark"]) {
    test(`has nothing that axe finds serious, ${colorScheme}, with a score and with a mistake`, async () => {
      const { page, run, figure, ended } = await open("#batch/code", { colorScheme });
      const serious = async () => {
        await page.evaluate(readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8"));
        const { violations } = await page.evaluate(() => globalThis.axe.run(document));
        return violations.filter(({ impact }) => impact === "serious" || impact === "critical").map(({ id, nodes }) => [id, nodes.map(({ html }) => html)]);
      };
      await figure.getByRole("button", { name: "Run", exact: true }).click();
      await ended();
      assert.deepEqual(await serious(), []);
      await run("const = 1;");
      assert.deepEqual(await serious(), []);
    });
  }

  test("fits a phone", async () => {
    for (const width of [320, 390]) {
      const { page, figure, ended } = await open("#batch/code", { viewport: { width, height: 640 } });
      for (const name of ["A loop that decides", "A tree"]) {
        await figure.getByRole("button", { name, exact: true }).click();
        await figure.getByRole("button", { name: "Run", exact: true }).click();
        await ended();
        assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), `${width} ${name}`);
      }
      await page.context().close();
    }
  });
});
