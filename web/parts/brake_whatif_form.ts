/* The question of a what-if: a policy, what it is compared with, which time, and which withdrawals are known to have been thefts. */
import { useState } from "preact/hooks";
import { h } from "./h.ts";
import { usePoll } from "./poll.ts";
import { Failed, needs, useAct } from "./act.ts";
import { localInput } from "./format.ts";
import { api } from "../api.ts";
import type { WhatifWish } from "../api.ts";
import { useStore } from "../state.ts";
import { t } from "../i18n/text.ts";

const DAY_MS = 86_400_000;
const FIRST_DAYS = 30;

/* An object a line; a line that is none is named. */
function readLabels(text: string): unknown[] | string {
  const labels: unknown[] = [];
  for (const [i, line] of text.split("\n").entries()) {
    if (!line.trim()) continue;
    try {
      labels.push(JSON.parse(line));
    } catch {
      return t("whatif.bad_label", { n: i + 1 });
    }
  }
  return labels;
}

/* What the form says, or what is wrong with it. */
function readWish(form: HTMLFormElement, policy: string): WhatifWish | string {
  const data = new FormData(form);
  const read = (name: string) => String(data.get(name) ?? "").trim();
  const from = Date.parse(read("from")), to = Date.parse(read("to"));
  if (!policy.trim()) return t("whatif.need_policy");
  if (Number.isNaN(from) || Number.isNaN(to)) return t("time.need_both");
  if (to <= from) return t("time.order");
  const labels = readLabels(read("labels"));
  if (typeof labels === "string") return labels;
  return {
    policy, ...(read("against") ? { against: read("against") } : {}), from: new Date(from).toISOString(), to: new Date(to).toISOString(), tz: Intl.DateTimeFormat().resolvedOptions().timeZone,
    learn_days: Number(read("learn_days")), hold_minutes: Number(read("hold_minutes")), stop_minutes: Number(read("stop_minutes")), ...(labels.length ? { labels } : {}),
  };
}

export function WhatifForm(props: { running: boolean; onStarted: (id: string) => void }) {
  useStore((s) => s.language);
  const policy = usePoll(() => api.policy(), 0, []);
  const [draft, setDraft] = useState<string | null>(null); // null: the one in force
  const [wrong, setWrong] = useState("");
  const { busy, run } = useAct();
  const text = draft ?? policy.data?.text ?? "";
  const takeFile = async (event: Event) => { const file = (event.target as HTMLInputElement).files?.[0]; if (file) setDraft(await file.text()); };
  const submit = async (event: Event) => {
    event.preventDefault();
    const wish = readWish(event.target as HTMLFormElement, text);
    if (typeof wish === "string") return setWrong(wish);
    setWrong("");
    await run(async () => props.onStarted((await api.startWhatif(wish)).id), t("whatif.started"));
  };
  const number = (label: string, name: string, first: number, most: number, about?: string) =>
    h("label.field", { title: about }, h("span", null, label), h("input", { name, type: "number", min: 0, max: most, step: 1, defaultValue: String(first), required: true }));
  const moment = (label: string, name: string, first: number) => h("label.field", null, h("span", null, label), h("input", { name, type: "datetime-local", defaultValue: localInput(first) }));
  return h("form.whatif-form", { onSubmit: submit },
    h(Failed, { error: policy.error }),
    h("label.field", null, h("span", null, t("whatif.policy")),
      h("textarea.mono.plan-text", { name: "policy", rows: 14, wrap: "off", spellcheck: false, value: text, onInput: (e: Event) => setDraft((e.target as HTMLTextAreaElement).value) })),
    h("div.actions", null,
      h("label.button.small.file-button", null, t("whatif.file"), h("input.hidden-text", { type: "file", accept: ".yaml,.yml,text/plain", onChange: (e: Event) => void takeFile(e) })),
      draft !== null && policy.data && h("button.small", { onClick: () => setDraft(null) }, t("whatif.begin_again")),
      h("span.dim", null, t(draft === null || draft === policy.data?.text ? "whatif.unchanged" : "whatif.changed"))),
    h("div.row-form", null,
      h("label.field", null, h("span", null, t("whatif.against")), h("select", { name: "against" }, h("option", { value: "current" }, t("whatif.against_current")), h("option", { value: "" }, t("whatif.against_none")))),
      moment(t("wake.from"), "from", Date.now() - FIRST_DAYS * DAY_MS), moment(t("wake.to"), "to", Date.now()),
      number(t("whatif.learn_days"), "learn_days", FIRST_DAYS, 3660, t("whatif.learn_about")), number(t("whatif.hold_minutes"), "hold_minutes", 30, 1_000_000, t("whatif.hold_about")),
      number(t("whatif.stop_minutes"), "stop_minutes", 0, 1_000_000, t("whatif.stop_about"))),
    h("details", null, h("summary", null, t("whatif.labels")),
      h("p.dim", null, t("whatif.labels_about")),
      h("textarea.mono", { name: "labels", rows: 4, wrap: "off", spellcheck: false, "aria-label": t("whatif.labels"), placeholder: '{"withdrawal_id": "W1"}\n{"account": "u1"}' })),
    wrong && h("p.error-text", { role: "alert" }, wrong),
    h("div.actions", null, h("button.primary", { type: "submit", ...needs("analyst", busy || props.running) }, t("whatif.start")),
      props.running && h("span.dim", null, t("whatif.one_at_a_time"))));
}
