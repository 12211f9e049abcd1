/** `headway.js`, beside the dashboard: one module, and what hardly any page needs in a file of its own that it loads. */

import { defineConfig } from "vite";

export default defineConfig({
  publicDir: false,
  build: {
    outDir: "../src/headway/server/static",
    emptyOutDir: false,
    lib: { entry: "src/elements/index.ts", formats: ["es"], fileName: () => "headway.js" },
    // By default a library keeps its white space; this one is not bundled again.
    rolldownOptions: {
      preserveEntrySignatures: "allow-extension",
      output: { minify: true, chunkFileNames: "assets/[name]-[hash].js" },
    },
    target: "es2022",
  },
});
