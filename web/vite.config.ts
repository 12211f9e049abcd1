import { defineConfig } from "vitest/config";

export default defineConfig({
  experimental: {
    // From the root in index.html, which is served at every depth; relative in scripts, so that only that one file
    // has to be changed by a server that is mounted below a path.
    renderBuiltUrl: (file, { hostType }) => (hostType === "html" ? `/${file}` : { relative: true }),
  },
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
