/** What the page's sources promise: who imports whom, and where its words are. */

import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { parse } from "svelte/compiler";
import ts from "typescript";
import { describe, expect, test } from "vitest";
import { pieces } from "../src/frame/prose.ts";

const src = join(import.meta.dirname, "..", "src");
const files = readdirSync(src, { recursive: true, encoding: "utf8" }).filter((name) => /\.(ts|svelte)$/.test(name));
const sourceOf = (name: string) => readFileSync(join(src, name), "utf8");
const folderOf = (name: string) => (name.includes("/") ? (name.split("/")[0] ?? "") : "");

/** The files of the page that a file imports, lazily or not, by their names under `src`. */
function imports(name: string): string[] {
  const found = sourceOf(name).matchAll(/(?:from|import)\s*\(?\s*"(\.[^"]+)"/g);
  return [...found].map(([, path = ""]) => relative(src, resolve(src, dirname(name), path))).filter((path) => !path.startsWith(".."));
}

describe("floors", () => {
  const ids = files.filter((name) => name.endsWith("/chapter.ts") && folderOf(name) !== "frame").map(folderOf);
  const foreign = (folder: string, allowed: readonly string[]) =>
    files
      .filter((name) => folderOf(name) === folder)
      .flatMap((name) => imports(name).filter((path) => !allowed.includes(folderOf(path)) && path !== "engine.ts").map((path) => `${name} imports ${path}`));

  test("what all chapters share knows of none", () => {
    expect(foreign("study", ["study"])).toEqual([]);
    expect(foreign("frame", ["study", "frame"])).toEqual([]);
  });

  test("a chapter knows of no other", () => {
    for (const id of ids) {
      const others = ids.filter((other) => other !== id);
      const found = files.filter((name) => folderOf(name) === id).flatMap((name) => imports(name).filter((path) => others.includes(folderOf(path))));
      expect(found).toEqual([]);
    }
  });

  test("what is no chapter imports none, and every chapter is in the registry", () => {
    const others = [...new Set(files.map(folderOf))].filter((folder) => folder !== "" && !ids.includes(folder));
    const upwards = others.flatMap((folder) => files.filter((name) => folderOf(name) === folder).flatMap((name) => imports(name).filter((path) => ids.includes(folderOf(path)))));
    expect(upwards).toEqual([]);
    expect(imports("chapters.ts").sort()).toEqual(["frame", ...ids].map((folder) => `${folder}/chapter.ts`).sort());
  });

  test("imports are found, lazy ones as well", () => {
    expect(imports("read/chapter.ts")).toEqual([
      ...["frame/chapter.ts", "read/Chapter.svelte", "read/maths/scenes.ts", "read/strings.ts"],
      ...["read/Thumbnail.svelte", "read/maths/Panel.svelte"],
    ]);
  });
});

/** More words than this are prose. */
const MOST = 2;
const isProse = (text: string) => (text.match(/\p{L}{2,}/gu)?.length ?? 0) > MOST && /\p{L}\s+\p{L}/u.test(text);

/** Strings of a script, without those that name files. */
function literals(script: string): string[] {
  const found: string[] = [];
  const visit = (node: ts.Node): void => {
    if (ts.isImportDeclaration(node) || ts.isLiteralTypeNode(node)) return;
    if (ts.isStringLiteralLike(node) || node.kind === ts.SyntaxKind.TemplateHead || node.kind === ts.SyntaxKind.TemplateMiddle || node.kind === ts.SyntaxKind.TemplateTail) {
      found.push((node as ts.LiteralLikeNode).text);
    }
    ts.forEachChild(node, visit);
  };
  visit(ts.createSourceFile("script.ts", script, ts.ScriptTarget.Latest, true));
  return found;
}

interface Node {
  readonly type?: string;
  readonly name?: string;
  readonly data?: string;
  readonly value?: unknown;
  readonly [key: string]: unknown;
}

/** What an element says to nobody. */
const SILENT = new Set(["class", "style", "d", "viewBox", "transform", "preserveAspectRatio", "points"]);

/** Texts of the markup of a component: between its tags, in its attributes, in its expressions. */
function texts(component: string): string[] {
  const { fragment } = parse(component, { modern: true });
  const found: string[] = [];
  const visit = (value: unknown): void => {
    if (Array.isArray(value)) return value.forEach(visit);
    if (value === null || typeof value !== "object") return;
    const node = value as Node;
    if (node.type === "Comment" || node.type === "Attribute" && SILENT.has(node.name ?? "") || node.type === "StyleDirective") return;
    if (node.type === "Text") found.push(node.data ?? "");
    else if (node.type === "Literal" && typeof node.value === "string") found.push(node.value);
    else if (node.type === "TemplateElement") found.push((node.value as { cooked?: string }).cooked ?? "");
    else for (const child of Object.values(node)) visit(child);
  };
  visit(fragment);
  return found;
}

/** Prose that a file holds. */
function prose(name: string, source = sourceOf(name)): string[] {
  if (name.endsWith(".ts")) return literals(source).filter(isProse);
  const scripts = [...source.matchAll(/<script[^>]*>(.*?)<\/script>/gs)].map(([, script = ""]) => script);
  return [...scripts.flatMap(literals), ...texts(source)].filter(isProse);
}

describe("words", () => {
  /** The examples are data, markup is no prose; of a page without its root only a developer hears. */
  const apart = ["study/examples.ts", "frame/maths/tex.ts", "main.ts"];
  const spoken = files.filter((name) => !/strings\.ts$/.test(name) && !apart.includes(name));

  test.each(spoken)("%s has none of its own", (name) => {
    expect(prose(name)).toEqual([]);
  });

  test("prose is found wherever it may be", () => {
    const component = [
      '<script lang="ts">const a = `it has ${1} and many words`; const b = "two words";</script>',
      '<p title="a title has words" class="any number of classes">{c ? "an expression has some" : ""} <b>text between the tags</b></p>',
    ].join("\n");
    expect(prose("a.svelte", component)).toEqual([" and many words", "a title has words", "an expression has some", "text between the tags"]);
  });

  test("what the network reads are words everywhere, as nobody is told what a token is", () => {
    const said = files.filter((name) => /strings\.ts$/.test(name) && ["frame", "study", "read", "race"].includes(folderOf(name)));
    expect(said.flatMap((name) => literals(sourceOf(name)).filter((text) => /\btokens?\b/i.test(text)))).toEqual([]);
  });

  test("what is marked in a sentence is found, and what is not marked stands", () => {
    expect(pieces("Read *this*, **now** or [press “{word}”](force), see [the paper](https://a.b/c).")).toEqual([
      { kind: "plain", text: "Read " },
      { kind: "em", text: "this" },
      { kind: "plain", text: ", " },
      { kind: "strong", text: "now" },
      { kind: "plain", text: " or " },
      { kind: "press", to: "force", label: [{ kind: "plain", text: "press “" }, { kind: "value", name: "word" }, { kind: "plain", text: "”" }] },
      { kind: "plain", text: ", see " },
      { kind: "link", to: "https://a.b/c", label: [{ kind: "plain", text: "the paper" }] },
      { kind: "plain", text: "." },
    ]);
    expect(pieces("")).toEqual([]);
  });
});
