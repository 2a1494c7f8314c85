/* Sources and rules: does every log arrive, can every rule see. */
import { useEffect, useState } from "preact/hooks";
import { h } from "../parts/h.ts";
import { usePoll } from "../parts/poll.ts";
import { Text } from "../parts/visible.ts";
import { Severity } from "../parts/badges.ts";
import { age, grouped, short, toMillis, utc } from "../parts/format.ts";
import { term } from "../parts/spl_edit.ts";
import { api } from "../api.ts";
import type { Rule, RuleTally } from "../api.ts";
import { Senders } from "./senders.ts";
import { hashFor, useStore } from "../state.ts";
import { both, t, word } from "../i18n/text.ts";
import type { Key } from "../i18n/text.ts";

const SOURCES_EVERY_MS = 3000;
const RULES_EVERY_MS = 15_000;
const RULES_SHOWN = 200;

const INPUT_FIGURES: [Key, Key | null][] = [
  ["col.received", null], ["col.stored", null], ["col.quarantined", null],
  ["col.lost_kernel", "sources.about_kernel"], ["col.lost_queue", "sources.about_queue"], ["col.lost_parse", "sources.about_parse"],
  ["col.gaps", "sources.about_gaps"], ["col.missing", "sources.about_missing"],
];

export function SourcesPage() {
  useStore((s) => s.language);
  return h("main.page", null,
    h("div.page-head", null, h("h1", null, t("nav.sources"))),
    h(Sources, {}), h(Senders, {}), h(Rules, {}));
}

function Sources() {
  const { data, error } = usePoll(() => api.inputs(), SOURCES_EVERY_MS, []);
  const sources = [...(data?.sources ?? [])].sort((a, b) => Number(b.silent) - Number(a.silent) || (a.name < b.name ? -1 : 1));
  return h("section", null,
    h("div.section-head", null,
      h("h2", null, t("sources.title"), " ", h("span.count", null, sources.length)),
      h("a.button", { href: hashFor("unknown") }, t("nav.unknown"), " →")),
    error && h("p.message.error", { role: "alert" }, h("b", null, "✕ "), error),
    data && sources.length === 0 && h("div.empty", null,
      h("h3", null, t("sources.none")), h("p", null, t("sources.none_next")),
      h("pre.sample", null, `curl http://${location.hostname}:7180/services/collector/event \\\n  -H "Authorization: Splunk TOKEN" \\\n  -d '{"event": {"action": "login", "user": "sato"}}'\n\nlogger --server ${location.hostname} --port 5514 --tcp "hello"`)),
    sources.length > 0 && h("div.scroll-x", null, h("table.grid", null,
      h("thead", null, h("tr", null,
        [t("col.source"), t("col.dataset"), t("col.state"), t("col.last_event")].map((name) => h("th", { key: name, scope: "col" }, name)),
        INPUT_FIGURES.map(([name, about]) => h("th.numeric", { key: name, scope: "col", title: about ? t(about) : "" }, t(name))))),
      h("tbody", null, sources.map((source) => {
        const lost = source.lost.kernel + source.lost.queue + source.lost.parse;
        const missing = source.received - source.stored - source.quarantined - lost;
        return h("tr", { key: source.name },
          h("th", { scope: "row" }, h("a", { href: hashFor("search", { q: term("hinomi.source", source.name) }), title: t("sources.search") }, h(Text, { text: source.name }))),
          h("td", null, h(Text, { text: source.dataset })),
          h("td", null, source.silent ? h("span.state.warn", null, h("i", { "aria-hidden": true }, "▲ "), t("sources.silent")) : h("span.state.good", null, h("i", { "aria-hidden": true }, "✓ "), t("sources.speaking"))),
          h("td", { title: utc(source.last_event) }, age(source.last_event)),
          h("td.numeric", null, grouped(source.received)), h("td.numeric", null, grouped(source.stored)),
          h("td.numeric", { class: source.quarantined ? "warn" : "" }, grouped(source.quarantined)),
          [source.lost.kernel, source.lost.queue, source.lost.parse, source.gaps?.missing ?? 0].map((n, i) =>
            h("td.numeric", { key: i, class: n ? "bad" : "" }, n ? ["▲ ", grouped(n)] : "0")),
          h("td.numeric", { class: missing > 0 ? "bad" : "" }, missing > 0 ? ["▲ ", grouped(missing)] : "0"));
      })))));
}

/* Numbers of a rule's ledger by which the list can be sorted, the largest first. */
const FIGURES: { name: Key; about: Key; of: (ledger: RuleTally) => number }[] = [
  { name: "col.offered", about: "rules.offered", of: (l) => l.offered },
  { name: "col.findings", about: "rules.findings", of: (l) => l.findings },
  { name: "col.last_match", about: "rules.last_match", of: (l) => toMillis(l.last_matched) ?? 0 },
  { name: "col.cost", about: "rules.cost", of: (l) => costOf(l) },
];

