/* Playbooks: one is started on an incident, and its steps wait for people and actions in their order. */
import { useState } from "preact/hooks";
import { h } from "./h.ts";
import { usePoll } from "./poll.ts";
import { Failed, SureButton, needs, useAct } from "./act.ts";
import { Text } from "./visible.ts";
import { dateTime } from "./format.ts";
import { api } from "../api.ts";
import type { IncidentDetail, PlaybookRun, RunStep } from "../api.ts";
import { both, t, word } from "../i18n/text.ts";

const EVERY_MS = 4000;
const ICON: Record<string, string> = { waiting: "○", doing: "…", done: "✓", skipped: "⤼", failed: "✕" };

export function Playbooks(props: { incident: IncidentDetail }) {
  const { incident } = props;
  const { data, error, reload } = usePoll(() => api.playbooks(incident.id), EVERY_MS, []);
  const { busy, run } = useAct();
  const usable = (data?.playbooks ?? []).filter((one) => one.usable);
  const start = async (name: string) => { if (await run(() => api.runPlaybook(name, incident.id), t("playbook.started"))) reload(); };
  if (data && usable.length === 0 && data.runs.length === 0) return null;
  return h("section.playbooks", null,
    h("h3", null, t("playbook.title")),
    h(Failed, { error }),
    (data?.runs ?? []).map((one) => h(Run, { key: one.id, run: one, onChanged: reload })),
    incident.state !== "closed" && h("div.actions", null, usable.map((one) =>
      h("button.small", { key: one.name, ...needs("responder", busy), onClick: () => void start(one.name) }, "▶ ", h(Text, { text: both(one.title) })))));
}

function Run(props: { run: PlaybookRun; onChanged: () => void }) {
  const { run } = props;
  const act = useAct();
  const open = run.state === "running" || run.state === "stuck";
  const change = async (work: () => Promise<unknown>) => { const done = await act.run(work); if (done) props.onChanged(); return done; };
  return h("div.playbook-run", { class: run.state },
    h("p.page-line", null, h("span.mono", null, run.id), h("b", null, h(Text, { text: both(run.title) })),
      h("span.state", { class: run.state === "stuck" ? "bad" : run.state === "done" ? "good" : "" }, run.state === "stuck" ? "✕ " : "", word("run", run.state)),
      h("span.dim", null, h(Text, { text: run.by }), " · ", dateTime(run.started)), h("span.spring", null),
      open && h(SureButton, { label: t("playbook.stop"), sure: t("playbook.stop_sure"), ...needs("responder", act.busy), onSure: () => void change(() => api.stopRun(run.id, true)) })),
    h("ol.run-steps", null, run.steps.map((step) => h("li", { key: step.step, class: open && step.step === run.step ? "now" : "" },
      h("span.state", { class: step.state === "failed" ? "bad" : step.state === "done" ? "good" : "" }, h("i", { "aria-hidden": true }, ICON[step.state] ?? "○"), " ", word("step", step.state)),
      h("span", null, h("small.dim", null, word("step_kind", step.kind)), " ", step.action ? h(Text, { text: step.action }) : h(Text, { text: both(step.text) }),
        step.order && h("span.mono", null, " ", step.order), step.person && [" · ", h(Text, { text: step.person })], step.note && h("small.dim", null, " ", h(Text, { text: step.note }))),
      open && step.step === run.step && h(Answer, { run, step, busy: act.busy, onAnswer: (answer, text) => change(() => api.answerStep(run.id, step.step, answer, text)) })))));
}

function Answer(props: { run: PlaybookRun; step: RunStep; busy: boolean; onAnswer: (answer: "done" | "skip" | "approve", text: string) => Promise<boolean> }) {
  const { run, step, busy } = props;
  const [text, setText] = useState("");
  const approvals = run.approvals.filter((one) => one.step === step.step).length;
  if (step.kind === "approval")
    return h("span.step-answer", null, h("span.tag", null, t("brake.approvals", { n: approvals, m: step.people })),
      h("button.small", { ...needs(step.role ?? "approver", busy), onClick: () => void props.onAnswer("approve", "") }, t("doing.approve")));
  if (step.kind === "action" && run.state !== "stuck") return null;
  return h("span.step-answer", null,
    h("input", { "aria-label": t("playbook.note"), placeholder: t("playbook.note"), value: text, onInput: (e: Event) => setText((e.target as HTMLInputElement).value) }),
    step.kind === "task" && h("button.small", { ...needs("responder", busy), onClick: () => void props.onAnswer("done", text.trim()) }, t("task.finish")),
    h("button.small.quiet", { ...needs("responder", busy || !text.trim()), onClick: () => void props.onAnswer("skip", text.trim()) }, t("playbook.skip")));
}
