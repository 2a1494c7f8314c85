/* Small words with an icon each: never colour alone. */
import { h } from "./h.ts";
import { word } from "../i18n/text.ts";

const SEVERITY: Record<string, string> = { critical: "◆", high: "▲", medium: "■", low: "●", informational: "○" };
export function Severity(props: { level: string }) {
  return h("span.severity", { class: props.level }, h("i", { "aria-hidden": true }, SEVERITY[props.level] ?? "○"), " ", word("severity", props.level));
}

const STATE: Record<string, string> = { open: "●", acknowledged: "◐", closed: "✓" };
export function StateWord(props: { state: string }) {
  return h("span.state", { class: props.state }, h("i", { "aria-hidden": true }, STATE[props.state] ?? "○"), " ", word("state", props.state));
}

const DECISION: Record<string, string> = { allow: "✓", hold: "❚❚", deny: "✕" };
export function DecisionWord(props: { decision: string }) {
  return h("span.decision", { class: props.decision }, h("i", { "aria-hidden": true }, DECISION[props.decision] ?? "?"), " ", word("decision", props.decision));
}
