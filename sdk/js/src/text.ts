// UTF-8, also where the engine has no TextEncoder. `escape` and `unescape` are native, and a hundred times as fast as a loop in
// QuickJS; what they refuse (bytes that are not UTF-8, halves of pairs) takes the slow way.

declare const TextEncoder: undefined | (new () => { encode(text: string): Uint8Array });
declare const TextDecoder: undefined | (new () => { decode(bytes: Uint8Array): string });
declare function escape(text: string): string;
declare function unescape(text: string): string;

const CHUNK = 8192;
const encoder = typeof TextEncoder === "undefined" ? undefined : new TextEncoder();
const decoder = typeof TextDecoder === "undefined" ? undefined : new TextDecoder();

/** Text as UTF-8. */
export const encode: (text: string) => Uint8Array = encoder ? (text) => encoder.encode(text) : encodeAlone;

/** UTF-8 as text; what is not UTF-8 becomes U+FFFD. */
export const decode: (bytes: Uint8Array) => string = decoder ? (bytes) => decoder.decode(bytes) : decodeAlone;

/** `encode` without the engine's codec. */
export function encodeAlone(text: string): Uint8Array {
  let binary = text;
  if (!/^[\x00-\x7f]*$/.test(text)) {
    try {
      binary = unescape(encodeURIComponent(text));
    } catch {
      binary = unescape(encodeURIComponent(text.replace(/[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g, "\ufffd")));
    }
  }
  const bytes = new Uint8Array(binary.length);
  for (let at = 0; at < binary.length; at++) bytes[at] = binary.charCodeAt(at);
  return bytes;
}

/** `decode` without the engine's codec. */
export function decodeAlone(bytes: Uint8Array): string {
  let binary = "";
  for (let at = 0; at < bytes.length; at += CHUNK) {
    binary += String.fromCharCode.apply(null, bytes.subarray(at, at + CHUNK) as unknown as number[]);
  }
  if (/^[\x00-\x7f]*$/.test(binary)) return binary;
  try {
    return decodeURIComponent(escape(binary));
  } catch {
    return decodeSlowly(bytes);
  }
}

function decodeSlowly(bytes: Uint8Array): string {
  let text = "";
  for (let at = 0; at < bytes.length; ) {
    const first = bytes[at]!;
    const size = first < 0x80 ? 1 : first < 0xc2 ? 0 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : first < 0xf5 ? 4 : 0;
    const part = size === 0 ? "" : String.fromCharCode(...bytes.subarray(at, at + size));
    try {
      text += size === 0 ? "\ufffd" : decodeURIComponent(escape(part));
      at += Math.max(size, 1);
    } catch {
      text += "\ufffd";
      at += 1;
    }
  }
  return text;
}

/** What a record's parts may be given as: bytes, text (as UTF-8), or null. */
export type Payload = Uint8Array | string | null | undefined;

/** Bytes of a payload; null is null. */
export function payloadBytes(payload: Payload): Uint8Array | null {
  if (payload === null || payload === undefined) return null;
  return typeof payload === "string" ? encode(payload) : payload;
}
