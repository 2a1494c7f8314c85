/*
 * The rules: which there are, which of them see something now, what they find and cost; the same laid over ATT&CK; and one of them in full beside
 * the list.
 */
import { useState } from "preact/hooks";
import { h } from "../parts/h.ts";
import { AttackMatrix } from "../parts/rule_matrix.ts";
import { RulePanel } from "../parts/rule_panel.ts";
import { Failed } from "../parts/act.ts";
import { Severity } from "../parts/badges.ts";
import { VirtualList } from "../parts/virtual_list.ts";
import { Text } from "../parts/visible.ts";
import { age, grouped, short, toMillis } from "../parts/format.ts";
import { useListKeys } from "../parts/keys.ts";
import { usePoll } from "../parts/poll.ts";
import { api } from "../api.ts";
import type { Rule, RuleTally } from "../api.ts";
import { navigate, useStore } from "../state.ts";
import { both, t, word } from "../i18n/text.ts";
import type { Key } from "../i18n/text.ts";

const EVERY_MS = 10_000;
const ROW_HEIGHT = 40;
const LEVELS = ["critical", "high", "medium", "low", "informational"];
const costOf = (ledger: RuleTally | undefined) => (ledger?.offered ? ledger.cost_ns / ledger.offered : 0);
const ORDERS: { key: string; name: Key; of: (rule: Rule) => number }[] = [
  { key: "offered", name: "col.offered", of: (rule) => rule.ledger?.offered ?? -1 },
  { key: "findings", name: "col.findings", of: (rule) => rule.ledger?.findings ?? -1 },
  { key: "last", name: "col.last_match", of: (rule) => toMillis(rule.ledger?.last_matched) ?? 0 },
  { key: "cost", name: "col.cost", of: (rule) => costOf(rule.ledger) },
];
const SHOWN = ["all", "sees", "blind", "off"] as const;
type Shown = (typeof SHOWN)[number];
const fits: Record<Shown, (rule: Rule) => boolean> = { all: () => true, sees: (rule) => rule.status === "active" && !rule.blind, blind: (rule) => rule.blind, off: (rule) => rule.status !== "active" };

