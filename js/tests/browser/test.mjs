/** As much of `node:test` as the tests of both threads use, for a page: `run` runs what was described. */

let suite = { name: "", before: [], after: [], parts: [] };

export function describe(name, body) {
  const outer = suite;
  suite = { name, before: [], after: [], parts: [] };
  outer.parts.push(suite);
  body();
  suite = outer;
}

export function test(name, body) {
  suite.parts.push({ name, body });
}

export function before(hook) {
  suite.before.push(hook);
}

export function after(hook) {
  suite.after.push(hook);
}

/** An error with all that is known of it: in Firefox and WebKit its stack does not say what it says. */
function told(error) {
  if (!(error instanceof Error)) return String(error);
  const said = `${error.name}: ${error.message}`;
  const stack = error.stack ?? "";
  return stack.startsWith(said) ? stack : `${said}\n${stack}`;
}

/** Runs every test, and tells of each whose name it is and, if it failed, why. */
export async function run({ name, before, after, parts, body } = suite, path = []) {
  const here = name ? [...path, name] : path;
  if (body) {
    const failure = await Promise.resolve().then(body).then(() => null, told);
    return [{ name: here.join(" > "), failure }];
  }
  const results = [];
  for (const hook of before) await hook();
  for (const part of parts) results.push(...(await run(part, here)));
  for (const hook of after) await hook();
  return results;
}
