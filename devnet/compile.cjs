// Compiles Solidity: standard JSON on standard input, the compiler's answer on standard output.
// The first argument names the npm package of the compiler; imports are found in node_modules, and
// in the folders that follow, in this order.
"use strict";
const fs = require("fs");
const path = require("path");

const [, , compiler, ...roots] = process.argv;
const solc = require(compiler);
const input = fs.readFileSync(0, "utf8");

function find(name) {
  for (const root of [path.join(__dirname, "node_modules"), ...roots]) {
    const file = path.join(root, name);
    if (fs.existsSync(file)) return { contents: fs.readFileSync(file, "utf8") };
  }
  return { error: `${name} is in none of the folders` };
}

fs.writeSync(1, solc.compile(input, { import: find }));
