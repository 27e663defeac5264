// `describe` and `validate`.

import type { Advice, Package, PluginClass, Request } from "../plugin.js";
import type { RawSettings } from "../raw.js";
import type { Key } from "../config.js";
import { answering, keysOf } from "./edge.js";

/** The export `plugin`. */
export function pluginExports(made: Package) {
  return {
    describe: answering(() => ({
      name: made.name,
      version: made.version,
      documentation: made.doc ?? "",
      plugins: made.plugins.map(info),
    })),
    validate: answering((name: string, config: RawSettings) => {
      const cls = made.plugins.find(({ description: d }) => d.name === name || d.aliases?.includes(name));
      if (!cls) return [];
      const settings = new Map(config);
      const advice = new Map<string, Required<Advice>>();
      const say = ({ key, errors = [], recommended = [], visible = true }: Advice): void => {
        const before = advice.get(key);
        advice.set(key, { key, errors: [...(before?.errors ?? []), ...errors], recommended, visible });
      };
      for (const [key, of] of keysOf(cls)) {
        const text = settings.get(key);
        const problem = text === undefined ? undefined : of.checked(text);
        if (problem) say({ key, errors: [problem] });
      }
      for (const one of cls.validate(settings)) say(one);
      return [...advice.values()].map(({ key, ...rest }) => ({ name: key, ...rest }));
    }),
  };
}

function info(cls: PluginClass) {
  const { name, doc = "", aliases = [], encodings = ["bytes"], asks = [] } = cls.description;
  return {
    class: name,
    kind: cls.kind,
    aliases: [...aliases],
    documentation: doc,
    config: keysOf(cls).map(([key, of]) => definition(key, of)),
    encodings: [...encodings],
    requests: asks.map(request),
  };
}

function request(ask: Request): { tag: string; val: string } {
  const [tag, val] = Object.entries(ask)[0] as [string, string];
  return { tag, val };
}

function definition(name: string, of: Key<unknown>) {
  const { doc = "", importance = of.required ? "high" : "medium", group = "", display = "", width = "none", dependents = [] } = of.options;
  return {
    name,
    configType: of.type,
    required: of.required,
    defaultValue: of.defaultText,
    constraint: constraint(of),
    importance,
    documentation: doc,
    group,
    displayName: display,
    width,
    dependents: [...dependents],
  };
}

function constraint(of: Key<unknown>) {
  if (of.allowed.length > 0) return { tag: "one-of", val: [...of.allowed] };
  if (of.options.between) return { tag: "between", val: [of.options.between[0], of.options.between[1]] };
  return { tag: of.options.nonEmpty ? "non-empty" : "any" };
}
