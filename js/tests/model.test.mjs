/** Models: the same in this thread and in a worker, in Node and in a page. */

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { reasonInWords } from "../dist/words.js";
import { difference } from "./fixture.mjs";
import { AbortError, address, bytesOf, devices, DisposedError, init, load, ModelError, race, SaccadeError, hasGpu } from "./package.mjs";

const path = (name) => `models/${name}.safetensors`;
const file = (name) => address(path(name));
const SMALL = "sst2-skim-lstm-small";
const turn = () => new Promise((resolve) => setTimeout(resolve));
const TEXT = "A quiet, generous film; it doesn't hurry, and I wouldn't have missed a minute.";
const LONG = `${TEXT} `.repeat(200);
/** How far apart two ways to read one text may lie. */
const BOUND = 1e-5;

const probabilities = (reading) => reading.scores.map(({ probability }) => probability);

function assertSame(a, b) {
  assert.ok(difference(probabilities(a), probabilities(b)) <= BOUND, `${probabilities(a)}, ${probabilities(b)}`);
  assert.deepEqual(
    a.tokens.map(({ text, start, end, decision }) => [text, start, end, decision]),
    b.tokens.map(({ text, start, end, decision }) => [text, start, end, decision]),
  );
  assert.deepEqual(a.flops, b.flops);
}

