/* Who sends: state, rate, delays, clock and size of each sender, host and file; the silent ones first. */
import { Fragment } from "preact";
import { useState } from "preact/hooks";
import { h } from "../parts/h.ts";
import type { Child } from "../parts/h.ts";
import { usePoll } from "../parts/poll.ts";
import { Text, scalarText } from "../parts/visible.ts";
import { age, duration, grouped, short, size, toMillis, utc } from "../parts/format.ts";
import { term } from "../parts/spl_edit.ts";
import { api } from "../api.ts";
import type { ReaderKind, Sender } from "../api.ts";
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
  return [s.clock.zone === null ? "" : t("senders.zone", { zone: s.clock.zone }), skew].filter((part) => part).join(" ") || t("senders.clock_right");
}
const clockIsWrong = (s: Sender) => s.clock !== null && (s.clock.zone !== null || Math.abs(s.clock.skew_s) > 60);

const rate = (perSecond: number | null): string => {
  if (perSecond === null) return "–";
  return perSecond >= 1 ? `${short(perSecond)}/s` : perSecond * 60 >= 1 ? `${short(perSecond * 60)}/min` : `${short(perSecond * 3600)}/h`;
};
const share = (s: Sender) => (s.share === null ? "–" : `${Math.floor(s.share * 1000) / 10}%`);

const READERS: ReaderKind[] = ["rules", "searches", "scheduled", "event_types", "data_models", "dashboards"];
const readersOf = (s: Sender) => (s.readers ? s.readers.rules + s.readers.searches + s.readers.scheduled : -1);
const lostOf = (s: Sender) => s.lost_at_input.kernel + s.lost_at_input.queue + s.lost_at_input.parse;

function ReadBy(props: { sender: Sender }): Child {
  const s = props.sender;
  if (!s.readers) return "–";
  return s.read_by_nobody ? h("span.state.warn", { title: t("senders.about_nobody") }, h("i", { "aria-hidden": true }, "◌ "), t("senders.nobody")) : grouped(readersOf(s));
}

/* What the toggles above the table leave in it. */
interface Filter { name: Key; takes: (s: Sender) => boolean }
const FILTERS: Filter[] = [
  { name: "senders.only_silent", takes: (s) => s.state === "silent" },
  { name: "senders.only_missing", takes: (s) => s.gaps.missing > 0 || s.gaps.restarts > 0 },
  { name: "senders.only_unread", takes: (s) => s.read_by_nobody },
  { name: "senders.only_clock", takes: (s) => clockIsWrong(s) },
];

const COLUMNS: Column[] = [
  { name: "col.source", about: "senders.about_source", numeric: false, of: nameOf, show: (s) => h(Place, { sender: s }) },
  { name: "col.state", about: "senders.about_state", numeric: false, of: (s) => STATES.indexOf(s.state), show: (s) => h(State, { sender: s }), title: (s) => utc(s.silent_since) },
  { name: "senders.last_seen", about: "senders.about_last", numeric: false, of: (s) => -(toMillis(s.last_seen) ?? 0), show: (s) => age(s.last_seen), title: (s) => utc(s.last_seen) },
  { name: "senders.rate", about: "senders.about_rate", numeric: true, of: (s) => -s.per_second, show: (s) => rate(s.per_second) },
  { name: "senders.usual", about: "senders.about_usual", numeric: true, of: (s) => -(s.usual_per_second ?? -1), show: (s) => rate(s.usual_per_second) },
  { name: "senders.delay", about: "senders.about_delay", numeric: true, of: (s) => -s.delay_p99_ms, show: (s) => `${duration(s.delay_p50_ms)} / ${duration(s.delay_p99_ms)}` },
  { name: "senders.clock", about: "senders.about_clock", numeric: true, of: (s) => -(s.clock ? Math.abs(s.clock.skew_s) + (s.clock.zone ? 1e6 : 0) : -1), show: (s) => h("span", { class: clockIsWrong(s) ? "warn" : "" }, clockText(s)) },
  { name: "unknown.share", about: "senders.about_share", numeric: true, of: (s) => s.share ?? 2, show: (s) => h("span", { class: s.share !== null && s.share < 0.9 ? "warn" : "" }, share(s)) },
  { name: "senders.missing", about: "senders.about_missing", numeric: true, of: (s) => -s.gaps.missing, show: (s) => h("span", { class: s.gaps.missing ? "bad" : "" }, s.gaps.numberings || s.gaps.missing ? grouped(s.gaps.missing) : "–") },
  { name: "senders.read_by", about: "senders.about_read_by", numeric: true, of: (s) => (s.readers ? readersOf(s) : 1e9), show: (s) => h(ReadBy, { sender: s }) },
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
  const { data, error } = usePoll(() => api.senders(), EVERY_MS, []);
  const [order, setOrder] = useState<number | null>(null);
  const [open, setOpen] = useState<string | null>(null);
  const [all, setAll] = useState(false);
  const [text, setText] = useState("");
  const [only, setOnly] = useState<Filter | null>(null);
  const listed = data?.senders ?? [];
  const wanted = text.trim().toLowerCase();
  const about = (s: Sender) => `${nameOf(s)} ${s.dataset === null ? "" : scalarText(s.dataset)} ${s.stream === null ? "" : scalarText(s.stream)}`.toLowerCase();
  const senders = listed.filter((s) => (!only || only.takes(s)) && about(s).includes(wanted));
  const column = order === null ? null : COLUMNS[order]!;
  if (column) senders.sort((a, b) => (column.of(a) < column.of(b) ? -1 : column.of(a) > column.of(b) ? 1 : 0));
  const shown = all ? senders : senders.slice(0, SHOWN);
  const total = data?.senders_total ?? 0;
  if (data && total === 0 && !error) return null;
  return h("section.senders", null,
    h("div.section-head", null, h("h2", null, t("senders.title"), " ", h("span.count", null, total)),
      h("input", { type: "search", placeholder: t("senders.filter"), "aria-label": t("senders.filter"), value: text, onInput: (e: Event) => setText((e.target as HTMLInputElement).value) }),
      FILTERS.map((filter) => h("button.toggle", { key: filter.name, "aria-pressed": only === filter, onClick: () => setOnly(only === filter ? null : filter) },
        t(filter.name, { n: listed.filter(filter.takes).length })))),
    error && h("p.message.error", { role: "alert" }, h("b", null, "✕ "), error),
    data && senders.length === 0 && h("p.dim", null, t("senders.no_match")),
    senders.length > 0 && h("div.scroll-x", null, h("table.grid", null,
      h("thead", null, h("tr", null, COLUMNS.map((one, i) => h(one.numeric ? "th.numeric" : "th", { key: one.name, scope: "col", "aria-sort": order === i ? "ascending" : "none" },
        h("button.quiet.sort", { title: t(one.about), "aria-pressed": order === i, onClick: () => setOrder(order === i ? null : i) }, t(one.name), order === i ? " ▾" : ""))))),
      h("tbody", null, shown.map((s) => {
        const key = JSON.stringify([s.source, s.sender, s.path, s.host, s.relayed]);
        return h(Row, { key, sender: s, open: open === key, toggle: () => setOpen(open === key ? null : key) });
      })))),
    senders.length > shown.length && h("button", { onClick: () => setAll(true) }, t("senders.show_all", { n: grouped(senders.length) })),
    total > listed.length && h("p.dim", null, t("unknown.more_sources", { n: grouped(total - listed.length) })));
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
    ["senders.gaps", gapText(s)],
    ["senders.lost_at_input", lostOf(s) ? `${grouped(s.lost_at_input.kernel)} / ${grouped(s.lost_at_input.queue)} / ${grouped(s.lost_at_input.parse)}` : "0"],
    ["senders.bytes", size(s.bytes)],
    ["senders.month_disk", size(s.month_disk_bytes)],
  ];
  return h("div.sender-details", null,
    h("p.dim", null, t(`senders.about_${s.state}`), clockIsWrong(s) && s.clock?.zone ? ` ${t("senders.zone_hint", { zone: s.clock.zone })}` : ""),
    h("dl", null, rows.map(([name, value]) => h("div", { key: name }, h("dt", null, t(name)), h("dd", null, value)))),
    h(ReaderList, { sender: s }),
    h("a.button", { href: hashFor("search", { q: query }) }, t("sources.search"), " →"));
}

