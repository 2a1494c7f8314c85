/* One rule beside the list: what it means in plain words, whether it sees, what it found and costs, its text and its tests. */
import { h } from "./h.ts";
import { Failed } from "./act.ts";
import { Severity } from "./badges.ts";
import { TimePanel } from "../panels/time.ts";
import { useSearchRows } from "./search_rows.ts";
import { term } from "./spl_edit.ts";
import { Text } from "./visible.ts";
import { copy } from "./value_menu.ts";
import { dateTime, grouped, short, utc } from "./format.ts";
import { usePoll } from "./poll.ts";
import type { Mark } from "../panels.ts";
import { api } from "../api.ts";
import type { Both, RuleDetail } from "../api.ts";
import { hashFor } from "../state.ts";
import { both, t, word } from "../i18n/text.ts";
import type { Key } from "../i18n/text.ts";

const EVERY_MS = 10_000;
const EXCEPTIONS_EVERY_MS = 30_000;
const FOUND_RANGE = { from: "-30d", to: "now" };
const NO_MARKS: Mark[] = [];

export function RulePanel(props: { id: string; onClose: () => void }) {
  const { data: rule, error } = usePoll(() => api.rule(props.id), EVERY_MS, [props.id]);
  return h("aside.side-panel", { "aria-label": props.id, tabIndex: -1 },
    h("header.panel-head", null, h("span.mono.dim.clip", { title: props.id }, props.id), h("span.spring", null),
      h("button.quiet", { "aria-label": t("panel.close"), title: t("panel.close") + " (Esc)", onClick: props.onClose }, "✕")),
    h(Failed, { error }), rule && h(Body, { rule }));
}

function Body(props: { rule: RuleDetail }) {
  const { rule } = props;
  const told = (key: Key, text: Both | null) => both(text) && h("section.told", { key }, h("h3", null, t(key)), h("p", null, h(Text, { text: both(text) })));
  return h("div.panel-body", null,
    h("h2", null, h(Text, { text: both(rule.title) })),
    h("p.dim", null, h(Severity, { level: rule.level }), " · ", word("rule_kind", rule.kind), rule.catalogue && ` · ${rule.catalogue}`, rule.author && [" · ", h(Text, { text: rule.author })]),
    h("p", null, rule.status !== "active" ? [h("b", null, word("rule_status", rule.status)), " ", h(Text, { text: both(rule.reason) })]
      : rule.blind ? h("b.warn", null, "◌ ", t("rules.blind"), ": ", h(Text, { text: rule.blind_reason ?? "" })) : h("span.good", null, "✓ ", t("rules.sees"))),
    rule.description && h("p.explanation", null, h(Text, { text: rule.description })),
    told("rules.explain", rule.explain), told("incident.why", rule.why), told("incident.check", rule.check), told("incident.do", rule.do),
    (rule.tags ?? []).length > 0 && h("p", null, rule.tags!.map((tag) => h("span.tag", { key: tag }, h(Text, { text: tag })))),
    rule.ledger && h(Ledger, { rule }),
    h(Found, { id: rule.id }), h(Exceptions, { id: rule.id }),
    h(Code, { title: t("rules.text"), name: rule.file, text: rule.text }),
    h(Code, { title: t("rules.tests"), name: rule.file.replace(/\.[^.]*$/, ".test.yaml"), text: rule.tests }));
}

function Ledger(props: { rule: RuleDetail }) {
  const ledger = props.rule.ledger!;
  const fact = (name: string, value: string, title = "") => h("div", { key: name, title }, h("dt", null, name), h("dd", null, value));
  return h("section", null, h("h3", null, t("rules.ledger")), h("dl.facts", null,
    fact(t("col.offered"), grouped(ledger.offered), t("rules.offered")), fact(t("col.findings"), grouped(ledger.findings)), fact(t("rules.matched"), grouped(ledger.matched)),
    fact(t("col.last_match"), dateTime(ledger.last_matched), utc(ledger.last_matched)), fact(t("col.cost"), ledger.offered ? `${short(ledger.cost_ns / ledger.offered)} ns` : "–"),
    fact(t("rules.since"), dateTime(ledger.since), utc(ledger.since)), ...(ledger.errors ? [fact(t("rules.failed"), `▲ ${grouped(ledger.errors)}`)] : [])));
}

/* What it found in thirty days, by day. */
function Found(props: { id: string }) {
  const query = `event.dataset=hinomi.finding event.action=finding-raised ${term("rule.id", props.id)}`;
  const found = useSearchRows(`${query} | timechart span=1d count`, FOUND_RANGE, 0);
  const some = found.rows.some((row) => Number(row[found.columns.indexOf("count")]) > 0);
  return h("section", null, h("h3", null, t("rules.found"), " ", some && h("a", { href: hashFor("search", { q: query, ...FOUND_RANGE }) }, t("rules.search"))),
    some ? h("div.rule-found", null, h(TimePanel, { columns: found.columns, rows: found.rows, total: found.total, kind: "column", stacked: false, unit: "", marks: NO_MARKS }))
      : !found.running && h("p.dim", null, found.failure ?? t("rules.found_nothing")));
}

function Exceptions(props: { id: string }) {
  const { data } = usePoll(() => api.exceptions(false), EXCEPTIONS_EVERY_MS, []);
  const mine = (data?.exceptions ?? []).filter((one) => one.rule === props.id || one.rule === null);
  if (mine.length === 0) return null;
  return h("section", null, h("h3", null, t("nav.exceptions")), h("ul", null, mine.map((one) => h("li", { key: one.id }, h(Text, { text: one.reason }), h("span.dim", null, ` · ${dateTime(one.expires)} · ×${grouped(one.count)}`)))));
}

function Code(props: { title: string; name: string; text: string | null }) {
  if (props.text === null) return null;
  return h("section", null, h("h3", null, props.title, " ", h("span.mono.dim", null, h(Text, { text: props.name })), " ", h("button.small", { onClick: () => void copy(props.text!) }, t("value.copy"))),
    h("pre.rule-text", { tabIndex: 0 }, h(Text, { text: props.text, lines: true })));
}