const costOf = (ledger: RuleTally) => (ledger.offered ? ledger.cost_ns / ledger.offered : 0);

function sorted(rules: Rule[], by: number | null): Rule[] {
  const figure = by === null ? null : FIGURES[by]!;
  if (!figure) return rules;
  const value = (rule: Rule) => (rule.ledger ? figure.of(rule.ledger) : -1);
  return [...rules].sort((a, b) => value(b) - value(a));
}

function Rules() {
  const { data, error } = usePoll(() => api.rules(), RULES_EVERY_MS, []);
  const wantedRule = useStore((s) => s.route.params).get("rule") ?? "";
  const [filter, setFilter] = useState(wantedRule);
  useEffect(() => { setFilter(wantedRule); if (wantedRule) document.getElementById("rules")?.scrollIntoView(); }, [wantedRule]);
  const [blindOnly, setBlindOnly] = useState(false);
  const [all, setAll] = useState(false);
  const [order, setOrder] = useState<number | null>(null);
  const rules = data?.rules ?? [];
  const blind = rules.filter((rule) => rule.blind).length;
  const wanted = filter.trim().toLowerCase();
  const about = (rule: Rule) => `${rule.id} ${both(rule.title)} ${rule.level} ${rule.status} ${rule.author ?? ""} ${(rule.tags ?? []).join(" ")}`;
  const found = sorted(rules.filter((rule) => (!blindOnly || rule.blind) && about(rule).toLowerCase().includes(wanted)), order);
  const shown = all ? found : found.slice(0, RULES_SHOWN);
  return h("section", { id: "rules" },
    h("div.section-head", null,
      h("h2", null, t("rules.title"), " ", h("span.count", null, rules.length)),
      h("input", { type: "search", placeholder: t("rules.filter"), "aria-label": t("rules.filter"), value: filter, onInput: (e: Event) => setFilter((e.target as HTMLInputElement).value) }),
      h("button.toggle", { "aria-pressed": blindOnly, onClick: () => setBlindOnly(!blindOnly) }, h("i", { "aria-hidden": true }, "◌ "), t("rules.blind_only", { n: blind }))),
    error && h("p.message.error", { role: "alert" }, h("b", null, "✕ "), error),
    data && rules.length === 0 && h("p.dim", null, t("rules.none")),
    found.length > 0 && h("div.scroll-x", null, h("table.grid.rules", null,
      h("thead", null, h("tr", null,
        [t("col.level"), t("col.rule"), t("col.sight"), t("col.status")].map((name) => h("th", { key: name, scope: "col" }, name)),
        FIGURES.map((figure, i) => h("th.numeric", { key: figure.name, scope: "col", "aria-sort": order === i ? "descending" : "none" },
          h("button.quiet.sort", { title: t(figure.about), "aria-pressed": order === i, onClick: () => setOrder(order === i ? null : i) }, t(figure.name), order === i ? " ▾" : ""))),
        h("th", { scope: "col" }, t("col.reason")))),
      h("tbody", null, shown.map((rule) => h(RuleRow, { key: rule.id, rule }))))),
    rules.length > 0 && found.length === 0 && h("p.dim", null, t("rules.no_match")),
    found.length > shown.length && h("button", { onClick: () => setAll(true) }, t("rules.show_all", { n: grouped(found.length) })));
}

function RuleRow(props: { rule: Rule }) {
  const { rule } = props;
  const ledger = rule.ledger;
  return h("tr", null,
    h("td", null, h(Severity, { level: rule.level })),
    h("th", { scope: "row", title: rule.id }, h(Text, { text: both(rule.title) }), h("small.mono.dim.block", null, h(Text, { text: rule.id }))),
    h("td", null, rule.blind ? h("span.state.warn", null, h("i", { "aria-hidden": true }, "◌ "), t("rules.blind")) : h("span.state.good", null, h("i", { "aria-hidden": true }, "✓ "), t("rules.sees"))),
    h("td", null, word("rule_status", rule.status)),
    h("td.numeric", { title: ledger ? utc(ledger.since) : "" }, grouped(ledger?.offered)),
    h("td.numeric", null, ledger?.findings ? h("a", { href: hashFor("search", { q: term("rule.id", rule.id) }), title: t("rules.search") }, grouped(ledger.findings)) : grouped(ledger?.findings)),
    h("td.numeric", { title: ledger ? utc(ledger.last_matched) : "" }, age(ledger?.last_matched)),
    h("td.numeric", null, ledger?.cost_ns ? `${short(costOf(ledger))} ns` : "–"),
    h("td", null, h(Text, { text: rule.blind && rule.blind_reason ? rule.blind_reason : both(rule.reason) }),
      ledger && ledger.errors > 0 && h("span.state.warn.block", null, h("i", { "aria-hidden": true }, "▲ "), t("rules.errors", { n: grouped(ledger.errors) }))));
}
