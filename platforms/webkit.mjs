/** WebKitGTK's MiniBrowser on a screen that nobody sees, by Selenium. */

import { spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Builder, Capabilities, Key } from "selenium-webdriver";

const names = { Tab: Key.TAB, Enter: Key.ENTER, Home: Key.HOME, End: Key.END, Escape: Key.ESCAPE, Control: Key.CONTROL };
for (const direction of ["Up", "Down", "Left", "Right"]) names[`Arrow${direction}`] = Key[`ARROW_${direction.toUpperCase()}`];

/** A port that nothing listens on. */
function freePort() {
  return new Promise((resolve) => {
    const server = createServer().listen(0, "127.0.0.1", () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}

/** The screen that an X server without one chose. */
function screenOf(server) {
  return new Promise((resolve, reject) => {
    server.stdout.once("data", (number) => resolve(`:${String(number).trim()}`));
    server.once("error", reject);
    server.once("exit", (status) => reject(new Error(`Xvfb ended with ${status}`)));
  });
}

/** Asks until the driver listens. */
async function listening(url) {
  for (let asked = 0; ; asked++) {
    const answer = await fetch(`${url}/status`).catch(() => null);
    if (answer?.ok) return;
    if (asked === 2000) throw new Error("WebKitWebDriver does not answer");
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** Starts the browser, its driver and its screen; `close` ends all three. */
export async function webkitBrowser(binary) {
  // GTK's settings are where WebKit reads that no motion is wanted.
  const home = mkdtempSync(join(tmpdir(), "saccade-webkit-"));
  mkdirSync(join(home, "gtk-3.0"));
  writeFileSync(join(home, "gtk-3.0", "settings.ini"), "[Settings]\ngtk-enable-animations=false\n");
  const screen = spawn("Xvfb", ["-displayfd", "1", "-screen", "0", "1600x1000x24", "-nolisten", "tcp"], { stdio: ["ignore", "pipe", "ignore"] });
  const port = await freePort();
  const env = { ...process.env, DISPLAY: await screenOf(screen), XDG_CONFIG_HOME: home, LIBGL_ALWAYS_SOFTWARE: "1" };
  // As root there are no namespaces to put its processes in.
  if (process.getuid?.() === 0) env.WEBKIT_DISABLE_SANDBOX_THIS_IS_DANGEROUS = "1";
  const driver = spawn("WebKitWebDriver", [`--port=${port}`], { env, stdio: "ignore" });
  const url = `http://127.0.0.1:${port}`;
  const end = () => {
    driver.kill();
    screen.kill();
    rmSync(home, { recursive: true, force: true });
  };
  try {
    await listening(url);
    const capabilities = new Capabilities({ browserName: "MiniBrowser", "webkitgtk:browserOptions": { binary, args: ["--automation"] } });
    const session = await new Builder().usingServer(url).withCapabilities(capabilities).build();
    await session.manage().setTimeouts({ script: 600_000, pageLoad: 240_000 });
    return {
      version: (await session.getCapabilities()).get("browserVersion"),
      page: pageOf(session),
      close: async () => {
        await session.quit().finally(end);
      },
    };
  } catch (error) {
    end();
    throw error;
  }
}

function pageOf(session) {
  return {
    goto: (url) => session.get(url),
    async evaluate(work, argument) {
      const script = `const [argument, done] = arguments;
        Promise.resolve().then(() => (${work})(argument)).then((value) => done({ value }), (error) => done({ failure: \`\${error}\\n\${error?.stack}\` }));`;
      const { value, failure } = await session.executeAsyncScript(script, argument ?? null);
      if (failure) throw new Error(failure);
      return value;
    },
    async press(keys) {
      const held = keys.split("+").map((key) => names[key] ?? key.toLowerCase());
      const key = held.pop();
      const actions = session.actions();
      for (const name of held) actions.keyDown(name);
      actions.sendKeys(key);
      for (const name of held) actions.keyUp(name);
      await actions.perform();
    },
    type: (text) => session.actions().sendKeys(text).perform(),
    /** As near as the window's frame lets it come. */
    async resize(width, height) {
      const [w, h] = await session.executeScript("return [innerWidth, innerHeight]");
      const rectangle = await session.manage().window().getRect();
      await session.manage().window().setRect({ width: width + rectangle.width - w, height: height + rectangle.height - h });
    },
    async screenshot(path) {
      writeFileSync(path, await session.takeScreenshot(), "base64");
    },
  };
}
