/* One incident: what happened in plain words, what to do, how it went, and the few actions a person takes. */
import { useEffect, useRef, useState } from "preact/hooks";
import { h } from "../parts/h.ts";
import { errorText, usePoll } from "../parts/poll.ts";
import { Text } from "../parts/visible.ts";
import { dateTime, grouped, utc } from "../parts/format.ts";
import { Severity, StateWord } from "../parts/badges.ts";
import { lazy } from "../parts/lazy.ts";
import { CommentForm } from "../parts/comment_form.ts";
import { IncidentFacts, StateButtons } from "../parts/incident_state.ts";
import { Attachments, Tasks } from "../parts/incident_tasks.ts";
import { RuleName } from "../parts/rule_name.ts";
import { Shares } from "../parts/incident_share.ts";
import { Findings } from "../parts/incident_findings.ts";
import { Merge } from "../parts/incident_merge.ts";
import { Actions } from "../parts/incident_actions.ts";
import { Playbooks } from "../parts/incident_playbooks.ts";
import { term } from "../parts/spl_edit.ts";
import { ALL } from "../parts/time_picker.ts";
import { api } from "../api.ts";
import type { Range } from "../parts/time_picker.ts";
import type { Answer, Both, Entity, IncidentDetail, TimelineEntry } from "../api.ts";
import { hashFor, may, notify, useStore } from "../state.ts";
import { both, t, word } from "../i18n/text.ts";
import type { Key } from "../i18n/text.ts";

const EntityGraph = lazy<{ first: Entity[]; edges: { from: string; to: string; count: number }[]; range: Range }>(() => import("../parts/entity_graph.ts").then((made) => made.EntityGraph));

const EVERY_MS = 3000;
const EVIDENCE_SHOWN = 6;
const COMMENT_EVENTS_MAX = 20;

export function IncidentPanel(props: { id: string; onClose: () => void; onChanged: () => void }) {
  useStore((s) => s.language);
  const { data: incident, error, reload } = usePoll(() => api.incident(props.id), EVERY_MS, [props.id]);
  const [rule, setRule] = useState<string | null | undefined>(undefined); // whose findings are listed; null: all
  const [busy, setBusy] = useState(false);
  const panel = useRef<HTMLElement>(null);
  useEffect(() => { panel.current?.scrollTo(0, 0); }, [props.id]);

  const act = async (work: () => Promise<unknown>, done: Key) => {
    setBusy(true);
    try {
      await work();
      notify("ok", t(done, { id: props.id }));
      reload();
      props.onChanged();
      return true;
    } catch (problem) {
      notify("bad", errorText(problem));
      return false;
    } finally {
      setBusy(false);
    }
  };

  return h("aside.side-panel", { ref: panel, "aria-label": props.id, tabIndex: -1 },
    h("header.panel-head", null,
      h("span.mono.dim", null, props.id),
      incident && h(Severity, { level: incident.severity }), incident && h(StateWord, { state: incident.state }),
      h("span.spring", null),
      h("button.quiet", { "aria-label": t("panel.close"), title: t("panel.close") + " (Esc)", onClick: props.onClose }, "✕")),
    error && h("p.message.error", { role: "alert" }, h("b", null, "✕ "), error),
    incident && h("div.panel-body", null,
      h("h2", null, h(Text, { text: both(incident.title) })),
      h("p.dim", null,
        h("span", { title: utc(incident.first_event) }, dateTime(incident.first_event)), " – ", h("span", { title: utc(incident.last_event) }, dateTime(incident.last_event)),
        " · ", t("incidents.findings", { n: grouped(incident.finding_count) }),
        " · ", incident.owner ? [t("incident.owner"), " ", h(Text, { text: incident.owner })] : t("incident.no_owner")),
      h(StateButtons, { incident, busy, act }),
      h(Told, { incident }),
      incident.answers && incident.answers.length > 0 && h("section", null,
        h("h3", null, t("incident.answers")),
        h("dl.answers", null, incident.answers.map((answer) => h(Answered, { key: answer.name + both(answer.question), answer }))),
        incident.state !== "closed" && may("analyst") && h("button.quiet", { disabled: busy, onClick: () => void act(() => api.askAgain(props.id), "incident.asked_again") }, t("incident.ask_again"))),
      incident.held && incident.held.length > 0 && h("section", null,
        h("h3", null, t("incident.held")),
        h("ul.held", null, incident.held.map((held, i) =>
          h("li", { key: i }, h("b.money", null, grouped(held.amount), " ", h(Text, { text: held.asset })), h("a", { href: hashFor("brake", { request: held.request_id }) }, h("span.mono", null, h(Text, { text: held.request_id }))))))),
      incident.entities.length > 0 && h("section", null,
        h("h3", null, t("incident.entities")),
        h("ul.entity-list", null, incident.entities.map((entity, i) =>
          h("li", { key: i }, h("small", null, word("entity", entity.type)),
            h("a", { href: hashFor("entity", { type: entity.type, value: entity.value }), title: t("value.entity") }, h(Text, { text: entity.value })))))),
      incident.entities.length > 1 && h(Together, { incident }),
      h(IncidentFacts, { incident }),
      h(Tasks, { incident, busy, act }),
      h(Actions, { incident }),
      h(Playbooks, { incident }),
      h(Attachments, { incident, busy, act }),
      incident.finding_count > 0 && h("button.small.all-findings", { "aria-expanded": rule !== undefined, onClick: () => setRule(rule === undefined ? null : undefined) }, t("findings.all", { n: grouped(incident.finding_count) })),
      rule !== undefined && h(Findings, { key: String(rule), incident, rule, busy, act, onClose: () => setRule(undefined) }),
      may("responder") && h(Shares, { id: props.id }),
      incident.state !== "closed" && h(Merge, { id: props.id, busy, act }),
      h("section", null,
        h("h3", null, t("incident.timeline")),
        h("ol.timeline", null, [...incident.timeline].sort((a, b) => (a.time < b.time ? -1 : a.time > b.time ? 1 : 0)).map((entry, i) => h(Entry, { key: i, entry, onFindings: setRule })))),
      may("analyst") && incident.state !== "closed" && h(CommentForm, {
        label: t("incident.comment_events"), submit: t("incident.comment_add"), required: true, busy,
        onSubmit: (text) => act(() => api.comment(props.id, text, linked(text)), "incident.commented"),
      })));
}

