import { defineConfig } from "vitest/config";

export default defineConfig({ test: { include: ["bench/tests/*.test.ts"] }, root: `${import.meta.dirname}/..` });
