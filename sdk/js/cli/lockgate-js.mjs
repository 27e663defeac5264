#!/usr/bin/env node
// `lockgate-js build MODULE` makes a component of the package that MODULE exports by default; `lockgate-js test FILES` runs unit tests on
// this machine, with a stand-in for the host. Tools are looked up from the project, then from the SDK.

import { spawnSync } from "node:child_process";
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, join, resolve } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { parseArgs } from "node:util";

const sdk = resolve(dirname(fileURLToPath(import.meta.url)), "..");
// In this repository the sources, in the published package what tsc made of them.
const source = (name) => [join(sdk, "src", `${name}.ts`), join(sdk, "dist", `${name}.js`)].find(existsSync);
const QJS = "0.4.5";
const STARLING = "0.23.0";

class BuildError extends Error {}

/** The folder of an installed package: of the project's, or of the SDK's; `LOCKGATE_JS_TOOLS` names a folder to look in first. */
function installed(name, wanted) {
  for (let place of [process.env.LOCKGATE_JS_TOOLS, process.cwd(), sdk].filter(Boolean).map((path) => resolve(path))) {
    for (; ; place = dirname(place)) {
      const folder = join(place, "node_modules", name);
      if (existsSync(folder)) return folder;
      if (place === dirname(place)) break;
    }
  }
  throw new BuildError(`${name} is missing: npm install --save-dev ${name}@${wanted}`);
}

/** Its module. Not by `require.resolve`, which does not see packages that are ES modules only. */
function tool(name, wanted) {
  const folder = installed(name, wanted);
  const about = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
  let entry = about.exports?.["."] ?? about.exports ?? about.main ?? "index.js";
  while (typeof entry === "object") entry = entry.import ?? entry.node ?? entry.default;
  return import(pathToFileURL(join(folder, entry)).href);
}

