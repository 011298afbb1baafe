import { defineConfig } from "vitest/config";
import pages from "./vite.config.ts";

export default defineConfig({
  test: { include: ["bench/tests/*.test.ts"] },
  root: `${import.meta.dirname}/..`,
  // The package's names, as the pages have them.
  resolve: pages.resolve!,
});