describe("a model", () => {
  let model;
  before(async () => (model = await load(file(SMALL))));
  after(() => model.dispose());

  test("says where it reads and why", async () => {
    assert.equal(model.device, "cpu");
    assert.match(model.deviceReason, /^CPU/);
    const { webgpu, cpu } = await devices();
    assert.deepEqual([cpu.usable, webgpu.usable, webgpu.adapter === null], [true, hasGpu, !hasGpu]);
    assert.equal(webgpu.reason === null, hasGpu);
    const reading = await model.read(TEXT, { device: "webgpu" });
    assert.match(reading.deviceReason, hasGpu ? /^WebGPU, as asked/ : /^CPU, since/);
    const { cpu: cost, webgpuAbsent } = await model.calibrate();
    // Short of a tick of the clock a token may seem to take no time.
    assert.ok(Number.isFinite(cost.tokenMs) && cost.tokenMs >= 0 && !webgpuAbsent === hasGpu);
    const only = { device: "webgpu-only" };
    if (hasGpu) {
      const [{ probability }] = (await model.read(TEXT, only)).scores;
      assert.ok(Math.abs(probability - (await model.read(TEXT, { device: "cpu" })).scores[0].probability) <= 1e-4);
      return;
    }
    await assert.rejects(model.read(TEXT, only), { code: "DEVICE_UNAVAILABLE" });
    await assert.rejects(load(file(SMALL), only), { code: "DEVICE_UNAVAILABLE" });
  });

  test("says which device is the faster, and when launching is most of the cost", () => {
    const words = (cpuMs, gpuMs) => reasonInWords({ code: "measured", tokens: 30, cpuMs, gpuMs, gpuFixedMs: 2 });
    assert.equal(words(0.31, 2.03), "CPU, for 30 tokens the faster as measured here: CPU 0.31 ms, WebGPU 2.0 ms, most of it launch cost");
    assert.equal(words(30.1, 5), "WebGPU, for 30 tokens the faster as measured here: CPU 30 ms, WebGPU 5.0 ms");
    const reason = { code: "measured", tokens: 30, cpuMs: 1, gpuMs: 5, gpuFixedMs: 0 };
    assert.match(reasonInWords(reason, { what: "text", done: "read", units: "letters" }), /^CPU, for 30 letters the faster/);
  });

  test("cuts rare Unicode as the native build does", async () => {
    const cases = JSON.parse(new TextDecoder().decode(await bytesOf("crate/tests/fixtures/unicode.json")));
    assert.ok(cases.length > 10);
    for (const { text, tokens } of cases) {
      const found = await model.tokenize(text);
      assert.deepEqual(found.map(({ text, start, end }) => [text, start, end]), tokens, JSON.stringify(text));
    }
  });

  test("is inspected", async () => {
    const { config, parameters, tensors } = await model.inspect();
    assert.deepEqual(config.labels, ["negative", "positive"]);
    const size = tensors.reduce((sum, { shape }) => sum + shape.reduce((a, b) => a * b), 0);
    assert.equal(size, parameters);
    assert.ok(tensors.some(({ name }) => name === "encoder.0.big.weight_ih"));
  });

  test("is saved as the file that it was loaded from, again and again", async () => {
    const [first, second] = [await model.save(), await model.save()];
    assert.deepEqual(first, second);
    // It is the caller's own.
    first.fill(0);
    const again = await load(await model.save(), { warmUp: false });
    assertSame(await again.read(TEXT), await model.read(TEXT));
    again.dispose();
    await assert.rejects(again.save(), DisposedError);
  });

  test("reads many texts together as one by one", async () => {
    const texts = Array.from({ length: 600 }, (_, i) => TEXT.slice(i % 30));
    const told = [];
    const together = await model.readAll(texts, { onProgress: ({ done, total }) => told.push([done, total]) });
    assert.equal(together.length, texts.length);
    assert.deepEqual(told.at(-1), [600, 600]);
    assert.ok(told.every(([done], i) => i === 0 || done > told[i - 1][0]));
    for (const i of [0, 17, 511, 512, 599]) assertSame(together[i], await model.read(texts[i]));
    const mixed = [TEXT, LONG.repeat(2), "a", LONG.repeat(2)];
    const readings = await model.readAll(mixed);
    for (const [i, text] of mixed.entries()) assertSame(readings[i], await model.read(text));
    const none = [];
    assert.deepEqual(await model.readAll([], { onProgress: (progress) => none.push(progress) }), []);
    assert.deepEqual(none, [{ done: 0, total: 0 }]);
  });

  test("streams the tokens that a reading has", async () => {
    // The model has been calibrated: unless told, each call would choose its device, and two devices differ in the last bits.
    const device = "cpu";
    const reading = await model.read(LONG, { device });
    const tokens = [];
    let before = 0;
    const onProgress = ({ done }) => done < reading.tokens.length && (before ||= tokens.length + 1);
    for await (const token of model.stream(LONG, { device, onProgress })) {
      tokens.push(token);
    }
    assert.ok(before > 0, "there was more than one piece");
    assert.deepEqual(tokens, reading.tokens.map(({ timeUs, ...token }) => token));
    let seen = 0;
    for await (const token of model.stream(LONG)) {
      assert.equal(token.start, reading.tokens[seen].start);
      if (++seen === 3) break;
    }
    const stop = new AbortController();
    const rest = model.stream(LONG, { signal: stop.signal });
    await rest.next();
    stop.abort();
    await assert.rejects(async () => { for await (const _ of rest); }, { code: "ABORTED" });
    // Be all of them decided.
    const gone = await load(file(SMALL), { warmUp: false });
    for (const [end, error] of [
      [(stop) => stop.abort("enough"), { code: "ABORTED", cause: "enough" }],
      [() => gone.dispose(), { code: "DISPOSED" }],
    ]) {
      const stop = new AbortController();
      let given = 0;
      const all = async () => {
        for await (const _ of gone.stream(TEXT, { signal: stop.signal })) if (++given === 2) end(stop);
      };
      await assert.rejects(all(), error);
      assert.equal(given, 2);
    }
  });

  test("reads on from where the text changed", async () => {
    const reader = model.reader();
    const typed = "I did not like this film, but";
    for (let end = 0; end <= typed.length; end++) {
      assertSame(await reader.update(typed.slice(0, end)), await model.read(typed.slice(0, end)));
      assert.ok(reader.computed <= 2, `${typed.slice(0, end)}: ${reader.computed}`);
    }
    const whole = `${typed} I liked its end very much .`;
    assertSame(await reader.append(whole.slice(typed.length)), await model.read(whole));
    assert.equal(reader.computed, 7);
    assert.equal(reader.text, whole);
    await reader.update(whole.replace("not", "really"));
    assert.ok(reader.computed > 7);
    const forced = { force: { 0: "read", 3: "skim", 9: "read" } };
    const steered = model.reader(forced);
    await steered.update("not");
    await steered.update(typed);
    assertSame(await steered.update(TEXT), await model.read(TEXT, forced));
    const both = [reader.update("one"), reader.update("one two")];
    const [one, two] = await Promise.all(both);
    assert.deepEqual([one.tokens.length, two.tokens.length], [1, 2]);
    const stop = new AbortController();
    await assert.rejects(reader.update(LONG, { signal: stop.signal, onProgress: () => stop.abort() }), { code: "ABORTED" });
    const [after, hidden] = await Promise.all([reader.update(TEXT), reader.hidden()]);
    assertSame(after, await model.read(TEXT));
    assert.equal(hidden.tokens.length, after.tokens.length);
    // Stopped in its midst, the text is still what was said last.
    const midst = new AbortController();
    await assert.rejects(reader.update(LONG, { signal: midst.signal, onProgress: () => midst.abort() }), { code: "ABORTED" });
    const [inside, afresh] = [await reader.hidden(), await model.hidden(LONG)];
    assert.deepEqual(inside.tokens, afresh.tokens);
    inside.layers.forEach(({ name, states }, at) => assert.deepEqual(states, afresh.layers[at].states, name));
    // Stopped before it began, it has said nothing.
    for (const call of ["update", "append"]) {
      await assert.rejects(reader[call]("other", { signal: AbortSignal.abort() }), { code: "ABORTED" });
      assert.equal(reader.text, LONG);
    }
    // Stopped after that and before the engine heard of it, it has said it all the same.
    await reader.update(TEXT);
    const unheard = new AbortController();
    const never = assert.rejects(reader.update("so so", { signal: unheard.signal }), { code: "ABORTED" });
    unheard.abort();
    await never;
    assert.deepEqual((await reader.hidden()).tokens.map(({ text }) => text), ["so", "so"]);
    const told = reader.update("so", { onProgress: () => new Promise((resolve) => setTimeout(resolve, 20)) });
    assert.deepEqual((await reader.hidden()).tokens, (await told).tokens);
    const late = assert.rejects(Promise.all([reader.update(LONG), reader.update("y")]), DisposedError);
    reader.dispose();
    await late;
    await assert.rejects(reader.update("x"), DisposedError);
  });

  test("shows its states, memories and gates", async () => {
    await assert.rejects(model.hidden(TEXT, { measureMs: 5 }), { code: "OPTION_INVALID", message: /measureMs/ });
    const reading = await model.read(TEXT);
    const { tokens, layers, scores } = await model.hidden(TEXT);
    const places = (tokens) => tokens.map(({ text, start, end, decision }) => [text, start, end, decision]);
    assert.deepEqual(places(tokens), places(reading.tokens));
    const [words, skim] = layers;
    assert.deepEqual([words.kind, words.direction, words.states.length], ["embedding", undefined, tokens.length * words.size]);
    assert.deepEqual([skim.kind, skim.direction, skim.name], ["skim", "forward", "encoder.0"]);
    assert.ok(difference(scores.slice(-2), probabilities(reading)) <= BOUND);
    const { size, smallSize, states, cells, gates, logits } = skim;
    assert.deepEqual(Object.keys(gates), ["input", "forget", "cell", "output"]);
    for (const [t, token] of tokens.entries()) {
      const [read, skims] = logits.subarray(2 * t, 2 * t + 2);
      const probability = 1 / (1 + Math.exp(read - skims));
      assert.ok(Math.abs(probability - token.skimProbability) < BOUND);
      const width = token.decision === "skim" ? smallSize : size;
      for (let j = 0; j < size; j++) {
        const at = t * size + j;
        const before = t > 0 ? cells[at - size] : 0;
        if (j >= width) {
          assert.deepEqual([gates.input[at], gates.output[at]], [0, 0]);
          assert.equal(cells[at], before);
        } else {
          const c = gates.forget[at] * before + gates.input[at] * gates.cell[at];
          assert.ok(Math.abs(c - cells[at]) < BOUND);
          assert.ok(Math.abs(gates.output[at] * Math.tanh(c) - states[at]) < BOUND);
        }
      }
    }
  });

    test("compare times a text in several ways, taking turns, and its account adds up", async () => {
    const rounds = [];
    const onRound = ({ rounds: done, samples }) => rounds.push([done, Object.values(samples).map(({ length }) => length)]);
    const found = await model.compare(TEXT, { device: "cpu", rounds: 5, sampleMs: 1, onRound, against: model });
    assert.deepEqual(rounds, [1, 2, 3, 4, 5].map((n) => [n, [n, n, n, n]]));
    assert.equal(found.device, "cpu");
    for (const { least, low, median, high, most } of [found.reading, found.everyWord, found.other]) {
      assert.ok(0 < least && least <= low && low <= median && median <= high && high <= most);
    }
    const { read, skimmed, fixedMs, readMs, skimMs, totalMs } = found.account;
    assert.equal(read + skimmed, 20);
    assert.ok(Math.abs(fixedMs + read * readMs + skimmed * skimMs - totalMs) < 1e-9);
    assert.equal(totalMs, found.reading.median);
    assert.deepEqual([found.elsewhere, found.absent], [null, {}]);
  });

  test("compare times the reading with kept products as well if it is asked to, and leaves the model as it was", async () => {
    const before = await model.read(TEXT, { device: "cpu" });
    for (const wordCache of [true, false]) {
      const found = await model.compare(TEXT, { device: "cpu", rounds: 5, sampleMs: 1, wordCache, against: model });
      assert.equal(found.kept !== null, wordCache);
      if (found.kept) assert.ok(0 < found.kept.least && found.kept.factor.median > 0);
      assert.deepEqual([found.account.read, found.absent], [before.tokens.filter(({ decision }) => decision === "read").length, {}]);
    }
    assert.deepEqual((await model.read(TEXT, { device: "cpu" })).scores, before.scores);
  });

  test("a race lets functions and readings take turns", async () => {
    const heard = [];
    const entrants = {
      reading: () => model.read(TEXT),
      failing: () => {
        throw new Error("no such thing");
      },
    };
    const onRound = ({ rounds, times }) => heard.push([rounds, Object.keys(times)]);
    const { samples, times, absent, rounds } = await race(entrants, { rounds: 5, sampleMs: 1, onRound });
    assert.deepEqual(heard, [1, 2, 3, 4, 5].map((n) => [n, ["reading"]]));
    assert.deepEqual([rounds, samples.reading.length, absent], [5, 5, { failing: "no such thing" }]);
    assert.ok(0 < times.reading.low && times.reading.low <= times.reading.median && times.reading.median <= times.reading.high);
    const never = { slow: () => new Promise(() => undefined) };
    const stop = new AbortController();
    setTimeout(() => stop.abort("enough"));
    const plain = await race({ a: { sample: () => 3 } }, { rounds: 2, sampleMs: 1, signal: new AbortController().signal });
    assert.deepEqual([plain.samples.a, plain.absent], [[3, 3], {}]);
    await assert.rejects(race(never, { signal: stop.signal }), { code: "ABORTED", cause: "enough" });
    await assert.rejects(race(entrants, { rounds: 5, sampleMs: 1, onRound: () => { throw new Error("mine"); } }), { code: "CALLBACK_FAILED" });
    const quick = { rounds: 5, sampleMs: 1 };
    await assert.rejects(race(entrants, { ...quick, onRound: () => Promise.reject(new Error("mine")) }), { code: "CALLBACK_FAILED", message: /mine/ });
    const told = [];
    await race(entrants, { ...quick, onRound: async ({ rounds }) => void (await turn(), told.push(rounds)) });
    assert.deepEqual(told, [1, 2, 3, 4, 5], "it waits for what it told");
    const unheard = new AbortController();
    const deaf = { ...quick, signal: unheard.signal, onRound: () => new Promise(() => unheard.abort("enough")) };
    await assert.rejects(race(entrants, deaf), { code: "ABORTED", cause: "enough" });
    for (const reason of [new SaccadeError("ENGINE", "not ours"), undefined]) {
      const early = AbortSignal.abort(reason);
      await assert.rejects(race(entrants, { signal: early }), { code: "ABORTED", cause: early.reason });
    }
    const members = ["toString", "constructor", "__proto__", "hasOwnProperty"];
    const named = (names, run) => Object.fromEntries(names.map((name) => [name, run]));
    const ran = await race(named(members, entrants.reading), quick);
    assert.deepEqual([Object.keys(ran.samples), Object.keys(ran.times), Object.keys(ran.absent)], [members, members, []]);
    assert.deepEqual(Object.keys((await race(named(members, entrants.failing), quick)).absent), members);
    for (const time of [Promise.resolve(1), Number.NaN, "1", undefined]) {
      await assert.rejects(race(entrants, { ...quick, clock: () => time }), { code: "CALLBACK_FAILED", message: /^clock: expected a number of milliseconds, found/ });
    }
    let early = 1e6;
    for (const clock of [() => 5, () => --early]) {
      await assert.rejects(race({ idle() {} }, { ...quick, clock }), { code: "OPTION_INVALID", message: /^clock: expected one that goes on, found one that shows nothing later than (5|999999)$/ });
    }
    await assert.rejects(race({ one: 1 }), { code: "OPTION_INVALID", message: /race: entrants\.one: expected a function/ });
    await assert.rejects(race({}, { round: 5 }), { code: "OPTION_INVALID", message: /did you mean rounds\?/ });
  });

  test("compare of a text that is read whole, or empty, has no other way; one of nothing has no account", async () => {
    const whole = await model.compare(TEXT, { threshold: 1, rounds: 5, sampleMs: 1, device: "cpu" });
    assert.deepEqual([whole.everyWord, whole.account.skimMs, whole.account.read], [null, null, 20]);
    const empty = await model.compare("", { rounds: 5, sampleMs: 1, device: "cpu" });
    assert.deepEqual([empty.everyWord, empty.account], [null, null]);
  });

  test("can be stopped at any time", async () => {
    const stopped = AbortSignal.abort(new Error("enough"));
    for (const call of [
      (options) => model.read(LONG, options),
      (options) => model.readAll([LONG, TEXT], options),
      (options) => model.hidden(LONG, options),
      (options) => model.reader().update(LONG, options),
      (options) => model.calibrate(options),
      (options) => model.steps(options),
      (options) => model.compare(TEXT, options),
      (options) => load(file(SMALL), options),
    ]) {
      await assert.rejects(call({ signal: stopped }), (error) => {
        assert.ok(error instanceof AbortError && error instanceof SaccadeError);
        assert.equal(error.code, "ABORTED");
        return true;
      });
    }
    const stop = new AbortController();
    let told = 0;
    const reading = model.read(LONG, { signal: stop.signal, onProgress: () => ++told === 1 && stop.abort("first piece") });
    await assert.rejects(reading, { code: "ABORTED", cause: "first piece" });
    for (const text of ["", TEXT, LONG]) {
      const late = new AbortController();
      const onProgress = ({ done, total }) => done === total && late.abort("at the end");
      await assert.rejects(model.read(text, { signal: late.signal, onProgress }), { code: "ABORTED", cause: "at the end" });
    }
    assert.equal((await model.read(TEXT)).tokens.length, 20);
  });

  test("refuses options that make no sense", async () => {
    for (const options of [{ threshold: 2 }, { threshold: NaN }, { force: { 99: "read" } }, { force: { 0: "look" } }, { measureMs: -1 }, { device: "tpu" }]) {
      await assert.rejects(model.read("a film", options), { code: "OPTION_INVALID" });
    }
    await assert.rejects(model.hidden("a film", { force: { 0: "read", 2: "skim" } }), { code: "OPTION_INVALID", message: /force: there is no token 2; the text has 2/ });
  });
});

