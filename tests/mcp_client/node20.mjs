// Lets Node 20 load the conformance suite, which imports fs.globSync (Node 22) for commands that are
// not used here: node --import ./node20.mjs ...
import fs from "node:fs";
import { register } from "node:module";

const filled = `
  export * from "node:fs";
  export { default } from "node:fs";
  export const globSync = () => { throw new Error("globSync needs Node 22"); };
`;
const url = "data:text/javascript," + encodeURIComponent(filled);
const hook = `
  export const resolve = (name, context, next) =>
    name === "fs" && !context.parentURL.startsWith("data:")
      ? { url: ${JSON.stringify(url)}, shortCircuit: true } : next(name, context);
`;
if (!fs.globSync) register("data:text/javascript," + encodeURIComponent(hook));
