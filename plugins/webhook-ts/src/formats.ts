// What a webhook wants to be told: the bodies of Slack, Discord, plain JSON and plain text.
//
// Messages of several records share a request as long as they fit. What a record says cannot become markup or a mention.

import { BadRecord } from "@lockgate/sdk";
import { Template, type Escape, type View } from "./template.js";

/** The formats by their names in `webhook.format`. */
export const FORMATS = ["slack", "discord", "json", "text"] as const;
export type FormatName = (typeof FORMATS)[number];

/** A rendered record: a text, or a JSON value. */
export type Rendered = unknown;

/** One way to say it. */
export interface Format {
  /** `content-type` of the request. */
  contentType: string;
  /** What one record says. Throws `BadRecord`. */
  render(view: View): Rendered;
  /** The body of a request; undefined if so many do not fit into one. */
  body(all: readonly Rendered[]): string | undefined;
}

/** Characters of one message at most, by the services' own documentation. */
const SLACK_TEXT_MAX = 40_000;
const DISCORD_CONTENT_MAX = 2_000;
const ELLIPSIS = "…";

const slackEscape: Escape = (text) => text.replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;");
const discordEscape: Escape = (text) => text.replace(/[\\*_~`|>#[\]()-]/g, "\\$&");
const asIs: Escape = (text) => text;

/** Makes a format. Throws `SyntaxError` where the template is wrong. */
export function format(name: FormatName, template: string | null, truncate: boolean, username: string | null): Format {
  if (name === "json") return json(template);
  const text = Template.parse(template ?? "{value|}");
  const lines = (max: number, escape: Escape, wrap: (text: string) => string, contentType = "application/json"): Format => ({
    contentType,
    render: (view) => fitting(text.fill(view, escape), max, truncate),
    body: (all) => {
      const whole = all.join("\n");
      return whole.length > max && all.length > 1 ? undefined : wrap(whole);
    },
  });
  if (name === "text") return lines(Infinity, asIs, (whole) => whole, "text/plain; charset=utf-8");
  if (name === "slack") return lines(SLACK_TEXT_MAX, slackEscape, (whole) => JSON.stringify({ text: whole }));
  const own = username === null ? {} : { username };
  // Nobody is called by what a record says.
  return lines(DISCORD_CONTENT_MAX, discordEscape, (content) => JSON.stringify({ content, ...own, allowed_mentions: { parse: [] } }));
}

function fitting(text: string, max: number, truncate: boolean): string {
  if (text.trim() === "") throw new BadRecord("webhook.empty", "there is nothing to say: the message is empty");
  if (text.length <= max) return text;
  if (!truncate) throw new BadRecord("webhook.length", `the message has ${text.length} characters, at most ${max} are allowed`);
  const cut = text.slice(0, max - ELLIPSIS.length);
  // Not through the middle of a pair.
  return (/[\ud800-\udbff]$/.test(cut) ? cut.slice(0, -1) : cut) + ELLIPSIS;
}

function json(template: string | null): Format {
  const shape = template === null ? undefined : compiled(parsed(template));
  return {
    contentType: "application/json",
    render: (view) => (shape === undefined ? (view.value ?? null) : shape(view)),
    body: (all) => JSON.stringify(all.length === 1 ? all[0] : all),
  };
}

function parsed(template: string): unknown {
  try {
    return JSON.parse(template);
  } catch (error) {
    throw new SyntaxError(`of webhook.format=json the template is JSON, its texts may hold places: ${(error as Error).message}`);
  }
}

/** A JSON value whose texts are templates. */
function compiled(shape: unknown): (view: View) => unknown {
  if (typeof shape === "string") {
    const template = Template.parse(shape);
    return (view) => template.valueOf(view);
  }
  if (Array.isArray(shape)) {
    const parts = shape.map(compiled);
    return (view) => parts.map((part) => part(view));
  }
  if (typeof shape === "object" && shape !== null) {
    const parts = Object.entries(shape).map(([name, part]) => [name, compiled(part)] as const);
    return (view) => Object.fromEntries(parts.map(([name, part]) => [name, part(view)]));
  }
  return () => shape;
}
