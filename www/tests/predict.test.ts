/** What the chapter Predict makes of numbers and words, held against the package where that has the same. */

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { render } from "svelte/server";
import { beforeAll, describe, expect, test, vi } from "vitest";
import { AdaptiveSoftmax, init, load, Sru } from "../../js/src/node.ts";
import type { ScoredToken } from "../src/engine.ts";
import { anatomyOf, plainProductsOf, productsOf, rowsOf } from "../src/predict/anatomy.ts";
import { countsOf, distributionOf, dotOf, numberOf, probabilityOf } from "../src/predict/field/dots.ts";
import { brightness, DIM, draw, FULL } from "../src/predict/field/draw.ts";
import { dotAt, layoutOf, placeOf } from "../src/predict/field/layout.ts";
import { vectorsOf } from "../src/predict/field/vectors.ts";
import { Expected } from "../src/predict/expected.svelte.ts";
import { effectOf, earlier, MOST, without } from "../src/predict/influence/without.ts";
import { scenes } from "../src/predict/maths/scenes.ts";
import { lines } from "../src/predict/maths/strings.ts";
import { mathml } from "../src/frame/maths/tex.ts";
import { recorded } from "../src/predict/recorded.ts";
import { pick, pickedIn } from "../src/predict/picked.ts";
import type { Seen } from "../src/predict/predict.svelte.ts";
import Surprise from "../src/predict/Surprise.svelte";
import { isEnd, isUnknown, lastPart, MOST as MOST_READ, piecesFor, runsOf } from "../src/predict/text.ts";
import { models as said } from "../src/predict/strings.ts";
import { languageModels } from "../src/study/language.ts";
import { chance, depthOf, nameOf, rankOf, share } from "../src/predict/words.ts";
import { goOn, spell } from "../src/predict/writing/spelling.ts";
import { onWheel, openings, shareAt, tempered } from "../src/predict/writing/shares.ts";

const file = (name: string) => new Uint8Array(readFileSync(join(import.meta.dirname, "..", "..", "models", `${name}.safetensors`)));
const novels = anatomyOf(file("novels-lm"));
const letters = anatomyOf(file("shakespeare-lstm"));

// A machine may be busy.
vi.setConfig({ testTimeout: 120_000 });

beforeAll(() => init());

describe("a model's file", () => {
  test("says its words and clusters", () => {
    expect(novels.vocabulary.length).toBe(44_000);
    expect(novels.clusters).toEqual([
      { from: 0, to: 2000, width: 256 },
      { from: 2000, to: 10_000, width: 64 },
      { from: 10_000, to: 44_000, width: 16 },
    ]);
    expect(novels.vocabulary[novels.start ?? -1]).toBe("<eos>");
    expect(rowsOf(novels)).toBe(44_002);
    expect(productsOf(novels)).toBe(2002 * 256 + (256 + 8000) * 64 + (256 + 34_000) * 16);
    expect(plainProductsOf(novels)).toBe(44_000 * 256);
    expect(productsOf(letters)).toBe(plainProductsOf(letters));
    expect(letters.clusters).toEqual([{ from: 0, to: letters.vocabulary.length, width: 256 }]);
    expect(rowsOf(letters)).toBe(letters.vocabulary.length);
  });
});

