/* Changing a query by clicking: add a term, exclude a value, count by a field. */
import type { Scalar } from "../api.ts";
import { scalarText } from "./visible.ts";

const BARE = /^[A-Za-z_@][\w@.{}-]*$/;

export function fieldName(name: string): string {
  return BARE.test(name) ? name : `"${name.replace(/"/g, '\\"')}"`;
}

/* In a search comparison \\ is one backslash, \" a quote and \* a star that is not a wildcard. */
export function quoted(value: string): string {
  return `"${value.replace(/\\/g, "\\\\").replace(/"/g, '\\"').replace(/\*/g, "\\*")}"`;
}

export function term(field: string, value: Scalar): string {
  return `${fieldName(field)}=${quoted(scalarText(value))}`;
}

/* Where the first top-level pipe is; -1 when the query is one search. Quotes, brackets, macros and comments are skipped. */
function firstPipe(query: string): number {
  let depth = 0;
  for (let i = 0; i < query.length; i++) {
    const c = query[i];
    if (query.startsWith("```", i)) { const end = query.indexOf("```", i + 3); if (end < 0) return -1; i = end + 2; }
    else if (c === "`") { const end = query.indexOf("`", i + 1); if (end < 0) return -1; i = end; }
    else if (c === '"') { for (i++; i < query.length && query[i] !== '"'; i++) if (query[i] === "\\") i++; }
    else if (c === "[") depth++;
    else if (c === "]") depth--;
    else if (c === "|" && depth <= 0) return i;
  }
  return -1;
}

/* The events that a query looks at: what stands before its first pipe. A query that begins with a pipe has none. */
export function baseSearch(query: string): string {
  const at = firstPipe(query);
  return (at < 0 ? query : query.slice(0, at)).trim();
}

/* One search: the term joins it (OR binds tighter than AND, so no parentheses are needed). A pipeline: it filters the result. */
export function withTerm(query: string, text: string): string {
  const base = query.trim();
  if (base === "" || base === "*") return text;
  if (firstPipe(base) < 0) return `${base} ${text}`;
  return `${base} | search ${text}`;
}

export const including = (query: string, field: string, value: Scalar) => withTerm(query, term(field, value));
export const excluding = (query: string, field: string, value: Scalar) => withTerm(query, `NOT ${term(field, value)}`);
export const having = (query: string, field: string) => withTerm(query, `${fieldName(field)}=*`);

export function countBy(query: string, field: string): string {
  return `${query.trim() || "*"} | stats count by ${fieldName(field)} | sort -count`;
}

export function timechartBy(query: string, field: string): string {
  return `${query.trim() || "*"} | timechart count by ${fieldName(field)}`;
}

/* The API counts in bytes of UTF-8, the editor in UTF-16 units. */
export function unitOffset(text: string, byteOffset: number): number {
  let bytes = 0;
  let units = 0;
  for (const character of text) {
    if (bytes >= byteOffset) break;
    const code = character.codePointAt(0)!;
    bytes += code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
    units += character.length;
  }
  return units;
}
