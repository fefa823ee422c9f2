// Bundles tus-js-client into one script, and gathers the licences of what went into it: `make widgets`.

import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

import { build } from "esbuild";

const here = dirname(fileURLToPath(import.meta.url));
const target = process.argv[2] ?? join(here, "..", "static");
const sources = ["build.mjs", "tus.js", "package.json", "package-lock.json"];

const hash = createHash("sha256");
for (const name of sources) hash.update(readFileSync(join(here, name), "utf8").replaceAll("\r\n", "\n"));

// A script with one name, since the component that follows it is in the same module.
const result = await build({
  absWorkingDir: here,
  entryPoints: ["tus.js"],
  bundle: true,
  minify: true,
  format: "iife",
  globalName: "tus",
  target: "es2022",
  charset: "utf8",
  legalComments: "none",
  metafile: true,
  write: false,
});

const inside = /^node_modules\/((?:@[^/]+\/)?[^/]+)\//;
const packages = [...new Set(Object.keys(result.metafile.inputs).map((path) => inside.exec(path)?.[1]).filter(Boolean))].sort();
const licences = packages.map((name) => {
  const folder = join(here, "node_modules", name);
  const { version, license } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
  const file = readdirSync(folder).find((each) => /^licen[cs]e/i.test(each));
  if (!file) throw new Error(`${name}: no licence`);
  return `${name} ${version} (${license})\n\n${readFileSync(join(folder, file), "utf8").trim()}\n`;
});

const banner = `/* tus-js-client; licences in tus.LICENSES.txt; sources sha256:${hash.digest("hex")} */\n`;
mkdirSync(target, { recursive: true });
writeFileSync(join(target, "tus.js"), banner + result.outputFiles[0].text);
writeFileSync(join(target, "tus.LICENSES.txt"), licences.join(`\n${"-".repeat(80)}\n\n`));
