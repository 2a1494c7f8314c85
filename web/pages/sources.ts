/* Sources and rules: does every log arrive, can every rule see. */
import { useState } from "preact/hooks";
import { h } from "../parts/h.ts";
import { usePoll } from "../parts/poll.ts";
import { Text } from "../parts/visible.ts";
import { Severity } from "../parts/badges.ts";
import { age, grouped, utc } from "../parts/format.ts";
import { term } from "../parts/spl_edit.ts";
import { api } from "../api.ts";
import type { Rule } from "../api.ts";
import { hashFor, useStore } from "../state.ts";
import { both, t, word } from "../i18n/text.ts";

const SOURCES_EVERY_MS = 3000;
const RULES_EVERY_MS = 15_000;
const RULES_SHOWN = 200;

export function SourcesPage() {
  useStore((s) => s.language);
  return h("main.page", null,
    h("div.page-head", null, h("h1", null, t("nav.sources"))),
    h(Sources, {}), h(Rules, {}));
}

function Sources() {
  const { data, error } = usePoll(() => api.sources(), SOURCES_EVERY_MS, []);
  const sources = [...(data?.sources ?? [])].sort((a, b) => Number(b.silent) - Number(a.silent) || (a.name < b.name ? -1 : 1));
  return h("section", null,
    h("h2", null, t("sources.title"), " ", h("span.count", null, sources.length)),
    error && h("p.message.error", { role: "alert" }, h("b", null, "✕ "), error),
    data && sources.length === 0 && h("div.empty", null,
      h("h3", null, t("sources.none")), h("p", null, t("sources.none_next")),
      h("pre.sample", null, `curl http://${location.hostname}:7180/services/collector/event \\\n  -H "Authorization: Splunk TOKEN" \\\n  -d '{"event": {"action": "login", "user": "sato"}}'\n\nlogger --server ${location.hostname} --port 5514 --tcp "hello"`)),
    sources.length > 0 && h("div.scroll-x", null, h("table.grid", null,
      h("thead", null, h("tr", null,
        [t("col.source"), t("col.dataset"), t("col.state"), t("col.last_event")].map((name) => h("th", { key: name, scope: "col" }, name)),
        [t("col.received"), t("col.stored"), t("col.quarantined"), t("col.missing")].map((name) => h("th.numeric", { key: name, scope: "col" }, name)))),
      h("tbody", null, sources.map((source) => {
        const missing = source.received - source.stored - source.quarantined;
        return h("tr", { key: source.name },
          h("th", { scope: "row" }, h("a", { href: hashFor("search", { q: term("hinomi.source", source.name) }), title: t("sources.search") }, h(Text, { text: source.name }))),
          h("td", null, h(Text, { text: source.dataset })),
          h("td", null, source.silent ? h("span.state.warn", null, h("i", { "aria-hidden": true }, "▲ "), t("sources.silent")) : h("span.state.good", null, h("i", { "aria-hidden": true }, "✓ "), t("sources.speaking"))),
          h("td", { title: utc(source.last_event) }, age(source.last_event)),
          h("td.numeric", null, grouped(source.received)), h("td.numeric", null, grouped(source.stored)),
          h("td.numeric", { class: source.quarantined ? "warn" : "" }, grouped(source.quarantined)),
          h("td.numeric", { class: missing > 0 ? "bad" : "" }, missing > 0 ? ["▲ ", grouped(missing)] : "0"));
      })))));
}

function Rules() {
  const { data, error } = usePoll(() => api.rules(), RULES_EVERY_MS, []);
  const [filter, setFilter] = useState("");
  const [blindOnly, setBlindOnly] = useState(false);
  const [all, setAll] = useState(false);
  const rules = data?.rules ?? [];
  const blind = rules.filter((rule) => rule.blind).length;
  const wanted = filter.trim().toLowerCase();
  const found = rules.filter((rule) => (!blindOnly || rule.blind) && `${rule.id} ${both(rule.title)} ${rule.level} ${rule.status}`.toLowerCase().includes(wanted));
  const shown = all ? found : found.slice(0, RULES_SHOWN);
  return h("section", null,
    h("div.section-head", null,
      h("h2", null, t("rules.title"), " ", h("span.count", null, rules.length)),
      h("input", { type: "search", placeholder: t("rules.filter"), "aria-label": t("rules.filter"), value: filter, onInput: (e: Event) => setFilter((e.target as HTMLInputElement).value) }),
      h("button.toggle", { "aria-pressed": blindOnly, onClick: () => setBlindOnly(!blindOnly) }, h("i", { "aria-hidden": true }, "◌ "), t("rules.blind_only", { n: blind }))),
    error && h("p.message.error", { role: "alert" }, h("b", null, "✕ "), error),
    data && rules.length === 0 && h("p.dim", null, t("rules.none")),
    found.length > 0 && h("div.scroll-x", null, h("table.grid.rules", null,
      h("thead", null, h("tr", null, [t("col.level"), t("col.rule"), t("col.sight"), t("col.status"), t("col.reason")].map((name) => h("th", { key: name, scope: "col" }, name)))),
      h("tbody", null, shown.map((rule) => h(RuleRow, { key: rule.id, rule }))))),
    rules.length > 0 && found.length === 0 && h("p.dim", null, t("rules.no_match")),
    found.length > shown.length && h("button", { onClick: () => setAll(true) }, t("rules.show_all", { n: grouped(found.length) })));
}

function RuleRow(props: { rule: Rule }) {
  const { rule } = props;
  return h("tr", null,
    h("td", null, h(Severity, { level: rule.level })),
    h("th", { scope: "row", title: rule.id }, h(Text, { text: both(rule.title) }), h("small.mono.dim.block", null, h(Text, { text: rule.id }))),
    h("td", null, rule.blind ? h("span.state.warn", null, h("i", { "aria-hidden": true }, "◌ "), t("rules.blind")) : h("span.state.good", null, h("i", { "aria-hidden": true }, "✓ "), t("rules.sees"))),
    h("td", null, word("rule_status", rule.status)),
    h("td", null, h(Text, { text: both(rule.reason) })));
}
