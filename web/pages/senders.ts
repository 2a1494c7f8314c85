/* Who sends: state, rate, delays, clock and size of each sender, host and file; the silent ones first. */
import { Fragment } from "preact";
import { useState } from "preact/hooks";
import { h } from "../parts/h.ts";
import type { Child } from "../parts/h.ts";
import { usePoll } from "../parts/poll.ts";
import { Text, scalarText } from "../parts/visible.ts";
import { age, duration, grouped, short, toMillis, utc } from "../parts/format.ts";
import { term } from "../parts/spl_edit.ts";
import { api } from "../api.ts";
import type { Sender } from "../api.ts";
import { hashFor } from "../state.ts";
import { t } from "../i18n/text.ts";
import type { Key } from "../i18n/text.ts";

const EVERY_MS = 10_000;
const SHOWN = 200;
const STATES = ["silent", "learning", "as_usual", "not_awaited"] as const;
const GLYPH = { silent: "▲", learning: "…", as_usual: "✓", not_awaited: "–" } as const;

interface Column { name: Key; about: Key; numeric: boolean; of: (s: Sender) => number | string; show: (s: Sender) => Child; title?: (s: Sender) => string }

const nameOf = (s: Sender) => [s.source, s.sender, s.path, s.host].filter((part) => part !== null).map(scalarText).join(" ");

/* A skew of seconds is ordinary; a zone means that its stamps are read in another than they are written in. */
function clockText(s: Sender): string {
  if (!s.clock) return "–";
  const seconds = Math.round(s.clock.skew_s);
  const skew = Math.abs(seconds) < 2 ? "" : `${seconds < 0 ? "−" : "+"}${duration(Math.abs(seconds) * 1000)}`;
  return [s.clock.zone === null ? "" : `UTC${s.clock.zone}`, skew].filter((part) => part).join(" ") || t("senders.clock_right");
}
const clockIsWrong = (s: Sender) => s.clock !== null && (s.clock.zone !== null || Math.abs(s.clock.skew_s) > 60);

const rate = (perSecond: number | null): string => {
  if (perSecond === null) return "–";
  return perSecond >= 1 ? `${short(perSecond)}/s` : perSecond * 60 >= 1 ? `${short(perSecond * 60)}/min` : `${short(perSecond * 3600)}/h`;
};
const size = (bytes: number | null): string => {
  const units = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"];
  let n = bytes ?? -1, i = 0;
  if (n < 0) return "–";
  while (n >= 1024 && i < units.length - 1) { n /= 1024; i++; }
  return `${i && n < 100 ? n.toFixed(1) : Math.round(n)} ${units[i]}`;
};
const share = (s: Sender) => (s.share === null ? "–" : `${Math.floor(s.share * 1000) / 10}%`);

const COLUMNS: Column[] = [
  { name: "col.source", about: "senders.about_source", numeric: false, of: nameOf, show: (s) => h(Place, { sender: s }) },
  { name: "col.state", about: "senders.about_state", numeric: false, of: (s) => STATES.indexOf(s.state), show: (s) => h(State, { sender: s }), title: (s) => utc(s.silent_since) },
  { name: "senders.last_seen", about: "senders.about_last", numeric: false, of: (s) => -(toMillis(s.last_seen) ?? 0), show: (s) => age(s.last_seen), title: (s) => utc(s.last_seen) },
  { name: "senders.rate", about: "senders.about_rate", numeric: true, of: (s) => -s.per_second, show: (s) => rate(s.per_second) },
  { name: "senders.usual", about: "senders.about_usual", numeric: true, of: (s) => -(s.usual_per_second ?? -1), show: (s) => rate(s.usual_per_second) },
  { name: "senders.delay", about: "senders.about_delay", numeric: true, of: (s) => -s.delay_p99_ms, show: (s) => `${duration(s.delay_p50_ms)} / ${duration(s.delay_p99_ms)}` },
  { name: "senders.clock", about: "senders.about_clock", numeric: true, of: (s) => -(s.clock ? Math.abs(s.clock.skew_s) + (s.clock.zone ? 1e6 : 0) : -1), show: (s) => h("span", { class: clockIsWrong(s) ? "warn" : "" }, clockText(s)) },
  { name: "unknown.share", about: "senders.about_share", numeric: true, of: (s) => s.share ?? 2, show: (s) => h("span", { class: s.share !== null && s.share < 0.9 ? "warn" : "" }, share(s)) },
  { name: "senders.disk", about: "senders.about_disk", numeric: true, of: (s) => -s.disk_bytes, show: (s) => size(s.disk_bytes) },
  { name: "senders.month", about: "senders.about_month", numeric: true, of: (s) => -s.month_bytes, show: (s) => size(s.month_bytes) },
];

