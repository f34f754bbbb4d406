"""The page at `/docs`: reads `/openapi.json` and shows it, with nothing from anywhere else."""

from typing import Final

PAGE: Final = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Tandem API</title>
<style>
:root { color-scheme: light dark; --line: #8884; --dim: #888; }
body { font: 15px/1.5 system-ui, sans-serif; margin: 0 auto; max-width: 60rem; padding: 1rem; }
h1 { font-size: 1.4rem } h2 { font-size: 1.1rem; margin-top: 2rem; text-transform: capitalize }
details { border: 1px solid var(--line); border-radius: 6px; margin: .4rem 0; padding: .4rem .7rem }
summary { cursor: pointer } code, pre { font: 13px/1.45 ui-monospace, monospace }
pre { overflow-x: auto; background: #8881; padding: .6rem; border-radius: 6px }
.method { display: inline-block; width: 4.2rem; font-weight: 600 }
.dim { color: var(--dim) } table { border-collapse: collapse; width: 100% }
td, th { border-top: 1px solid var(--line); padding: .2rem .5rem .2rem 0; text-align: left;
  vertical-align: top }
input { font: inherit; padding: .3rem .5rem; width: 100%; box-sizing: border-box }
</style>
<h1 id="title">Tandem API</h1>
<p id="about" style="white-space: pre-line"></p>
<input id="find" placeholder="Find a path or a word" aria-label="Find">
<main id="list">Loading /openapi.json</main>
<script>
"use strict";
const make = (tag, text, name) => {
  const element = document.createElement(tag);
  if (text !== undefined) element.textContent = text;
  if (name) element.className = name;
  return element;
};
let schemas = {};
const brief = (schema, seen = []) => {
  if (!schema) return "any";
  if (schema.$ref) {
    const name = schema.$ref.split("/").pop();
    return seen.includes(name) ? name : brief(schemas[name], [...seen, name]);
  }
  const options = schema.anyOf || schema.oneOf;
  if (options) {
    const texts = options.map(option => brief(option, seen));
    return texts.every(text => typeof text === "string") ? texts.join(" | ") : texts[0];
  }
  if (schema.const !== undefined) return JSON.stringify(schema.const);
  if (schema.enum) return schema.enum.map(value => JSON.stringify(value)).join(" | ");
  if (schema.type === "array") return [brief(schema.items, seen)];
  if (schema.properties) {
    const shown = {};
    for (const [name, inner] of Object.entries(schema.properties)) {
      const needed = (schema.required || []).includes(name);
      shown[needed ? name : name + "?"] = brief(inner, seen);
    }
    return shown;
  }
  return schema.format || schema.type || "any";
};
const block = (title, schema) => {
  const part = make("div");
  part.append(make("p", title, "dim"), make("pre", JSON.stringify(brief(schema), null, 2)));
  return part;
};
const table = (head, rows) => {
  const made = make("table");
  for (const row of [head, ...rows]) {
    const line = make("tr");
    for (const cell of row) line.append(make(row === head ? "th" : "td", cell));
    made.append(line);
  }
  return made;
};
const show = (path, method, operation) => {
  const part = make("details");
  const head = make("summary");
  head.append(make("span", method.toUpperCase(), "method"), make("code", path),
    make("span", "  " + operation.summary, "dim"));
  part.append(head, make("p", operation.description));
  if (operation.security.length && !operation.security.some(s => !Object.keys(s).length))
    part.append(make("p", "Needs " + operation.security.map(s => Object.keys(s)[0]).join(" or ")));
  if (operation.parameters.length)
    part.append(table(["parameter", "in", "type", "default"], operation.parameters.map(p =>
      [p.name, p.in, String(brief(p.schema)), String(p.schema.default ?? "")])));
  const body = operation.requestBody?.content?.["application/json"];
  if (body) part.append(block("Body", body.schema));
  for (const [status, answer] of Object.entries(operation.responses)) {
    const schema = Object.values(answer.content || {})[0]?.schema;
    if (status < 300 && schema) part.append(block("Answer " + status, schema));
  }
  part.append(table(["status", "meaning"],
    Object.entries(operation.responses).map(([status, answer]) => [status, answer.description])));
  part.dataset.text = (path + " " + method + " " + operation.summary).toLowerCase();
  return part;
};
const start = async () => {
  const found = await (await fetch("openapi.json")).json();
  schemas = found.components.schemas;
  document.getElementById("title").textContent = found.info.title + " " + found.info.version;
  document.getElementById("about").textContent = found.info.description;
  const list = document.getElementById("list");
  list.textContent = "";
  for (const tag of found.tags) {
    list.append(make("h2", tag.name));
    for (const [path, methods] of Object.entries(found.paths))
      for (const [method, operation] of Object.entries(methods))
        if (operation.tags.includes(tag.name)) list.append(show(path, method, operation));
  }
};
document.getElementById("find").addEventListener("input", event => {
  const word = event.target.value.toLowerCase();
  for (const part of document.querySelectorAll("#list > details"))
    part.hidden = !part.dataset.text.includes(word);
});
start().catch(error => { document.getElementById("list").textContent = String(error); });
</script>
</html>
"""
