/* The time range: presets, relative text as in the API (-24h@h, now), or two moments in the browser's zone. */
import { useState } from "preact/hooks";
import { h } from "./h.ts";
import { Popover } from "./menu.ts";
import { dateTime, toMillis, utc } from "./format.ts";
import { t } from "../i18n/text.ts";
import type { Key } from "../i18n/text.ts";

export interface Range { from: string; to: string }

/* "All" ends far in the future: an event with a wrong clock must not hide from it. */
export const ALL: Range = { from: "0", to: "2200-01-01T00:00:00Z" };
const PRESETS: { key: Key; range: Range }[] = [
  { key: "time.15m", range: { from: "-15m", to: "now" } },
  { key: "time.1h", range: { from: "-1h", to: "now" } },
  { key: "time.4h", range: { from: "-4h", to: "now" } },
  { key: "time.24h", range: { from: "-24h", to: "now" } },
  { key: "time.7d", range: { from: "-7d", to: "now" } },
  { key: "time.30d", range: { from: "-30d", to: "now" } },
  { key: "time.all", range: ALL },
];

const isAbsolute = (text: string) => /^\d{4}-/.test(text);
const showOne = (text: string) => (isAbsolute(text) ? dateTime(text) : text);

export function rangeLabel(range: Range): string {
  const preset = PRESETS.find((one) => one.range.from === range.from && one.range.to === range.to);
  return preset ? t(preset.key) : `${showOne(range.from)} → ${showOne(range.to)}`;
}

function localInput(text: string): string {
  const time = isAbsolute(text) ? toMillis(text) : null;
  return time === null ? "" : dateTime(time / 1000).replace(" ", "T");
}

function fromLocalInput(text: string): string | null {
  const time = new Date(text).getTime();
  return text === "" || Number.isNaN(time) ? null : new Date(time).toISOString();
}

export function TimePicker(props: { range: Range; onPick: (range: Range) => void }) {
  const title = isAbsolute(props.range.from) ? `${utc(props.range.from)} – ${utc(props.range.to)}` : t("time.pick");
  return h(Popover, {
    class: "time-button", panelClass: "time-panel", title,
    label: [h("span.icon", { "aria-hidden": true }, "◷"), rangeLabel(props.range), h("span.caret", { "aria-hidden": true }, "▾")],
    children: (close: () => void) => h(Panel, { range: props.range, onPick: (range: Range) => { close(); props.onPick(range); } }),
  });
}

function Panel(props: { range: Range; onPick: (range: Range) => void }) {
  const [from, setFrom] = useState(isAbsolute(props.range.from) ? "" : props.range.from);
  const [to, setTo] = useState(isAbsolute(props.range.to) ? "now" : props.range.to);
  const [start, setStart] = useState(localInput(props.range.from));
  const [end, setEnd] = useState(localInput(props.range.to));
  const [wrong, setWrong] = useState("");

  const relative = (event: Event) => {
    event.preventDefault();
    if (!from.trim()) { setWrong(t("time.need_from")); return; }
    props.onPick({ from: from.trim(), to: to.trim() || "now" });
  };
  const absolute = (event: Event) => {
    event.preventDefault();
    const a = fromLocalInput(start), b = fromLocalInput(end);
    if (!a || !b) setWrong(t("time.need_both"));
    else if (a >= b) setWrong(t("time.order"));
    else props.onPick({ from: a, to: b });
  };
  const input = (label: string, type: string, value: string, set: (text: string) => void, placeholder = "") =>
    h("label.field", null, h("span", null, label),
      h("input", { type, value, placeholder, step: type === "text" ? undefined : 1, spellcheck: false, onInput: (e: Event) => set((e.target as HTMLInputElement).value) }));

  return [
    h("div.presets", null, PRESETS.map((preset) =>
      h("button.preset", {
        key: preset.key, "aria-pressed": preset.range.from === props.range.from && preset.range.to === props.range.to,
        onClick: () => props.onPick(preset.range),
      }, t(preset.key)))),
    h("div.time-forms", null,
      h("form", { onSubmit: relative },
        h("h3", null, t("time.relative")),
        h("div.pair", null, input(t("time.from"), "text", from, setFrom, "-24h@h"), input(t("time.to"), "text", to, setTo, "now")),
        h("button", { type: "submit" }, t("time.apply"))),
      h("form", { onSubmit: absolute },
        h("h3", null, t("time.absolute"), " ", h("small", null, Intl.DateTimeFormat().resolvedOptions().timeZone)),
        h("div.pair", null, input(t("time.from"), "datetime-local", start, setStart), input(t("time.to"), "datetime-local", end, setEnd)),
        h("button", { type: "submit" }, t("time.apply"))),
      wrong && h("p.error-text", { role: "alert" }, wrong)),
  ];
}
