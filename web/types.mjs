// Makes src/api.d.ts from the server's OpenAPI document: `node types.mjs [--check]`. The document
// comes from `python -m scripts.api_types`, on standard input. openapi-typescript has a folder of
// its own, because it needs an older TypeScript.
import { readFile, writeFile } from "node:fs/promises";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import openapi, {
  astToString,
} from "./tools/openapi/node_modules/openapi-typescript/dist/index.mjs";

const file = fileURLToPath(new URL("src/api.d.ts", import.meta.url));
const document = JSON.parse(await text(process.stdin));
const head = "// Generated from the server's OpenAPI document by `make web`; do not edit.\n\n";
const made = head + astToString(await openapi(document));
if (process.argv.includes("--check")) {
  const committed = await readFile(file, "utf8").catch(() => "");
  if (committed !== made) {
    console.error("src/api.d.ts is not as the server's API is; run: make web");
    process.exitCode = 1;
  }
} else {
  await writeFile(file, made);
}
