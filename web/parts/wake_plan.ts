/* The waking plan's text. Administrators change it here, unless a file of the configuration holds it; a mistake is shown with its line. */
import { useEffect, useRef, useState } from "preact/hooks";
import { h } from "./h.ts";
import { errorText } from "./poll.ts";
import { Text } from "./visible.ts";
import { dateTime, utc } from "./format.ts";
import { api } from "../api.ts";
import type { WakingPlan } from "../api.ts";
import { getState, may, notify, useStore } from "../state.ts";
import { t } from "../i18n/text.ts";

const ROWS_MIN = 8;
const ROWS_MAX = 40;

/* A plan for whoever has none: this person alone, called at once and again until there is an answer. */
function beginning(person: string): string {
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  const day = new Date().toISOString().slice(0, 10);
  return `version: 1
time_zone: ${zone}
people: [${person}]
on_call:
  primary:
    rotations:
      - {people: [${person}], every: 1w, from: ${day} 09:00}
policies:
  usual:
    steps:
      - {at: 0m, wake: [primary]}
      - {at: 5m, wake: [everyone]}
    again_after: 10m
    unanswered: {after: 20m, do: tighten_gate}
routes:
  - {severity: high, policy: usual}
budget: {pages_per_night: 2, pages_per_week: 10}
drill: {from: "20:00", to: "22:00"}
`;
}

interface Mistake { message: string; line: number | null; text: string }

export function Plan(props: { plan: WakingPlan; onSaved: () => void }) {
  useStore((s) => s.language);
  const { plan } = props;
  const [draft, setDraft] = useState<string | null>(null); // null: as it is in force
  const [mistake, setMistake] = useState<Mistake | null>(null);
  const [good, setGood] = useState(false);
  const [busy, setBusy] = useState(false);
  const area = useRef<HTMLTextAreaElement>(null);
  const editable = may("admin") && !plan.from_file;
  const text = draft ?? plan.text ?? "";
  const lines = text.split("\n");
  useEffect(() => { if (mistake?.line) select(area.current!, mistake.line); }, [mistake]);

  const send = async (checkOnly: boolean) => {
    setBusy(true);
    setMistake(null);
    setGood(false);
    try {
      await api.setPlan(text, true);
      if (checkOnly) return setGood(true);
      await api.setPlan(text, false);
      notify("ok", t("wake.plan_saved"));
      setDraft(null);
      props.onSaved();
    } catch (problem) {
      const message = errorText(problem);
      const line = Number(/\bline (\d+)/.exec(message)?.[1] ?? 0) || null;
      setMistake({ message, line, text: line ? lines[line - 1] ?? "" : "" });
    } finally {
      setBusy(false);
    }
  };
  const change = (next: string) => { setDraft(next); setMistake(null); setGood(false); };

  return h("section.plan", null,
    h("h2", null, t("wake.plan")),
    h("p.dim", null, plan.from_file ? t("wake.plan_file") : plan.saved ? [t("wake.plan_by", { time: dateTime(plan.saved) }), " ", h("span", { title: utc(plan.saved) }, h(Text, { text: plan.saved_by }))] : t("wake.plan_none"),
      !plan.from_file && !may("admin") && ` ${t("wake.plan_admin")}`),
    editable && !text && h("button", { onClick: () => change(beginning(getState().user?.name ?? "")) }, t("wake.plan_begin")),
    (editable || text) && h("textarea.mono.plan-text", {
      ref: area, "aria-label": t("wake.plan"), readOnly: !editable, spellcheck: false, wrap: "off", value: text, "aria-invalid": mistake !== null,
      rows: Math.max(ROWS_MIN, Math.min(ROWS_MAX, lines.length + 1)), onInput: (e: Event) => change((e.target as HTMLTextAreaElement).value),
    }),
    mistake && h("div.message.error", { role: "alert" }, h("b", null, "✕ "), h(Text, { text: mistake.message }),
      mistake.line && h("p.plan-line", null, h("b", null, t("wake.line", { n: mistake.line })), " ", h("code", null, h(Text, { text: mistake.text })))),
    good && h("p.good", { role: "status" }, "✓ ", t("wake.plan_good")),
    editable && h("div.actions", null,
      h("button", { disabled: busy || !text, onClick: () => void send(true) }, t("wake.plan_check")),
      h("button.primary", { disabled: busy || draft === null, onClick: () => void send(false) }, t("wake.plan_save")),
      draft !== null && h("button.quiet", { onClick: () => { setDraft(null); setMistake(null); setGood(false); } }, t("wake.plan_discard"))));
}

function select(area: HTMLTextAreaElement, line: number): void {
  const lines = area.value.split("\n");
  const from = lines.slice(0, line - 1).reduce((sum, one) => sum + one.length + 1, 0);
  area.focus();
  area.setSelectionRange(from, from + (lines[line - 1]?.length ?? 0));
}
