/** What other sites show of a link to the page. */

import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { preview, withSite } from "../build/preview.ts";

const html = readFileSync(new URL("../index.html", import.meta.url), "utf8");
const picture = (page: string) => /<meta property="og:image" content="([^"]*)"/.exec(page)?.[1];
const address = (page: string) => /<meta property="og:url" content="([^"]*)"/.exec(page)?.[1];

describe("the preview of a link", () => {
  test("has whole addresses where the site is known", () => {
    for (const [site, folder] of [
      ["https://example.org", "https://example.org/"],
      ["https://example.org/saccade", "https://example.org/saccade/"],
      ["https://example.org/saccade/?a=1#b", "https://example.org/saccade/"],
      ["http://localhost:8080/", "http://localhost:8080/"],
    ] as const) {
      const page = withSite(html, site);
      expect(picture(page)).toBe(`${folder}share.png`);
      expect(address(page)).toBe(folder);
    }
  });

  test("stays relative where it is not known", () => {
    expect(picture(html)).toBe("./share.png");
    const { transformIndexHtml } = preview("");
    if (typeof transformIndexHtml !== "object") throw new Error("the plugin does not look at the page");
    expect((transformIndexHtml.handler as (html: string) => string)(html)).toBe(html);
  });

  test("is refused for what is no site", () => {
    for (const site of ["example.org", "file:///srv/page", "ftp://example.org"]) expect(() => withSite(html, site)).toThrow();
    expect(() => withSite("<!doctype html>", "https://example.org")).toThrow(/og:image/);
  });
});