describe("the field", () => {
  test("has a dot for every logit: every word once, and every tail as a whole", () => {
    const counts = countsOf(novels);
    expect(counts).toEqual([2002, 8000, 34_000]);
    const seen = new Set<number>();
    const [doors, astray]: [number[], number[]] = [[], []];
    for (let dot = 0; dot < rowsOf(novels); dot++) {
      const found = dotOf(novels, dot);
      if (found.kind === "door") doors.push(found.cluster);
      else {
        if (numberOf(novels, found.id) !== dot) astray.push(dot);
        seen.add(found.id);
      }
    }
    expect(doors).toEqual([1, 2]);
    expect(astray).toEqual([]);
    expect(seen.size).toBe(44_000);
    expect(dotOf(novels, 2002)).toEqual({ kind: "word", id: 2000, cluster: 1 });
    expect(countsOf(letters)).toEqual([letters.vocabulary.length]);
  });

  test("a dot is found where it was put, and nothing between clusters", () => {
    const layout = layoutOf([{ count: 10, cell: 6 }, { count: 25, cell: 3 }], 40, 8);
    expect(layout.blocks.map(({ columns, top, height }) => [columns, top, height])).toEqual([[6, 0, 12], [13, 20, 6]]);
    expect(layout.height).toBe(26);
    for (let dot = 0; dot < 35; dot++) {
      const place = placeOf(layout, dot);
      expect(place && dotAt(layout, place.x + 1, place.y + 1)).toBe(dot);
    }
    expect(placeOf(layout, 35)).toBeNull();
    expect([dotAt(layout, 1, 15), dotAt(layout, 37, 1), dotAt(layout, 27, 7), dotAt(layout, -1, 1)]).toEqual([null, null, null, null]);
  });

  test("draws each dot once, and counts those that are lit", () => {
    const layout = layoutOf([{ count: 10, cell: 4 }, { count: 7, cell: 2 }], 20, 4);
    let image: { data: Uint8ClampedArray; width: number } | undefined;
    const context = {
      createImageData: (width: number, height: number) => ({ data: new Uint8ClampedArray(4 * width * height), width }),
      putImageData: (drawn: typeof image) => (image = drawn),
    } as unknown as CanvasRenderingContext2D;
    const lit = draw(context, layout, [1, 2, 3], (dot) => (dot % 3 === 0 ? 1 : 0));
    expect(lit).toBe(6);
    const alphas = Array.from({ length: 17 }, (_, dot) => {
      const { x = 0, y = 0 } = placeOf(layout, dot) ?? {};
      return image?.data[4 * (y * layout.width + x) + 3] ?? -1;
    });
    expect(alphas.filter((alpha) => alpha === 255).length).toBe(6);
    expect(alphas.filter((alpha) => alpha > 0 && alpha < 255).length).toBe(11);
  });

  test("likelier words are brighter, and the least likely is still lit", () => {
    expect(brightness(0.3, 0.3)).toBe(FULL);
    expect(brightness(0, 0.3)).toBe(DIM);
    expect(brightness(1e-12, 0.3)).toBe(DIM);
    expect(brightness(0.01, 0.3)).toBeGreaterThan(brightness(0.001, 0.3));
  });

  test("the whole distribution is what the package's softmax makes of the model's state", async () => {
    const model = await load(file("novels-lm"), { task: "predict", cache: false });
    const text = "There was a knock at the";
    const every = await model.predict(text, { top: 44_000 });
    expect(every.rowsComputed).toBe(44_002);
    const distribution = distributionOf(novels, every.words);
    expect(distribution.masses.reduce((sum, mass) => sum + mass, 0)).toBeCloseTo(1, 4);
    expect(probabilityOf(distribution, { kind: "door", cluster: 2 })).toBe(distribution.masses[2]);

    // What the network reads, made of the file by the page itself, for what it measures.
    const { tokens } = await model.score(text);
    const ids = [novels.start ?? 0, ...tokens.map(({ id }) => id)];
    const layer = await Sru.fromSafetensors(file("novels-lm"), { prefix: "encoder.0." });
    const { output } = await layer.forward(vectorsOf(file("novels-lm"), novels, ids));
    const x = output.slice(-layer.outputSize);
    layer.dispose();
    const softmax = await AdaptiveSoftmax.fromSafetensors(file("novels-lm"), { prefix: "head." });
    const { logProb, rowsComputed } = await softmax.logProb(x);
    expect(rowsComputed[0]).toBe(44_002);
    for (const { id, probability } of every.words.slice(0, 200)) expect(Math.exp(logProb[id] ?? 0)).toBeCloseTo(probability, 4);
    expect((await softmax.topK(x, 1)).words[0]).toBe(every.words[0]?.id);
    softmax.dispose();
    model.dispose();
  });
});