function Place(props: { sender: Sender }) {
  const s = props.sender;
  const inner = [s.sender, s.path, s.host].filter((part) => part !== null).map(scalarText);
  return h("span.place", null, h(Text, { text: scalarText(s.source) }),
    inner.filter((part, i) => inner.indexOf(part) === i).map((part, i) => h("small.mono.dim", { key: i }, h(Text, { text: part }))));
}

function State(props: { sender: Sender }) {
  const { state } = props.sender;
  const tone = state === "silent" ? "warn" : state === "as_usual" ? "good" : "";
  return h("span.state", { class: tone, title: t(`senders.about_${state}`) }, h("i", { "aria-hidden": true }, GLYPH[state], " "), t(`senders.${state}`));
}

export function Senders() {
  const { data, error } = usePoll(() => api.sources(), EVERY_MS, []);
  const [order, setOrder] = useState<number | null>(null);
  const [open, setOpen] = useState<string | null>(null);
  const [all, setAll] = useState(false);
  const senders = [...(data?.senders ?? [])];
  const column = order === null ? null : COLUMNS[order]!;
  if (column) senders.sort((a, b) => (column.of(a) < column.of(b) ? -1 : column.of(a) > column.of(b) ? 1 : 0));
  const shown = all ? senders : senders.slice(0, SHOWN);
  const total = data?.senders_total ?? 0;
  if (data && total === 0 && !error) return null;
  return h("section.senders", null,
    h("div.section-head", null, h("h2", null, t("senders.title"), " ", h("span.count", null, total))),
    error && h("p.message.error", { role: "alert" }, h("b", null, "✕ "), error),
    h("div.scroll-x", null, h("table.grid", null,
      h("thead", null, h("tr", null, COLUMNS.map((one, i) => h(one.numeric ? "th.numeric" : "th", { key: one.name, scope: "col", "aria-sort": order === i ? "ascending" : "none" },
        h("button.quiet.sort", { title: t(one.about), "aria-pressed": order === i, onClick: () => setOrder(order === i ? null : i) }, t(one.name), order === i ? " ▾" : ""))))),
      h("tbody", null, shown.map((s) => {
        const key = JSON.stringify([s.source, s.sender, s.path, s.host, s.relayed]);
        return h(Row, { key, sender: s, open: open === key, toggle: () => setOpen(open === key ? null : key) });
      })))),
    senders.length > shown.length && h("button", { onClick: () => setAll(true) }, t("senders.show_all", { n: grouped(senders.length) })),
    total > senders.length && h("p.dim", null, t("unknown.more_sources", { n: grouped(total - senders.length) })));
}

function Row(props: { sender: Sender; open: boolean; toggle: () => void }) {
  const { sender: s, open } = props;
  return h(Fragment, {},
    h("tr", null, COLUMNS.map((one, i) => i === 0
      ? h("th", { key: one.name, scope: "row" }, h("button.link", { "aria-expanded": open, onClick: props.toggle }, open ? "▾ " : "▸ ", one.show(s)))
      : h(one.numeric ? "td.numeric" : "td", { key: one.name, title: one.title?.(s) ?? "" }, one.show(s)))),
    open && h("tr.details", null, h("td", { colSpan: COLUMNS.length }, h(Details, { sender: s }))));
}

function Details(props: { sender: Sender }) {
  const s = props.sender;
  const query = [term("hinomi.source", scalarText(s.source)), s.sender !== null && term("log.source.address", scalarText(s.sender)),
    s.path !== null && term("log.file.path", scalarText(s.path)), s.host !== null && term("host.name", scalarText(s.host))].filter((part) => part).join(" ");
  const rows: [Key, Child][] = [
    ["col.dataset", h(Text, { text: s.dataset === null ? "–" : scalarText(s.dataset) })],
    ["senders.stream", h(Text, { text: s.stream === null ? "–" : scalarText(s.stream) })],
    ["unknown.first", utc(s.first_seen) || "–"],
    ["senders.silent_since", s.silent_since ? utc(s.silent_since) : "–"],
    ["senders.heartbeat", s.heartbeat_s === null ? t("senders.learned") : duration(s.heartbeat_s * 1000)],
    ["unknown.events", grouped(s.events)],
    ["unknown.not", grouped(s.not_understood)],
    ["unknown.not_finished", grouped(s.not_finished)],
    ["senders.lag", s.lag_s === null ? "–" : `${s.lag_s} s`],
    ["senders.bytes", size(s.bytes)],
    ["senders.month_disk", size(s.month_disk_bytes)],
  ];
  return h("div.sender-details", null,
    h("p.dim", null, t(`senders.about_${s.state}`), clockIsWrong(s) && s.clock?.zone ? ` ${t("senders.zone_hint", { zone: s.clock.zone })}` : ""),
    h("dl", null, rows.map(([name, value]) => h("div", { key: name }, h("dt", null, t(name)), h("dd", null, value)))),
    h("a.button", { href: hashFor("search", { q: query }) }, t("sources.search"), " →"));
}
