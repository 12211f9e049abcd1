// Builds every page of a folder that has the clients of the guides: node build.mjs <folder>
import { readdirSync } from "node:fs";
import { join } from "node:path";
import vue from "@vitejs/plugin-vue";
import { build } from "vite";

const root = process.argv[2];
const pages = readdirSync(root).filter((name) => name.endsWith(".html"));

await build({
  root,
  configFile: false,
  // As in development, where React mounts each component twice.
  mode: "development",
  logLevel: "warn",
  plugins: [vue()],
  resolve: { dedupe: ["vue", "react", "react-dom"] },
  build: { minify: false, rolldownOptions: { input: pages.map((name) => join(root, name)) } },
});