describe("texts", () => {
  const words = { kind: "treebank", lowercase: true, ends: "paragraph" };

  test("of a long one the last part is read, from a word's beginning on", () => {
    expect(lastPart("a b c", 10)).toBe("a b c");
    expect(lastPart("alpha beta gamma", 8)).toBe("gamma");
    expect(lastPart("alphabetagamma", 5)).toBe("gamma");
    expect(lastPart("a😀b", 2)).toBe("b");
  });

  test("what is read of a long one begins where it did while it is typed on", () => {
    for (const word of ["The old man looked at the door. ", "antidisestablishmentarianism", "😀"]) {
      for (const over of [2, 24_990, 25_002]) {
        const text = word.repeat(10_000).slice(0, MOST_READ + over);
        const begins = (typed: string) => text.length + typed.length - lastPart(text + typed).length;
        expect([begins("x"), begins(" x y")], `${word} and ${over}`).toEqual([begins(""), begins("")]);
      }
    }
  });

  test("a word that was picked stays picked while the text goes on, and is forgotten in another", () => {
    const ready = {} as Seen["ready"];
    const seen = (text: string) => {
      const tokens = [...text.matchAll(/\S+/g)].map(({ 0: word, index }) => ({ text: word, start: index, end: index + word.length }));
      return { ready, text, scoring: { tokens } as unknown as Seen["scoring"] };
    };
    const picked = pick(seen("He took off"), 2);
    expect(pickedIn(seen("He took off"), picked)).toBe(2);
    expect(pickedIn(seen("He took off his hat"), picked)).toBe(2);
    expect(pickedIn(seen("He took"), picked)).toBeNull();
    expect(pickedIn(seen("She took off"), picked)).toBeNull();
    expect(pickedIn({ ...seen("He took off"), ready: {} as Seen["ready"] }, picked)).toBeNull();
    expect(pickedIn(seen("He took off"), null)).toBeNull();
  });

  test("tokens that touch stay on a line, up to a length", () => {
    const tokens = [{ text: "alpha", start: 0, end: 5 }, { text: ",", start: 5, end: 6 }, { text: "b", start: 7, end: 10 }, { text: "c", start: 10, end: 40 }];
    expect(runsOf(tokens, 0, 4)).toEqual([[0, 1], [2], [3]]);
    expect(runsOf(tokens, 1, 3)).toEqual([[1], [2]]);
    const letters = [..."a bc"].map((text, start) => ({ text, start, end: start + 1 }));
    expect(runsOf(letters, 0, 4)).toEqual([[0, 1], [2, 3]]);
  });

  test("a next word is put as people write it, and in any case as the model reads it", async () => {
    expect(piecesFor("door", "at the", words)).toEqual([" door"]);
    expect(piecesFor(".", "the door", words)).toEqual([".", " ."]);
    expect(piecesFor("the", "", words)).toEqual(["The", "the"]);
    expect(piecesFor("i", "so", words)).toEqual([" I", " i"]);
    expect(piecesFor("<unk>", "so", words)).toEqual([]);
    expect(piecesFor("<eos>", "so.", words)).toEqual(["\n\n"]);
    expect(piecesFor("e", "th", { kind: "characters" })).toEqual(["e"]);
    // Of the forms there is one that is read as it was meant, for every word that can be written.
    const model = await load(file("novels-lm"), { task: "predict", cache: false });
    const read = async (text: string) => (await model.tokenize(text)).map(({ text }) => text).join("\n");
    const before = "He said that it was";
    for (const word of novels.vocabulary.slice(0, 1500)) {
      if (isUnknown(word) || isEnd(word)) continue;
      const wanted = `${await read(before)}\n${word}`;
      const forms = await Promise.all(piecesFor(word, before, words).map((piece) => read(before + piece)));
      expect(forms, word).toContain(wanted);
    }
    model.dispose();
  });

  test("words that cannot stand for themselves have names", () => {
    expect([nameOf("<unk>"), nameOf("<eos>"), nameOf("<eos>", "short"), nameOf(" ", "short"), nameOf("``")]).toEqual(["unknown word", "new paragraph", "¶", "␣", "“"]);
    expect([1, 2, 3, 4, 11, 12, 13, 21, 1002].map(rankOf)).toEqual(["1st", "2nd", "3rd", "4th", "11th", "12th", "13th", "21st", "1,002nd"]);
    expect([depthOf(1, 44_000), depthOf(44_000, 44_000)]).toEqual([0, 1]);
  });
});

