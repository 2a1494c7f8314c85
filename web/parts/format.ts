/* Numbers, money and times as people read them. Times are in the browser's zone; the UTC form is for hovering. */
import { getState } from "../state.ts";
import { t } from "../i18n/text.ts";

const cache = new Map<string, Intl.DateTimeFormat>();
function formatter(name: string, options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  const language = getState().language;
  const key = language + name;
  let found = cache.get(key);
  if (!found) {
    found = new Intl.DateTimeFormat(language === "ja" ? "ja-JP" : "en-GB", { hourCycle: "h23", ...options });
    cache.set(key, found);
  }
  return found;
}

const two = (n: number) => String(n).padStart(2, "0");

/* 2018-01-26 00:02:13.000: the same in both languages, sortable by eye. */
export function dateTime(text: string | number | null | undefined, millis = false): string {
  const time = toMillis(text);
  if (time === null) return text === null || text === undefined || text === "" ? "–" : String(text);
  const d = new Date(time);
  const base = `${d.getFullYear()}-${two(d.getMonth() + 1)}-${two(d.getDate())} ${two(d.getHours())}:${two(d.getMinutes())}:${two(d.getSeconds())}`;
  return millis ? `${base}.${String(d.getMilliseconds()).padStart(3, "0")}` : base;
}

export function utc(text: string | number | null | undefined): string {
  const time = toMillis(text);
  return time === null ? "" : `${new Date(time).toISOString()} (UTC)`;
}

/* RFC 3339, epoch seconds (also as decimal text) or null. Nanoseconds are cut to milliseconds for display. */
export function toMillis(value: unknown): number | null {
  if (value === null || value === undefined || value === "") return null;
  if (typeof value === "number") return value * 1000;
  const text = String(value);
  if (/^-?\d+(\.\d+)?$/.test(text)) return Number(text) * 1000;
  if (!/^\d{4}-\d\d-\d\d/.test(text)) return null;
  const time = Date.parse(text.replace(/(\.\d{3})\d+/, "$1"));
  return Number.isNaN(time) ? null : time;
}

/* How an axis with this many milliseconds between ticks names a moment. */
export function tick(seconds: number, stepSeconds: number): string {
  const date = new Date(seconds * 1000);
  if (stepSeconds >= 86400 * 28) return formatter("month", { year: "numeric", month: "short" }).format(date);
  if (stepSeconds >= 86400) return formatter("day", { month: "short", day: "numeric" }).format(date);
  if (date.getHours() === 0 && date.getMinutes() === 0 && date.getSeconds() === 0 && stepSeconds >= 60)
    return formatter("day", { month: "short", day: "numeric" }).format(date);
  if (stepSeconds >= 60) return `${two(date.getHours())}:${two(date.getMinutes())}`;
  return `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`;
}

/* 11-24 (Tue) 09:00: for what lies days ahead or behind. */
export function dayTime(text: string | number | null | undefined): string {
  const time = toMillis(text);
  if (time === null) return "–";
  const d = new Date(time);
  return `${two(d.getMonth() + 1)}-${two(d.getDate())} (${formatter("weekday", { weekday: "short" }).format(d)}) ${two(d.getHours())}:${two(d.getMinutes())}`;
}

/* As an input of the kind datetime-local has it, in the browser's zone. */
export function localInput(millis: number): string {
  const d = new Date(millis);
  return `${d.getFullYear()}-${two(d.getMonth() + 1)}-${two(d.getDate())}T${two(d.getHours())}:${two(d.getMinutes())}`;
}

export function age(text: string | null | undefined, now = Date.now()): string {
  const time = toMillis(text);
  if (time === null) return "–";
  const seconds = Math.max(0, Math.round((now - time) / 1000));
  if (seconds < 60) return t("age.seconds", { n: seconds });
  if (seconds < 3600) return t("age.minutes", { n: Math.floor(seconds / 60) });
  if (seconds < 86400 * 2) return t("age.hours", { n: Math.floor(seconds / 3600) });
  if (seconds < 86400 * 730) return t("age.days", { n: Math.floor(seconds / 86400) });
  return t("age.years", { n: Math.floor(seconds / 86400 / 365) });
}

export function duration(ms: number): string {
  if (ms < 1000) return `${Math.round(ms)} ms`;
  if (ms < 60_000) return `${(ms / 1000).toFixed(ms < 10_000 ? 1 : 0)} s`;
  const minutes = Math.round(ms / 60_000);
  if (minutes < 120) return t("age.minutes_span", { n: minutes });
  return minutes < 48 * 60 ? t("age.hours_span", { n: Math.round(minutes / 60) }) : t("age.days_span", { n: Math.round(minutes / 1440) });
}

/* Exact: money arrives as decimal text and must not pass through a double. */
export function grouped(value: string | number | null | undefined): string {
  if (value === null || value === undefined || value === "") return "–";
  const match = /^(-?)(\d+)(\.\d+)?$/.exec(String(value));
  if (!match) return String(value);
  return match[1] + match[2]!.replace(/\B(?=(\d{3})+$)/g, ",") + (match[3] ?? "");
}

export function short(value: number): string {
  if (value < 10_000) return grouped(Math.round(value * 10) / 10);
  return new Intl.NumberFormat(getState().language === "ja" ? "ja-JP" : "en", { notation: "compact", maximumFractionDigits: 1 }).format(value);
}

/* Of files and disks. */
export function size(bytes: number | null): string {
  const units = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"];
  let n = bytes ?? -1, i = 0;
  if (n < 0) return "–";
  while (n >= 1024 && i < units.length - 1) { n /= 1024; i++; }
  return `${i && n < 100 ? n.toFixed(1) : Math.round(n)} ${units[i]}`;
}