export function RulesPage() {
  useStore((s) => s.language);
  const params = useStore((s) => s.route.params);
  const { data, error } = usePoll(() => api.rules(), EVERY_MS, []);
  const [wanted, setWanted] = useState(params.get("filter") ?? "");
  const id = params.get("id"), order = params.get("order"), level = params.get("level"), matrix = params.get("view") === "attack";
  const shown = SHOWN.includes(params.get("shown") as Shown) ? (params.get("shown") as Shown) : "all";
  const go = (change: Record<string, string | undefined>, how: "push" | "replace" = "push") =>
    navigate("rules", { id: id ?? undefined, order: order ?? undefined, level: level ?? undefined, shown: shown === "all" ? undefined : shown, view: matrix ? "attack" : undefined, ...change }, how);
  const rules = data?.rules ?? [];
  const words = wanted.trim().toLowerCase();
  const about = (rule: Rule) => `${rule.id} ${both(rule.title)} ${rule.author ?? ""} ${(rule.tags ?? []).join(" ")}`.toLowerCase();
  const by = ORDERS.find((one) => one.key === order);
  const found = rules.filter((rule) => fits[shown](rule) && (!level || rule.level === level) && about(rule).includes(words));
  if (by) found.sort((a, b) => by.of(b) - by.of(a));
  const [scrollTo, setScrollTo] = useState<{ index: number } | null>(null);
  const [at, setAt] = useState(-1);
  useListKeys({
    move: (step) => { const next = Math.max(0, Math.min(found.length - 1, at + step)); setAt(next); setScrollTo({ index: next }); if (id && found[next]) go({ id: found[next]!.id }, "replace"); },
    open: () => { const one = found[at]; if (one) go({ id: one.id }); }, close: () => { if (id) go({ id: undefined }); },
  }, { within: ".rule-list", first: true });

  return h("main.split", null,
    h("section.list-side.rules-side", { "aria-label": t("nav.rules") },
      h("div.page-head", null,
        h("h1", null, t("nav.rules")),
        h("input", { type: "search", placeholder: t("rules.filter"), "aria-label": t("rules.filter"), value: wanted, onInput: (e: Event) => { setWanted((e.target as HTMLInputElement).value); setAt(-1); } }),
        h("div.segmented", { role: "group", "aria-label": t("rules.shown") }, SHOWN.map((one) =>
          h("button", { key: one, "aria-pressed": shown === one, onClick: () => go({ shown: one === "all" ? undefined : one }) }, word("rules_shown", one), " ", h("span.count", null, rules.filter(fits[one]).length)))),
        h("label", null, h("span.hidden-text", null, t("col.level")), h("select", { name: "level", value: level ?? "", onChange: (e: Event) => go({ level: (e.target as HTMLSelectElement).value || undefined }) },
          h("option", { value: "" }, t("rules.any_level")), LEVELS.map((one) => h("option", { key: one, value: one }, word("severity", one))))),
        h("span.spring", null),
        h("div.segmented", { role: "group", "aria-label": t("search.view") },
          h("button", { "aria-pressed": !matrix, onClick: () => go({ view: undefined }) }, t("rules.as_list")),
          h("button", { "aria-pressed": matrix, onClick: () => go({ view: "attack" }) }, "ATT&CK"))),
      h(Failed, { error }),
      data && rules.length === 0 && h("div.empty", null, h("h2", null, t("rules.none"))),
      rules.length > 0 && found.length === 0 && h("p.dim", null, t("rules.no_match")),
      matrix ? h(AttackMatrix, { rules: found, onPick: (one: Rule) => go({ id: one.id }) })
        : found.length > 0 && h("div.rule-list", null, h(VirtualList, {
          total: found.length, rowHeight: ROW_HEIGHT, label: t("nav.rules"), scrollTo, resetKey: shown + order + level + words,
          header: h("div.rule-row.rule-head", { role: "row" }, [t("col.level"), t("col.rule"), t("col.sight")].map((name) => h("span", { key: name, role: "columnheader" }, name)),
            ORDERS.map((one) => h("span.numeric", { key: one.key, role: "columnheader", "aria-sort": order === one.key ? "descending" : "none" },
              h("button.quiet.sort", { "aria-pressed": order === one.key, onClick: () => go({ order: order === one.key ? undefined : one.key }) }, t(one.name), order === one.key ? " ▾" : "")))),
          row: (index) => h(Row, { rule: found[index]!, selected: found[index]!.id === id || index === at, onOpen: () => { setAt(index); go({ id: found[index]!.id }); } }),
        }))),
    id && h(RulePanel, { key: id, id, onClose: () => go({ id: undefined }) }));
}

function Row(props: { rule: Rule; selected: boolean; onOpen: () => void }) {
  const { rule } = props;
  const ledger = rule.ledger;
  return h("div.rule-row", { class: props.selected ? "selected" : "", onClick: props.onOpen },
    h("span", { role: "cell" }, h(Severity, { level: rule.level })),
    h("span.rule-name", { role: "cell", title: rule.id }, h("button.value-link", { onClick: (e: Event) => { e.stopPropagation(); props.onOpen(); } }, h(Text, { text: both(rule.title) }))),
    h("span", { role: "cell", title: rule.blind ? rule.blind_reason : undefined }, rule.status !== "active" ? h("span.dim", null, word("rule_status", rule.status))
      : rule.blind ? h("span.state.warn", null, h("i", { "aria-hidden": true }, "◌ "), t("rules.blind")) : h("span.state.good", null, h("i", { "aria-hidden": true }, "✓ "), t("rules.sees"))),
    h("span.numeric", { role: "cell" }, ledger ? short(ledger.offered) : "–"), h("span.numeric", { role: "cell" }, ledger ? grouped(ledger.findings) : "–"),
    h("span.numeric", { role: "cell" }, age(ledger?.last_matched)), h("span.numeric", { role: "cell" }, ledger?.cost_ns ? `${short(costOf(ledger))} ns` : "–"));
}
