import type { Plugin } from "vite";

/** The picture as `index.html` names it. */
const PICTURE = '<meta property="og:image" content="./share.png" />';

/**
 * The page's HTML with whole addresses where other sites look for them: crawlers that show a preview of a link do not resolve
 * relative ones. `site` is the address at which the page will be served; throws if it is none.
 */
export function withSite(html: string, site: string): string {
  const base = new URL(site);
  if (!/^https?:$/.test(base.protocol)) throw new Error(`SITE_URL: expected an address that begins with https:, found ${site}`);
  if (!html.includes(PICTURE)) throw new Error(`index.html has no ${PICTURE}`);
  // A folder, whose files are below it.
  if (!base.pathname.endsWith("/")) base.pathname += "/";
  const { href } = new URL("share.png", base);
  const page = new URL(".", base).href;
  return html.replace(PICTURE, `<meta property="og:url" content="${escaped(page)}" />\n    <meta property="og:image" content="${escaped(href)}" />`);
}

const escaped = (address: string) => address.replaceAll("&", "&amp;").replaceAll('"', "&quot;");

/** Writes whole addresses into the built page where `SITE_URL` says where it will be served; without it they stay relative. */
export function preview(site = process.env["SITE_URL"]): Plugin {
  return {
    name: "saccade:preview",
    apply: "build",
    transformIndexHtml: { order: "pre", handler: (html) => (site ? withSite(html, site) : html) },
  };
}
