// Reads an Arrow IPC stream with Apache's own library and prints it as JSON: {"columns": [[name, type]], "rows": [[...]]}.
// node read_arrow.mjs MODULES < stream; MODULES: the node_modules folder with apache-arrow.
import { createRequire } from "node:module";
import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";

const require = createRequire(join(resolve(process.argv[2]), "x.js"));
const { tableFromIPC } = require("apache-arrow");
const table = tableFromIPC(readFileSync(0));
const plain = (value) => {
  if (value === null || value === undefined) return null;
  if (typeof value === "bigint") return value.toString();
  if (typeof value !== "object") return value;
  if (value instanceof Uint32Array) return Array.from(value); // a decimal's words
  if (ArrayBuffer.isView(value)) return Array.from(value, plain);
  if (typeof value.toArray === "function" && typeof value.get === "function" && "length" in value)
    return Array.from(value, plain);
  if (typeof value.toJSON === "function") return plain(value.toJSON());
  if (Array.isArray(value)) return value.map(plain);
  return Object.fromEntries(Object.entries(value).map(([k, v]) => [k, plain(v)]));
};
const columns = table.schema.fields.map((f) => [f.name, f.type.toString()]);
const rows = [];
for (let r = 0; r < table.numRows; ++r) rows.push(columns.map((_, c) => plain(table.getChildAt(c).get(r))));
console.log(JSON.stringify({ columns, batches: table.batches.length, rows }));