test("what was expected in a word's place has the word itself at its rank, or cannot be told where the text is cut otherwise without it", async () => {
  const model = await load(file("novels-lm"), { task: "predict", cache: false });
  const text = "He opened the door and said, 'I am here.' She was in No. 5, and so was he.";
  const scoring = await model.score(text);
  const [seen, expected] = [{ ready: { model }, text, scoring } as unknown as Seen, new Expected()];
  const untold: string[] = [];
  let first = 0;
  for (const [at, token] of scoring.tokens.entries()) {
    if (token.kind !== "predicted") continue;
    await expected.look(seen, at);
    const words = expected.at(seen, at);
    if (words?.length === 0) untold.push(token.text);
    else if (token.rank === 1) {
      first += 1;
      expect(words?.[0]?.id, token.text).toBe(token.id);
    }
  }
  expect(untold).toEqual(["5"]);
  expect(first).toBeGreaterThan(2);
  expected.stop();
  model.dispose();
});

test("a probability is neither none nor certain by rounding", () => {
  expect([0.000_04, 0.0005, 0.03961, 0.9994, 0.9996].map(share)).toEqual(["< 0.1%", "0.1%", "4.0%", "99.9%", "> 99.9%"]);
  expect([0.000_020_5, 0.000_96, 0.0012, 0.9996].map(chance)).toEqual(["1 in 48.8K", "1 in 1.04K", "0.1%", "> 99.9%"]);
});

test("a text of which nothing was predicted has no perplexity", () => {
  const tokens = [..."To"].map((text, start) => ({
    kind: start === 0 ? "first" : "predicted", text, start, end: start + 1, known: true, id: 1, cluster: 0, probability: 0.25, bits: 2, rank: 1, rowsComputed: 1,
  }));
  const ready = { ...letters, model: { config: { tokenizer: { kind: "characters" } } } };
  const said = (length: number, perplexity: number) => {
    const seen = { ready, text: "To".slice(0, length), scoring: { tokens: tokens.slice(0, length), predicted: length - 1, perplexity } };
    return render(Surprise, { props: { seen: seen as unknown as Seen } }).body;
  };
  expect(said(2, 4)).toContain("as unsure as among 4.0 equally likely letters");
  expect(said(1, Number.NaN)).not.toContain("unsure");
});

describe("influence", () => {
  const token = (text: string, start: number, bits: number): ScoredToken => ({
    kind: "predicted", text, start, end: start + text.length, known: true, id: 1, cluster: 0, probability: 2 ** -bits, bits, rank: 1, rowsComputed: 1,
  });
  const text = "a cat sat, here";
  const tokens = [token("a", 0, 3), token("cat", 2, 9), token("sat", 6, 5), token(",", 9, 1), token("here", 11, 6)];

  test("a word is left out with one of its spaces, and nothing after the word that is guessed stands", () => {
    expect(without(text, tokens, 4, 1)).toBe("a sat, here");
    expect(without(text, tokens, 4, 3)).toBe("a cat sat here");
    expect(without(text, tokens, 2, 0)).toBe("cat sat");
    expect(earlier(3)).toEqual([2, 1, 0]);
    expect(earlier(100).length).toBe(MOST);
    expect(earlier(0)).toEqual([]);
  });

  test("what leaving it out costs, in bits, and null where other words change with it", () => {
    expect(effectOf(tokens, 2, 1, [token("a", 0, 3), token("sat", 2, 7.5)])).toBe(2.5);
    expect(effectOf(tokens, 2, 1, [token("a", 0, 3), token("sat", 2, 4)])).toBe(-1);
    expect(effectOf(tokens, 2, 1, [token("a", 0, 3), token("sit", 2, 7.5)])).toBeNull();
    expect(effectOf(tokens, 2, 1, [token("a", 0, 3)])).toBeNull();
  });
});

