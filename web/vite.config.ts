import { defineConfig } from "vitest/config";

export default defineConfig({
  // Relative: index.html has a <base> which the server sets when it is mounted below a path.
  base: "./",
  build: {
    outDir: "../src/headway/server/static",
    emptyOutDir: true,
    // No data: addresses, so that `default-src 'self'` is enough.
    assetsInlineLimit: 0,
    // What is bundled asks for its licence to come along.
    license: { fileName: "licenses.md" },
    modulePreload: { polyfill: false },
  },
  test: {
    environment: "happy-dom",
    include: ["test/**/*.test.{ts,tsx}"],
  },
});
