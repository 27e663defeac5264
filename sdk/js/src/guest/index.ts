// The exports of a component, made of a package. One instance is one task.

import { takeConsole } from "../logs.js";
import type { Package } from "../plugin.js";
import { pluginExports } from "./describing.js";
import { sinkExports } from "./sinks.js";
import { sourceExports } from "./sources.js";
import { transformExports } from "./transforms.js";

/** What the build's entry exports; the world says which of these count. */
export function exportsOf(made: Package) {
  takeConsole();
  return { plugin: pluginExports(made), source: sourceExports(made), sink: sinkExports(made), transform: transformExports(made) };
}