/* "10 in 2 gaps, the last 1300–1309" */
function gapText(s: Sender): string {
  const { gaps } = s;
  if (!gaps.missing && !gaps.restarts) return gaps.numberings ? t("senders.no_gaps") : t("senders.not_numbered");
  const last = gaps.last_to ? t("senders.last_gap", { from: String(gaps.last_from), to: String(gaps.last_to), at: utc(gaps.last) }) : utc(gaps.last);
  return [gaps.missing ? t("senders.gap_count", { n: grouped(gaps.missing), gaps: grouped(gaps.gaps) }) : "", last,
    gaps.restarts ? t("senders.restarts", { n: grouped(gaps.restarts) }) : ""].filter((part) => part).join(" · ");
}

const LINKS: Partial<Record<ReaderKind, string>> = { rules: "rule.id" };

function ReaderList(props: { sender: Sender }) {
  const s = props.sender;
  const query: Record<string, string> = { relayed: s.relayed ? "1" : "0" };
  for (const name of ["source", "sender", "path", "host"] as const) if (typeof s[name] === "string") query[name] = s[name];
  const { data, error } = usePoll(() => api.readers(query), 0, [JSON.stringify(query)]);
  if (error) return h("p.message.error", { role: "alert" }, h("b", null, "✕ "), error);
  if (!data) return null;
  const named = (kind: ReaderKind) => data.readers.filter((reader) => reader.kind === kind && !reader.everything);
  const everything = data.readers.filter((reader) => reader.everything);
  const name = (reader: (typeof everything)[number]): Child => {
    if (reader.title === null) return t("readers.hidden");
    const field = LINKS[reader.kind];
    const text = h(Text, { text: scalarText(reader.title) });
    return field && reader.id !== null ? h("a", { href: hashFor("search", { q: term(field, scalarText(reader.id)) }), title: t("rules.search") }, text) : text;
  };
  const list = (readers: typeof everything) => h("dd", null, readers.map((reader, i) => h("span.reader", { key: i }, name(reader))));
  return h("div.readers", null,
    h("h4", null, t("senders.read_by")),
    !data.known ? h("p.dim", null, t("senders.readers_unknown")) : data.read_by_nobody && h("p.warn", null, h("i", { "aria-hidden": true }, "◌ "), t("senders.about_nobody")),
    h("dl", null, READERS.filter((kind) => named(kind).length).map((kind) => h("div", { key: kind }, h("dt", null, t(`readers.${kind}`), " ", h("span.count", null, named(kind).length)),
      list(named(kind)))),
      everything.length > 0 && h("div.dim", null, h("dt", null, t("readers.everything"), " ", h("span.count", null, everything.length)), list(everything))),
    data.total > data.readers.length && h("p.dim", null, t("readers.more", { n: grouped(data.total - data.readers.length) })),
    data.searches_unclear > 0 && h("p.dim", null, t("readers.unclear", { n: grouped(data.searches_unclear) })));
}
