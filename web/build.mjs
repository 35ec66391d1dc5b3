// Builds the page into ../src/ethogram/ui/static. Own code stays readable (and merges in git);
// libraries are minified. `node build.mjs --check` fails if the committed files differ.
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const here = fileURLToPath(new URL(".", import.meta.url));
const target = join(here, "../src/ethogram/ui/static");
const generated = ["app.js", "vendor/ui.js", "vendor/vega.js", "vendor/LICENSES.txt"];
const libraries = [
  "react",
  "react/jsx-runtime",
  "react-dom/client",
  "react-aria-components",
  "@tanstack/react-virtual",
  "diff",
];

/** Names that src/vendor/ui.ts exports: what own code may import from the libraries. */
async function vendorNames() {
  const text = await readFile(join(here, "src/vendor/ui.ts"), "utf8");
  const lists = [...text.matchAll(/export \{([^}]*)\}/g)];
  return lists.flatMap((list) => list[1].match(/\w+/g) ?? []);
}

/** Own code takes the libraries from one global, so that page and report load the same file. */
function fromVendor(names) {
  const lines = names.map((name) => `export const ${name} = vendor.${name};`);
  const contents = `const vendor = globalThis.ethogramVendor;\n${lines.join("\n")}\n`;
  return {
    name: "vendor",
    setup(plugins) {
      const filter = new RegExp(`^(${libraries.join("|")})$`);
      plugins.onResolve({ filter }, () => ({ path: "ui", namespace: "vendor" }));
      plugins.onLoad({ filter: /.*/, namespace: "vendor" }, () => ({ contents, loader: "js" }));
    },
  };
}

const common = {
  absWorkingDir: here,
  bundle: true,
  format: "iife",
  target: "es2022",
  jsx: "automatic",
  charset: "utf8",
  legalComments: "none",
  logLevel: "warning",
  define: { "process.env.NODE_ENV": '"production"' },
};

async function buildInto(folder) {
  const names = await vendorNames();
  const own = { ...common, plugins: [fromVendor(names)] };
  const vendor = { ...common, minify: true };
  await Promise.all([
    build({ ...own, entryPoints: ["src/main.tsx"], outfile: join(folder, "app.js") }),
    build({
      ...vendor,
      entryPoints: ["src/vendor/ui.ts"],
      globalName: "ethogramVendor",
      outfile: join(folder, "vendor/ui.js"),
    }),
    build({
      ...vendor,
      entryPoints: ["src/vendor/vega.ts"],
      outfile: join(folder, "vendor/vega.js"),
    }),
  ]);
  await writeFile(join(folder, "vendor/LICENSES.txt"), await licences());
}

/** The licence of every package that is not only for development. */
async function licences() {
  const lock = JSON.parse(await readFile(join(here, "package-lock.json"), "utf8"));
  const parts = ["Libraries in ui.js and vega.js, with their licences.\n"];
  for (const [path, entry] of Object.entries(lock.packages)) {
    if (!path || entry.dev || entry.optional) continue;
    const name = path.slice(path.lastIndexOf("node_modules/") + "node_modules/".length);
    const files = await readdir(join(here, path)).catch(() => []);
    const file = files.find((each) => /^licen[cs]e/i.test(each));
    const text = file ? await readFile(join(here, path, file), "utf8") : `${entry.license}\n`;
    parts.push(
      `${"=".repeat(79)}\n${name} ${entry.version} (${entry.license})\n\n${text.trim()}\n`,
    );
  }
  return parts.join("\n").replaceAll("\r\n", "\n");
}

if (process.argv.includes("--check")) {
  const folder = await mkdtemp(join(tmpdir(), "ethogram-page-"));
  try {
    await buildInto(folder);
    const differ = [];
    for (const file of generated) {
      const committed = await readFile(join(target, file)).catch(() => Buffer.alloc(0));
      if (!committed.equals(await readFile(join(folder, file)))) differ.push(file);
    }
    if (differ.length > 0) {
      console.error(`not as built from web/: ${differ.join(", ")}; run: npm run build`);
      process.exitCode = 1;
    }
  } finally {
    await rm(folder, { recursive: true });
  }
} else {
  await buildInto(target);
}
