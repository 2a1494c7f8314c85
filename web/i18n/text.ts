/* t("key", {n: 3}) in the user's language. Keys are checked by tsc; ja.ts must have exactly the keys of en.ts. */
import { getState } from "../state.ts";
import type { Both, Language } from "../api.ts";
import { en } from "./en.ts";
import { ja } from "./ja.ts";

export type Key = keyof typeof en;
const tables: Record<Language, Record<Key, string>> = { en, ja };

export function t(key: Key, values?: Record<string, string | number>): string {
  const text = tables[getState().language][key];
  return values ? text.replace(/\{(\w+)\}/g, (whole, name: string) => String(values[name] ?? whole)) : text;
}

/* For words the server sends (states, levels …): translated where known, shown as they are where not. */
export function word(prefix: string, value: string | null | undefined): string {
  if (!value) return "";
  return (tables[getState().language] as Record<string, string>)[`${prefix}.${value}`] ?? value;
}

export function both(text: Both | string | null | undefined): string {
  if (!text) return "";
  if (typeof text === "string") return text;
  const language = getState().language;
  return text[language] || text.en || text.ja || "";
}
