import { rolldown } from "rolldown";
import type { Plugin } from "vite";

const SUFFIX = "?sandbox";

/**
 * `import code from "./file.ts?sandbox"`: the file and all that it imports as the text of one classic script, for a worker that
 * may fetch nothing and so has to be given all that it runs. The same while developing and in the built page.
 */
export function sandbox(): Plugin {
  return {
    name: "saccade:sandbox",
    enforce: "pre",
    async load(id) {
      if (!id.endsWith(SUFFIX)) return null;
      const file = id.slice(0, -SUFFIX.length);
      // The package's files name one another as they will be called once compiled.
      const bundle = await rolldown({ input: file, resolve: { extensionAlias: { ".js": [".ts", ".js"] } }, logLevel: "silent" });
      try {
        const { output } = await bundle.generate({ format: "iife", minify: true });
        for (const watched of await bundle.watchFiles) this.addWatchFile(watched);
        return `export default ${JSON.stringify(output[0].code)};`;
      } finally {
        await bundle.close();
      }
    },
  };
}
