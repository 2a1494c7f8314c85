/*
 * Log text, made safe to look at. Everything becomes text nodes; what the eye cannot see or what deceives it
 * (control characters, bidirectional overrides, zero-width characters, words of mixed scripts) is made visible.
 */
import { h } from "./h.ts";
import type { Child } from "./h.ts";
import type { Scalar, Value } from "../api.ts";
import { t } from "../i18n/text.ts";

const HIDDEN =
  /[\u0000-\u001f\u007f-\u009f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff9-\ufffc\ud800-\udfff]|[\u{e0000}-\u{e0fff}]/gu;
const MAYBE_MIXED = /[\u0370-\u052f\u13a0-\u13ff\u1f00-\u1fff]/;
const WORD = /[\p{L}\p{M}\d]+/gu;

const C0 = "NUL SOH STX ETX EOT ENQ ACK BEL BS TAB LF VT FF CR SO SI DLE DC1 DC2 DC3 DC4 NAK SYN ETB CAN EM SUB ESC FS GS RS US".split(" ");

/* Names instead of the Unicode control pictures: those are missing from many fonts. */
function badge(character: string, keepLines: boolean): Child {
  const code = character.codePointAt(0)!;
  if (code === 9 || code === 10) return keepLines ? character : h("span.line-char", { title: C0[code] }, code === 9 ? "→" : "↵");
  if (code < 32) return h("span.hidden-char", { title: `U+${hex(code)}` }, C0[code]);
  if (code === 127) return h("span.hidden-char", { title: "U+007F" }, "DEL");
  return h("span.hidden-char", { title: t("text.hidden") }, `[U+${hex(code)}]`);
}

const hex = (code: number) => code.toString(16).toUpperCase().padStart(4, "0");

function mixedScripts(word: string): boolean {
  return /\p{Script=Latin}/u.test(word) && /[\p{Script=Greek}\p{Script=Cyrillic}\p{Script=Cherokee}]/u.test(word);
}

function markMixed(text: string, out: Child[]): void {
  if (!MAYBE_MIXED.test(text)) { out.push(text); return; }
  let from = 0;
  for (const match of text.matchAll(WORD)) {
    if (!mixedScripts(match[0])) continue;
    out.push(text.slice(from, match.index), h("span.mixed-script", { title: t("text.mixed") }, match[0]));
    from = match.index + match[0].length;
  }
  out.push(text.slice(from));
}

/* With keepLines, line breaks and tabs stay what they are (a raw event shown in full). */
export function visible(text: string, keepLines = false): Child[] {
  const out: Child[] = [];
  let from = 0;
  for (const match of text.matchAll(HIDDEN)) {
    if (match.index > from) markMixed(text.slice(from, match.index), out);
    out.push(badge(match[0], keepLines));
    from = match.index + match[0].length;
  }
  if (from < text.length) markMixed(text.slice(from), out);
  return out;
}

/* The same where only a text can stand: a title, the text of a drawing. */
export function visibleText(text: string): string {
  return text.replace(HIDDEN, (character) => `[U+${hex(character.codePointAt(0)!)}]`);
}

/* Bytes that are not UTF-8: the readable parts as text, the others as \xNN. */
export function bytesToText(base64: string): string {
  let binary: string;
  try { binary = atob(base64); } catch { return base64; }
  const bytes = Uint8Array.from(binary, (c) => c.charCodeAt(0));
  const decoder = new TextDecoder("utf-8", { fatal: true });
  let out = "";
  for (let i = 0; i < bytes.length; ) {
    const first = bytes[i]!;
    const length = first < 0x80 ? 1 : first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
    try {
      out += decoder.decode(bytes.subarray(i, i + length));
      i += length;
    } catch {
      out += "\\x" + first.toString(16).padStart(2, "0");
      i++;
    }
  }
  return out;
}

export function scalarText(value: Scalar): string {
  if (value === null || value === undefined) return "";
  if (typeof value === "object") return bytesToText(value.base64);
  return String(value);
}

export function valueText(value: Value | undefined): string {
  if (value === undefined || value === null) return "";
  return Array.isArray(value) ? value.map(scalarText).join("\n") : scalarText(value);
}

/* A value in a table cell; several values are separated, bytes are marked. */
export function showValue(value: Value | undefined): Child {
  if (value === undefined || value === null) return h("span.null", null, "∅");
  if (Array.isArray(value)) return value.map((one, i) => h("bdi.one-of-many", { key: i }, showValue(one)));
  if (typeof value === "object") return h("bdi", { title: t("text.bytes") }, h("span.tag", null, "bytes"), " ", visible(bytesToText(value.base64)));
  return h("bdi", null, visible(String(value)));
}

/* Text of the server's that may hold a sender's words (titles, reasons, names). */
/* lines: line breaks and tabs stay what they are. */
export function Text(props: { text: string | null | undefined; lines?: boolean }) {
  return h("bdi", null, visible(props.text ?? "", props.lines));
}
