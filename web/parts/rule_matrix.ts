/*
 * The rules over MITRE ATT&CK (attack.mitre.org): a column a tactic, a cell a technique that rules have tags of, weighed by what they are given
 * now. A technique whose rules are all blind is grey and says so.
 */
import { h } from "./h.ts";
import { Text } from "./visible.ts";
import { grouped, short } from "./format.ts";
import type { Rule } from "../api.ts";
import { both, t, word } from "../i18n/text.ts";

/* In the order of the matrix; fraud.* are tactics of ours for what ATT&CK does not know. */
const TACTICS = ["reconnaissance", "resource-development", "initial-access", "execution", "persistence", "privilege-escalation", "defense-evasion", "stealth", "defense-impairment",
  "credential-access", "discovery", "lateral-movement", "collection", "command-and-control", "exfiltration", "impact"];

interface Cell { technique: string; rules: Rule[]; blind: number; offered: number; findings: number }
const tacticOf = (tag: string) => tag.replace(/^attack\./, "").replace(/_/g, "-");

function columns(rules: Rule[]): [tactic: string, cells: Cell[]][] {
  const found = new Map<string, Map<string, Cell>>();
  for (const rule of rules) {
    const tags = rule.tags ?? [];
    const tactics = tags.filter((tag) => TACTICS.includes(tacticOf(tag)) && tag.startsWith("attack.")).map(tacticOf).concat(tags.filter((tag) => tag.startsWith("fraud.")).length ? ["fraud"] : []);
    const techniques = tags.filter((tag) => /^attack\.t\d{4}/.test(tag)).map((tag) => tag.slice(7).toUpperCase().slice(0, 5));
    for (const tactic of new Set(tactics)) {
      const names = tactic === "fraud" ? tags.filter((tag) => tag.startsWith("fraud.")).map((tag) => tag.slice(6)) : techniques.length ? techniques : ["–"];
      for (const technique of new Set(names)) {
        const cells = found.get(tactic) ?? found.set(tactic, new Map()).get(tactic)!;
        const cell = cells.get(technique) ?? cells.set(technique, { technique, rules: [], blind: 0, offered: 0, findings: 0 }).get(technique)!;
        cell.rules.push(rule);
        cell.blind += Number(rule.blind || rule.status !== "active");
        cell.offered += rule.ledger?.offered ?? 0;
        cell.findings += rule.ledger?.findings ?? 0;
      }
    }
  }
  const order = (tactic: string) => (TACTICS.includes(tactic) ? TACTICS.indexOf(tactic) : TACTICS.length);
  return [...found].sort(([a], [b]) => order(a) - order(b)).map(([tactic, cells]) => [tactic, [...cells.values()].sort((a, b) => (a.technique < b.technique ? -1 : 1))]);
}

export function AttackMatrix(props: { rules: Rule[]; onPick: (rule: Rule) => void }) {
  const all = columns(props.rules);
  return h("div.matrix", { tabIndex: 0, role: "group", "aria-label": t("rules.matrix") },
    h("p.dim.matrix-about", null, t("rules.matrix_about")),
    h("div.matrix-columns", null, all.map(([tactic, cells]) => h("section.tactic", { key: tactic },
      h("h2", null, word("tactic", tactic), " ", h("span.count", null, cells.length)),
      h("ul", null, cells.map((cell) => h("li", { key: cell.technique }, h(Technique, { cell, onPick: props.onPick }))))))));
}

function Technique(props: { cell: Cell; onPick: (rule: Rule) => void }) {
  const { cell } = props;
  const blind = cell.blind === cell.rules.length;
  const weight = blind ? "blind" : cell.offered === 0 ? "quiet" : cell.findings > 0 ? "found" : "sees";
  return h("details.technique", { class: weight },
    h("summary", null, h("b", null, h(Text, { text: cell.technique })), h("span.weight", null, blind ? `◌ ${t("rules.blind")}` : cell.findings > 0 ? `◆ ${grouped(cell.findings)}` : cell.offered > 0 ? `✓ ${short(cell.offered)}` : "– 0")),
    h("ul", null, cell.rules.map((rule) => h("li", { key: rule.id }, h("button.value-link", { onClick: () => props.onPick(rule) }, rule.blind ? "◌ " : "", h(Text, { text: both(rule.title) }))))));
}