/** Finds the SDK by its name, wherever the project lies, and the host's functions for tests. */
function sdkPlugin(standIn) {
  return {
    name: "lockgate",
    setup(build) {
      build.onResolve({ filter: /^@lockgate\/sdk(\/testing)?$/ }, ({ path }) => ({
        path: source(path.endsWith("testing") ? "testing" : "index"),
      }));
      build.onResolve({ filter: /^lockgate:connect\// }, ({ path }) =>
        standIn ? { path, namespace: "stand-in" } : { path, external: true },
      );
      // The stand-in is one module; each interface is an object of its exports.
      build.onLoad({ filter: /.*/, namespace: "stand-in" }, ({ path }) => {
        const name = /\/(\w+)@/.exec(path)[1];
        const host = JSON.stringify(source("host-testing"));
        const functions = { log: ["write", "lowest"], metrics: ["add", "set", "observe"], state: ["get", "set", "remove"],
          context: ["cancelled", "requestReconfiguration", "positions"] }[name];
        const lines = functions.map((f) => `export const ${f} = (...args) => host.${name}.${f}(...args);`);
        return { contents: `import { host } from ${host};\n${lines.join("\n")}`, resolveDir: sdk };
      });
    },
  };
}

async function bundle(entry, outfile, standIn) {
  const esbuild = await tool("esbuild", "0.25.12").then((module) => module.default ?? module);
  const options = {
    stdin: { contents: entry, resolveDir: process.cwd(), sourcefile: "lockgate-entry.js" },
    bundle: true, format: "esm", target: "es2022", outfile, sourcemap: "external", logLevel: "silent",
    ...(standIn ? { platform: "node" } : {}),
    plugins: [sdkPlugin(standIn)],
  };
  try {
    await esbuild.build(options);
  } catch (error) {
    const said = await esbuild.formatMessages(error.errors ?? [], { kind: "error" });
    throw new BuildError(said.join("") || String(error));
  }
}

/** The package as it is on this machine: its kinds decide the world, what it asks for the engine. */
async function described(module, folder) {
  const file = join(folder, "described.mjs");
  await bundle(`export { default } from ${JSON.stringify(module)};`, file, true);
  const made = (await import(pathToFileURL(file).href)).default;
  if (!made?.plugins) {
    throw new BuildError(`${module} must export a package: export default definePackage({ name, version, plugins: [...] })`);
  }
  return made;
}

function worldOf(made) {
  const kinds = new Set(made.plugins.map(({ kind }) => (kind === "predicate" ? "transform" : kind)));
  return kinds.size === 1 ? [`${[...kinds][0]}-package`, kinds] : ["mixed-package", new Set(["source", "sink", "transform"])];
}

/** Puts what `trace.ts` reads behind the code: names and lines of the author's sources. */
function withMap(file, folder) {
  const map = JSON.parse(readFileSync(`${file}.map`, "utf8"));
  const sources = map.sources.map((name) => {
    const path = resolve(dirname(file), name);
    const own = path.startsWith(join(sdk, "src")) || path.startsWith(join(sdk, "dist")) || path.endsWith("lockgate-entry.js");
    return own ? "" : basename(path);
  });
  const known = JSON.stringify({ sources, mappings: map.mappings });
  const text = `${readFileSync(file, "utf8")}\nglobalThis.__lockgateMap = () => JSON.parse(${JSON.stringify(known)});\n`;
  writeFileSync(join(folder, "plugin.js"), text);
  return join(folder, "plugin.js");
}

async function build(module, output, chosen) {
  if (!existsSync(module)) throw new BuildError(`${module} is not there`);
  const folder = mkdtempSync(join(tmpdir(), "lockgate-"));
  try {
    const made = await described(resolve(module), folder);
    const asksHttp = made.plugins.some(({ description }) => description.asks?.some((ask) => "http" in ask));
    const engine = chosen ?? (asksHttp ? "starlingmonkey" : "quickjs");
    const [world, kinds] = worldOf(made);
    const names = ["plugin", ...kinds].join(", ");
    const file = join(folder, "bundle.js");
    const entry = `import made from ${JSON.stringify(resolve(module))};
import { exportsOf } from ${JSON.stringify(source("guest/index"))};
export const { ${names} } = exportsOf(made);`;
    await bundle(entry, file, false);
    const code = withMap(file, folder);
    cpSync(join(sdk, "wit"), join(folder, "wit"), { recursive: true });
    const wasm = join(folder, "made.wasm");
    await (engine === "quickjs" ? quickjs : starlingmonkey)(code, join(folder, "wit"), world, wasm);
    cpSync(wasm, output);
    console.log(`${output}: ${(statSync(output).size / 1e6).toFixed(1)} MB, ${engine}`);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function quickjs(code, wit, world, wasm) {
  const bin = join(installed("componentize-qjs", QJS), "..", ".bin", "componentize-qjs");
  const ended = spawnSync(bin, ["-w", wit, "-n", world, "-j", code, "--sync", "-o", wasm], { encoding: "utf8" });
  if (ended.status !== 0) throw new BuildError(`componentize-qjs failed:\n${ended.stdout}${ended.stderr}`);
}

async function starlingmonkey(code, witPath, worldName, wasm) {
  const { componentize } = await tool("@bytecodealliance/componentize-js", STARLING);
  const { component } = await componentize({ sourcePath: code, witPath, worldName });
  writeFileSync(wasm, component);
}

async function test(files) {
  const folder = mkdtempSync(join(tmpdir(), "lockgate-"));
  try {
    const made = [];
    for (const [at, file] of files.entries()) {
      const out = join(folder, `${at}-${basename(file).replace(/\.\w+$/, "")}.mjs`);
      await bundle(`import ${JSON.stringify(resolve(file))};`, out, true);
      made.push(out);
    }
    const ended = spawnSync(process.execPath, ["--enable-source-maps", "--test", "--test-reporter=spec", ...made], { stdio: "inherit" });
    return ended.status ?? 1;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const USAGE = `lockgate-js build MODULE [--output FILE] [--engine quickjs|starlingmonkey]
    builds a component; without --engine StarlingMonkey where a plugin asks for HTTP, else QuickJS
lockgate-js test FILE...
    runs unit tests (node:test) on this machine`;

async function main() {
  const { values, positionals } = parseArgs({
    options: { output: { type: "string", short: "o" }, engine: { type: "string" } },
    allowPositionals: true,
  });
  const [command, ...rest] = positionals;
  if (command === "build" && rest.length === 1 && [undefined, "quickjs", "starlingmonkey"].includes(values.engine)) {
    const output = values.output ?? basename(rest[0]).replace(/\.\w+$/, ".wasm");
    await build(rest[0], output, values.engine);
    return 0;
  }
  if (command === "test" && rest.length > 0) return test(rest);
  console.error(USAGE);
  return 2;
}

try {
  process.exitCode = await main();
} catch (error) {
  if (!(error instanceof BuildError)) throw error;
  console.error(`lockgate-js: ${error.message}`);
  process.exitCode = 1;
}
