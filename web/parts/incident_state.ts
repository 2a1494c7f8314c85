/* What a person says about an incident: I take it, somebody else has it, it is contained, it is over, it is not over. */
import { useState } from "preact/hooks";
import { h } from "./h.ts";
import { needs } from "./act.ts";
import { CommentForm } from "./comment_form.ts";
import { Text } from "./visible.ts";
import { dateTime, duration, utc } from "./format.ts";
import { VERDICTS, api } from "../api.ts";
import type { IncidentDetail } from "../api.ts";
import { hashFor, navigate } from "../state.ts";
import { t, word } from "../i18n/text.ts";
import type { Key } from "../i18n/text.ts";

export type Act = (work: () => Promise<unknown>, done: Key) => Promise<boolean>;
type Form = "owner" | "contained" | "close" | "reopen";

export function StateButtons(props: { incident: IncidentDetail; busy: boolean; act: Act }) {
  const { incident, busy, act } = props;
  const [form, setForm] = useState<Form | null>(null);
  const id = incident.id;
  const open = (name: Form, label: Key) =>
    h("button", { ...needs("responder", busy), "aria-expanded": form === name, onClick: () => setForm(form === name ? null : name) }, t(label));
  const done = async (work: Promise<boolean>) => { const good = await work; if (good) setForm(null); return good; };
  const text = (label: Key, submit: Key, required: boolean, send: (text: string) => Promise<boolean>) =>
    h(CommentForm, { key: submit, label: t(label), submit: t(submit), required, busy, cancel: () => setForm(null), onSubmit: (said) => done(send(said)) });
  if (incident.state === "closed")
    return h("div", null,
      h("div.actions", null, open("reopen", "incident.reopen")),
      form === "reopen" && text("incident.reopen_why", "incident.reopen_submit", true, (reason) => act(async () => {
        const made = await api.reopen(id, reason);
        navigate("incidents", { id: made.id });
      }, "incident.reopened")));
  return h("div.state-buttons", null,
    h("div.actions", null,
      incident.state === "open" && h("button.primary", { ...needs("responder", busy), onClick: () => void act(() => api.acknowledge(id), "incident.acknowledged") }, t("incident.acknowledge")),
      open("owner", "incident.hand_over"),
      !incident.clocks.contained && open("contained", "incident.contain"),
      open("close", "incident.close")),
    form === "owner" && h(OwnerForm, { busy, onCancel: () => setForm(null), onOwner: (owner, note) => done(act(() => api.handOver(id, owner, note), "incident.handed_over")) }),
    form === "contained" && text("incident.contained_how", "incident.contained_submit", true, (note) => act(() => api.contained(id, note), "incident.contained_done")),
    form === "close" && h(CloseForm, { busy, onCancel: () => setForm(null), onClose: (comment, verdict) => done(act(() => api.close(id, comment, verdict), "incident.closed")) }));
}

function OwnerForm(props: { busy: boolean; onCancel: () => void; onOwner: (owner: string, note: string) => Promise<boolean> }) {
  const [owner, setOwner] = useState("");
  return h("div.inline-form", null,
    h("label.field", null, h("span", null, t("incident.new_owner")), h("input", { name: "owner", autocomplete: "off", value: owner, onInput: (e: Event) => setOwner((e.target as HTMLInputElement).value) })),
    h(CommentForm, { label: t("incident.hand_over_note"), submit: t("incident.hand_over_submit"), busy: props.busy || !owner.trim(), cancel: props.onCancel, onSubmit: (note) => props.onOwner(owner.trim(), note) }));
}

function CloseForm(props: { busy: boolean; onCancel: () => void; onClose: (comment: string, verdict: string | undefined) => Promise<boolean> }) {
  const [verdict, setVerdict] = useState("");
  return h("div.inline-form", null,
    h("label.field", null, h("span", null, t("incident.verdict")),
      h("select", { name: "verdict", value: verdict, onChange: (e: Event) => setVerdict((e.target as HTMLSelectElement).value) },
        h("option", { value: "" }, t("incident.no_verdict")), VERDICTS.map((one) => h("option", { key: one, value: one }, word("verdict", one))))),
    h(CommentForm, { label: t("incident.close_comment"), submit: t("incident.close_confirm"), required: true, busy: props.busy, cancel: props.onCancel, onSubmit: (comment) => props.onClose(comment, verdict || undefined) }));
}

/* Times, what it has to do with others, and the end of its record. */
export function IncidentFacts(props: { incident: IncidentDetail }) {
  const { incident } = props;
  const clocks = (["to_open", "to_acknowledge", "to_contain", "to_close"] as const).filter((name) => incident.clocks.seconds[name] !== null);
  return h("section.incident-facts", null,
    h("dl.facts", null,
      clocks.map((name) => h("div", { key: name }, h("dt", null, t(`clock.${name}` as Key)), h("dd", null, duration(incident.clocks.seconds[name]! * 1000)))),
      incident.clocks.contained && h("div", null, h("dt", null, t("incident.contained")), h("dd", { title: utc(incident.clocks.contained) }, dateTime(incident.clocks.contained), " ", h(Text, { text: incident.clocks.contained_by }))),
      incident.verdict && h("div", null, h("dt", null, t("incident.verdict")), h("dd", null, word("verdict", incident.verdict))),
      incident.chain.hash && h("div", null, h("dt", { title: t("incident.record_about") }, t("incident.record", { n: incident.chain.entries })), h("dd.mono", null, incident.chain.hash))),
    incident.related.length > 0 && h("ul.related", null, incident.related.map((other) => h("li", { key: other.id + other.how },
      word("related", other.how), " ", h("a.mono", { href: hashFor("incidents", { id: other.id }) }, other.id), " ", h("span.dim", null, word("state", other.state)),
      other.by && [" · ", h(Text, { text: other.by })]))));
}