test("weights of 16 bits read as those of 32 do", async () => {
  const [whole, halved] = await Promise.all(["f32", "bf16"].map((precision) => load(file(SMALL), { precision })));
  const [expected, found] = await Promise.all([whole, halved].map((model) => model.read(TEXT)));
  assert.equal(found.label, expected.label);
  const [off] = found.scores.map(({ probability }, i) => Math.abs(probability - expected.scores[i].probability));
  assert.ok(off > 0 && off < 0.02, `${off}`);
  await assert.rejects(load(file(SMALL), { precision: "16" }), { name: "OptionError", code: "OPTION_INVALID" });
});

test("dispose ends the calls under way, and all that come after", async () => {
  const model = await load(file(SMALL));
  const reader = model.reader();
  await reader.update("a");
  const calls = [model.read(LONG), model.readAll([LONG]), model.hidden(LONG), model.steps()];
  const seen = Promise.all(calls.map((call) => assert.rejects(call, { name: "DisposedError", code: "DISPOSED" })));
  model.dispose();
  model.dispose();
  await seen;
  await assert.rejects(model.read("a"), DisposedError);
  await assert.rejects(model.reader().update("a"), DisposedError);
  assert.equal((await reader.append(" film")).tokens.length, 2);
  if (Symbol.dispose) model[Symbol.dispose]();
});

