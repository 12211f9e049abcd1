/** `headway.js`: one self-contained module, beside the dashboard. */

import { defineConfig } from "vite";

export default defineConfig({
  publicDir: false,
  build: {
    outDir: "../src/headway/server/static",
    emptyOutDir: false,
    lib: { entry: "src/elements/index.ts", formats: ["es"], fileName: () => "headway.js" },
    // By default a library keeps its white space; this one is not bundled again.
    rolldownOptions: { output: { minify: true } },
    target: "es2022",
  },
});