/* Drawn when asked for: the entities of the incident, each tied to the first, and growing from there. */
function Together(props: { incident: IncidentDetail }) {
  const { incident } = props;
  const [open, setOpen] = useState(false);
  const [first, ...others] = incident.entities;
  const key = (entity: { type: string; value: string }) => `${entity.type}\0${entity.value}`;
  return h("section", null,
    h("button.small", { "aria-expanded": open, onClick: () => setOpen(!open) }, t("graph.title")),
    open && h(EntityGraph, { first: incident.entities, edges: others.map((other) => ({ from: key(first!), to: key(other), count: incident.finding_count })), range: ALL }));
}

/* Events that a comment names, as event:ID, are linked. */
function linked(text: string): { id: string }[] {
  return [...new Set([...text.matchAll(/\bevent:([\w.:-]+)/g)].map((match) => match[1]!))].slice(0, COMMENT_EVENTS_MAX).map((id) => ({ id }));
}

function Told(props: { incident: IncidentDetail }) {
  const { incident } = props;
  const part = (key: Key, text: Both | string | null | undefined) => both(text) &&
    h("section.told", { key }, h("h3", null, t(key)), h("p", null, both(text).split("\n").map((line, i) => [i > 0 && h("br", { key: "b" + i }), h(Text, { key: i, text: line })])));
  return h("div", null,
    both(incident.explanation) && h("p.explanation", null, h(Text, { text: both(incident.explanation) })),
    part("incident.why", incident.why), part("incident.check", incident.check), part("incident.do", incident.do));
}

/* A question, what the events say, the search that says it, and events that it rests on. */
export function Answered(props: { answer: Answer }) {
  const { answer } = props;
  return h("div", { class: answer.state },
    h("dt", null, h(Text, { text: both(answer.question) })),
    h("dd", null, h(Text, { text: both(answer.answer) }), " ",
      answer.search && h("a", { href: hashFor("search", { q: answer.search, from: answer.from, to: answer.to }) }, t("incident.answer_search")),
      answer.events.slice(0, EVIDENCE_SHOWN).map((event) => [" ", h("a.mono", { key: event, href: hashFor("search", { q: term("event.id", event), from: ALL.from, to: ALL.to }), title: t("incident.evidence") + " " + event }, event.length > 14 ? event.slice(0, 12) + "…" : event)])));
}

const KIND_ICON: Record<string, string> = { finding: "◆", state: "●", comment: "✎", notification: "☏", gate: "❚❚", link: "⚭", action: "▶", wake: "☏", severity: "▲", task: "☑", attachment: "▤" };

function Entry(props: { entry: TimelineEntry; onFindings: (rule: string | null) => void }) {
  const { entry } = props;
  const [all, setAll] = useState(false);
  const evidence = entry.evidence ?? [];
  const shown = all ? evidence : evidence.slice(0, EVIDENCE_SHOWN);
  return h("li", { class: `${entry.kind} ${entry.severity ?? ""}` },
    h("i.entry-icon", { "aria-hidden": true }, KIND_ICON[entry.kind] ?? "•"),
    h("div", null,
      h("p.entry-head", null, h("time", { title: utc(entry.time) }, dateTime(entry.time)), " ", h("span.dim", null, word("kind", entry.kind)),
        entry.severity && [" ", h(Severity, { level: entry.severity })], entry.count !== undefined && entry.count > 1 && [" ", h("button.link", { title: `${t("findings.show")} ${utc(entry.first)} – ${utc(entry.last)}`, onClick: () => props.onFindings(entry.rule ?? null) }, `×${grouped(entry.count)}`)],
        entry.user && [" · ", h(Text, { text: entry.user })]),
      h("p", null, h(Text, { text: both(entry.text) })),
      (entry.rule || evidence.length > 0) && h("p.evidence", null,
        entry.rule && h("span.tag", null, h(RuleName, { rule: entry.rule })),
        shown.map((event) => h("a.mono", { key: event, href: hashFor("search", { q: term("event.id", event), from: ALL.from, to: ALL.to }), title: t("incident.evidence") + " " + event }, event.length > 14 ? event.slice(0, 12) + "…" : event)),
        evidence.length > shown.length && h("button.link", { onClick: () => setAll(true) }, `+${evidence.length - shown.length}`))));
}