describe("writing", () => {
  test("a temperature sharpens or flattens, and keeps the order", () => {
    const p = [0.5, 0.25, 0.125, 0.125];
    expect(tempered(p, 1)).toEqual(p);
    expect(tempered(p, 0)).toEqual([1, 0, 0, 0]);
    expect(tempered(p, 0.5)[0]).toBeCloseTo(0.25 / (0.25 + 0.0625 + 2 * 0.015625), 12);
    expect(tempered(p, 0.01)[0]).toBeCloseTo(1, 12);
    const hot = tempered(p, 1000);
    for (const share of hot) expect(share).toBeCloseTo(0.25, 2);
  });

  test("the wheel means where it shows", () => {
    for (const share of [0, 0.1, 0.25, 0.5, 0.75, 0.9, 1]) {
      const { x, y } = onWheel(share);
      expect(shareAt(x, y)).toBeCloseTo(share, 10);
    }
    // In the gap at the bottom it is the nearer end.
    expect([shareAt(-0.1, 1), shareAt(0.1, 1)]).toEqual([0, 1]);
  });

  test("becomes the text as it is shown, wherever that is read alike", async () => {
    const model = await load(file("novels-lm"), { task: "predict", cache: false });
    const { tokenizer } = model.config;
    const words = (...texts: string[]) => texts.map((text) => ({ text, piece: ` ${text}` }));
    const given = words("door", ",", "and", "``", "come", "in", "''", ".", "do", "n't");
    const shown = " door, and “come in”. Don't";
    expect(spell("He saw the", given, tokenizer).join("")).toBe(shown);
    expect(await goOn(model, tokenizer, "He saw the", given)).toBe(shown);
    expect(await goOn(model, tokenizer, "", words("the", "door"))).toBe("The door");
    expect(await goOn(model, tokenizer, "He saw the", words("door", "<unk>", ",", "and"))).toBe(" door <unk>, and");
    model.dispose();
    const other = await load(file("shakespeare-lstm"), { task: "predict", cache: false });
    expect(await goOn(other, other.config.tokenizer, "the qu", [..."estion"].map((text) => ({ text, piece: text })))).toBe("estion");
    other.dispose();
  });

  test("how often a tail was opened", () => {
    expect(openings([{ clustersOpened: [1] }, { clustersOpened: [] }, { clustersOpened: [2, 1] }], 2)).toEqual([2, 1]);
  });
});

describe("what was recorded, and the mathematics", () => {
  test("the thumbnail's surprisals are the model's", async () => {
    const model = await load(file("novels-lm"), { task: "predict", cache: false });
    const { tokens } = await model.score(recorded.text);
    expect(recorded.words.map(({ text }) => text)).toEqual(tokens.map(({ start, end }) => recorded.text.slice(start, end)));
    for (const [at, { bits }] of recorded.words.entries()) {
      const token = tokens[at];
      expect(token?.kind === "predicted" && Math.abs(token.bits - bits)).toBeLessThan(0.05);
    }
    model.dispose();
  });

  test.each(scenes)("the formulas of %s can be set", (scene) => {
    for (const { tex, words } of lines[scene](null)) {
      expect(mathml(tex)).toContain("<math");
      expect(words).not.toBe("");
    }
  });
});

test("what is said of the models is so of their files", () => {
  for (const id of languageModels) {
    const bytes = file(id);
    expect(said[id].about).toContain(`${(bytes.length / 1e6).toFixed(1)}\u00a0MB`);
    const header = JSON.parse(new TextDecoder().decode(bytes.subarray(8, 8 + Number(new DataView(bytes.buffer).getBigUint64(0, true)))));
    const { vocabulary, tokenizer } = JSON.parse(header.__metadata__.saccade);
    if (tokenizer.kind !== "characters") expect(said[id].about).toContain(`${vocabulary.length.toLocaleString("en")} words`);
  }
});
