// Runs a plain client in Node: node node.mjs <driver> <client> <options>. A line of input presses the button of that name.
import { createInterface } from "node:readline";

const [driver, client, options] = process.argv.slice(2);
const { start } = await import(driver);
const buttons = new Map();

start(
  await import(client),
  JSON.parse(options),
  (text) => console.log(text),
  (name, press) => buttons.set(name, press),
);
createInterface({ input: process.stdin }).on("line", (name) => buttons.get(name)());
