/*
 * One entity: a user, host, address, account, wallet, key or anything that has a name. Its risk and what it comes of, since when and where it is
 * seen, what was found about it, whom it was seen with (the graph grows as one clicks), and all its events over all sources on one line.
 */
import { useEffect, useState } from "preact/hooks";
import { h } from "../parts/h.ts";
import { EntityGraph } from "../parts/entity_graph.ts";
import { mentions } from "../parts/entities.ts";
import { EventList } from "../parts/event_list.ts";
import { Histogram } from "../parts/histogram.ts";
import { Severity } from "../parts/badges.ts";
import { Failed } from "../parts/act.ts";
import { SearchJob } from "../parts/search_job.ts";
import { useSearchRows } from "../parts/search_rows.ts";
import type { Found } from "../parts/search_rows.ts";
import { TimePicker } from "../parts/time_picker.ts";
import type { Range } from "../parts/time_picker.ts";
import { Text, valueText } from "../parts/visible.ts";
import { dateTime, grouped, utc } from "../parts/format.ts";
import { usePoll } from "../parts/poll.ts";
import { api } from "../api.ts";
import { hashFor, navigate, useStore } from "../state.ts";
import { t, word } from "../i18n/text.ts";

const DEFAULT: Range = { from: "-30d", to: "now" };
const RISK_EVERY_MS = 15_000;

export function EntityPage() {
  useStore((s) => s.language);
  const params = useStore((s) => s.route.params);
  const type = params.get("type") ?? "user", value = params.get("value") ?? "";
  const range: Range = { from: params.get("from") ?? DEFAULT.from, to: params.get("to") ?? DEFAULT.to };
  const pick = (over: Range) => navigate("entity", { type, value, from: over.from, to: over.to });
  if (!value) return h("main.page", null, h("div.empty", null, h("h2", null, t("entity.none")), h("p", null, t("entity.none_next"))));
  return h("main.page.entity-page", { key: type + value },
    h("div.page-head", null, h("small.tag", null, word("entity", type)), h("h1", null, h(Text, { text: value })), h("span.spring", null),
      h("a.button", { href: hashFor("search", { q: mentions(value), from: range.from, to: range.to }) }, t("entity.search")),
      h(TimePicker, { key: range.from + range.to, range, onPick: pick })),
    h("div.entity-columns", null,
      h("div.entity-facts", null, h(Risk, { type, value }), h(Seen, { value, range }), h(FoundAbout, { value, range })),
      h(EntityGraph, { first: [{ type, value }], range })),
    h(Events, { value, range, onRange: pick }));
}

function Risk(props: { type: string; value: string }) {
  const { data, error } = usePoll(() => api.entityRisk(props.type, props.value), RISK_EVERY_MS, [props.type, props.value]);
  const totals = data?.rules.flatMap((rule) => rule.entities.map((entity) => ({ rule, entity }))) ?? [];
  return h("section", null, h("h2", null, t("entity.risk")), h(Failed, { error }),
    data && totals.length === 0 && h("p.dim", null, t("entity.no_risk")),
    totals.map(({ rule, entity }) => h("div.entity-risk", { key: rule.rule },
      h("p", null, h("b.single-value", null, Number(entity.points).toFixed(1)), " ", h("span.dim", null, t("entity.risk_of", { over: rule.over, day: Number(entity.points_24h).toFixed(1) })), " ", h(Text, { text: rule.title })),
      h("ul", null, entity.parts.map((part) => h("li", { key: part.rule }, h("b", null, Number(part.points).toFixed(1)), " ", h(Text, { text: part.title || part.rule }), " ", h("span.dim", null, `×${part.findings} · ${dateTime(part.last)}`)))))));
}

const at = (found: Found, row: Found["rows"][number], name: string) => valueText(row[found.columns.indexOf(name)]);

/* Since when, until when, and how much of each source speaks of it. */
function Seen(props: { value: string; range: Range }) {
  const found = useSearchRows(`${mentions(props.value)} | stats count min(_time) as first max(_time) as last dc(host.name) as hosts by event.dataset | sort - count`, props.range, 0);
  const times = (name: string) => found.rows.map((row) => Number(at(found, row, name))).filter(Number.isFinite);
  const first = times("first"), last = times("last");
  return h("section", { "aria-busy": found.running }, h("h2", null, t("entity.seen")), h(Failed, { error: found.failure }),
    !found.running && found.rows.length === 0 && h("p.dim", null, t("entity.never")),
    first.length > 0 && h("dl.facts", null,
      h("div", null, h("dt", null, t("entity.first")), h("dd", { title: utc(Math.min(...first)) }, dateTime(Math.min(...first)))),
      h("div", null, h("dt", null, t("entity.last")), h("dd", { title: utc(Math.max(...last)) }, dateTime(Math.max(...last))))),
    found.rows.length > 0 && h("table.grid", null,
      h("thead", null, h("tr", null, [t("entity.source"), t("entity.events"), t("entity.hosts")].map((name, i) => h("th", { key: name, scope: "col", class: i > 0 ? "numeric" : "" }, name)))),
      h("tbody", null, found.rows.slice(0, 12).map((row, i) => h("tr", { key: i }, h("th", { scope: "row" }, h(Text, { text: at(found, row, "event.dataset") || "–" })),
        h("td.numeric", null, grouped(at(found, row, "count"))), h("td.numeric", null, grouped(at(found, row, "hosts"))))))));
}

function FoundAbout(props: { value: string; range: Range }) {
  const found = useSearchRows(`event.dataset=hinomi.finding event.action=finding-raised ${mentions(props.value)} | stats count latest(_time) as last by rule.name, hinomi.severity | sort - last`, props.range, 0);
  return h("section", null, h("h2", null, t("entity.findings")), h(Failed, { error: found.failure }),
    !found.running && found.rows.length === 0 && h("p.dim", null, t("entity.no_findings")),
    h("ul.entity-findings", null, found.rows.slice(0, 10).map((row, i) => h("li", { key: i }, h(Severity, { level: at(found, row, "hinomi.severity") }), " ", h(Text, { text: at(found, row, "rule.name") }), " ",
      h("span.dim", null, `×${grouped(at(found, row, "count"))} · ${dateTime(Number(at(found, row, "last")))}`)))));
}

/* Every event that speaks of it, whatever the source. */
function Events(props: { value: string; range: Range; onRange: (range: Range) => void }) {
  const [job, setJob] = useState<SearchJob | null>(null);
  const [, redraw] = useState(0);
  const query = mentions(props.value);
  useEffect(() => {
    const made = new SearchJob(query, props.range.from, props.range.to, () => redraw((n) => n + 1));
    setJob(made);
    void made.start();
    return () => made.stop();
  }, [query, props.range.from, props.range.to]);
  const page = job?.latest;
  return h("section.entity-events", null, h("h2", null, t("entity.timeline"), " ", page && h("span.count", null, grouped(page.total))), h(Failed, { error: job?.failure?.message ?? null }),
    page?.histogram && page.histogram.counts.length > 0 && h(Histogram, { data: page.histogram, running: job!.running, onSelect: (from, to) => props.onRange({ from, to }) }),
    job && page && page.total > 0 && h("div.results", null, h(EventList, { job, total: page.total, actions: { query, run: (text: string) => navigate("search", { q: text, from: props.range.from, to: props.range.to }) } })));
}