describe("a file that is none", () => {
  for (const [what, part, code] of [
    ["cut short", (bytes) => bytes.subarray(0, bytes.length - 1), "MODEL_TRUNCATED"],
    ["some other text", () => new TextEncoder().encode("<!doctype html><title>Not found</title>"), "MODEL_INVALID"],
    ["nothing", () => new Uint8Array(), "MODEL_TRUNCATED"],
  ]) {
    test(what, async () => {
      const file = part(await bytesOf(path(SMALL)));
      await assert.rejects(load(file), (error) => error instanceof ModelError && error.code === code);
    });
  }
});

/** Space, and a mark of direction. */
const SILENT = /^[\s\u200f]*$/u;

test("spans index the string they came from, whatever it holds", async () => {
  const model = await load(file(SMALL));
  const parts = ["a", "film", " ", "  ", "don't", "🎬", "👩‍🚀", "e\u0301", "שלום", "مرحبا", "\ud83c", "\udfac", "…", "“", "\n", "\u200f", "n't", "\0"];
  let seed = 1;
  const random = (n) => (seed = (seed * 48271) % 2147483647) % n;
  const texts = Array.from({ length: 400 }, () => Array.from({ length: random(12) }, () => parts[random(parts.length)]).join(""));
  for (const [i, { tokens }] of (await model.readAll(texts)).entries()) {
    let end = 0;
    for (const token of tokens) {
      assert.ok(token.start >= end && token.end > token.start && token.end <= texts[i].length);
      assert.match(texts[i].slice(end, token.start), SILENT, "between tokens there is nothing that says something");
      end = token.end;
    }
    assert.match(texts[i].slice(end), SILENT);
  }
  model.dispose();
});

test("a token's time is its step's, once the steps are measured", async () => {
  const model = await load(file(SMALL));
  const times = ({ tokens }) => tokens.map(({ timeUs }) => timeUs);
  const before = await model.read(TEXT);
  assert.ok(times(before).every((time) => time === null));
  assert.deepEqual([before.timing.readStepUs, before.timing.skimStepUs], [null, null]);
  const [readUs, skimUs] = await model.steps({ device: "cpu" }).then(({ readUs, skimUs }) => [readUs || null, skimUs || null]);
  const after = [await model.read(TEXT, { device: "cpu" }), (await model.readAll([TEXT], { device: "cpu" }))[0], await model.reader().update(TEXT)];
  for (const reading of after) {
    assert.deepEqual(times(reading), reading.tokens.map(({ decision }) => (decision === "skim" ? skimUs : readUs)));
    assert.deepEqual([reading.timing.readStepUs, reading.timing.skimStepUs], [readUs, skimUs]);
  }
  model.dispose();
});

test("init may be called again and again", async () => {
  await Promise.all([init(), init(), init()]);
  await init();
});
