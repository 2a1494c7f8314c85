/* One incident: what happened in plain words, what to do, how it went, and the few actions a person takes. */
import { useEffect, useRef, useState } from "preact/hooks";
import { h } from "../parts/h.ts";
import { errorText, usePoll } from "../parts/poll.ts";
import { Text } from "../parts/visible.ts";
import { dateTime, grouped, utc } from "../parts/format.ts";
import { Severity, StateWord } from "../parts/badges.ts";
import { CommentForm } from "../parts/comment_form.ts";
import { term } from "../parts/spl_edit.ts";
import { ALL } from "../parts/time_picker.ts";
import { api } from "../api.ts";
import type { Both, IncidentDetail, TimelineEntry } from "../api.ts";
import { hashFor, may, notify, useStore } from "../state.ts";
import { both, t, word } from "../i18n/text.ts";
import type { Key } from "../i18n/text.ts";

const EVERY_MS = 3000;
const EVIDENCE_SHOWN = 6;

export function IncidentPanel(props: { id: string; onClose: () => void; onChanged: () => void }) {
  useStore((s) => s.language);
  const { data: incident, error, reload } = usePoll(() => api.incident(props.id), EVERY_MS, [props.id]);
  const [closing, setClosing] = useState(false);
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
      incident.state !== "closed" && h("div.actions", null,
        incident.state === "open" && h("button.primary", { disabled: busy || !may("responder"), title: may("responder") ? undefined : t("role.needed", { role: word("role", "responder") }), onClick: () => void act(() => api.acknowledge(props.id), "incident.acknowledged") }, t("incident.acknowledge")),
        h("button", { disabled: busy || !may("responder"), title: may("responder") ? undefined : t("role.needed", { role: word("role", "responder") }), "aria-expanded": closing, onClick: () => setClosing(!closing) }, t("incident.close"))),
      closing && incident.state !== "closed" && h(CommentForm, {
        label: t("incident.close_comment"), submit: t("incident.close_confirm"), required: true, cancel: () => setClosing(false), busy,
        onSubmit: async (text) => { const done = await act(() => api.close(props.id, text), "incident.closed"); if (done) setClosing(false); return done; },
      }),
      h(Told, { incident }),
      incident.held && incident.held.length > 0 && h("section", null,
        h("h3", null, t("incident.held")),
        h("ul.held", null, incident.held.map((held, i) =>
          h("li", { key: i }, h("b.money", null, grouped(held.amount), " ", h(Text, { text: held.asset })), h("a", { href: hashFor("brake", { request: held.request_id }) }, h("span.mono", null, h(Text, { text: held.request_id }))))))),
      incident.entities.length > 0 && h("section", null,
        h("h3", null, t("incident.entities")),
        h("ul.entity-list", null, incident.entities.map((entity, i) =>
          h("li", { key: i }, h("small", null, word("entity", entity.type)),
            h("a", { href: hashFor("search", { q: `"${entity.value.replace(/\\/g, "\\\\").replace(/"/g, '\\"')}"`, from: ALL.from, to: ALL.to }), title: t("incident.search_entity") }, h(Text, { text: entity.value })))))),
      h("section", null,
        h("h3", null, t("incident.timeline")),
        h("ol.timeline", null, [...incident.timeline].sort((a, b) => (a.time < b.time ? -1 : a.time > b.time ? 1 : 0)).map((entry, i) => h(Entry, { key: i, entry })))),
      may("analyst") && h(CommentForm, {
        label: t("incident.comment"), submit: t("incident.comment_add"), required: true, busy,
        onSubmit: (text) => act(() => api.comment(props.id, text), "incident.commented"),
      })));
}

function Told(props: { incident: IncidentDetail }) {
  const { incident } = props;
  const part = (key: Key, text: Both | string | null | undefined) => both(text) &&
    h("section.told", { key }, h("h3", null, t(key)), h("p", null, both(text).split("\n").map((line, i) => [i > 0 && h("br", { key: "b" + i }), h(Text, { key: i, text: line })])));
  return h("div", null,
    both(incident.explanation) && h("p.explanation", null, h(Text, { text: both(incident.explanation) })),
    part("incident.why", incident.why), part("incident.check", incident.check), part("incident.do", incident.do));
}

const KIND_ICON: Record<string, string> = { finding: "◆", state: "●", comment: "✎", notification: "☏", gate: "❚❚", link: "⚭", action: "▶", wake: "☏", severity: "▲", task: "☑", attachment: "▤" };

function Entry(props: { entry: TimelineEntry }) {
  const { entry } = props;
  const [all, setAll] = useState(false);
  const evidence = entry.evidence ?? [];
  const shown = all ? evidence : evidence.slice(0, EVIDENCE_SHOWN);
  return h("li", { class: `${entry.kind} ${entry.severity ?? ""}` },
    h("i.entry-icon", { "aria-hidden": true }, KIND_ICON[entry.kind] ?? "•"),
    h("div", null,
      h("p.entry-head", null, h("time", { title: utc(entry.time) }, dateTime(entry.time)), " ", h("span.dim", null, word("kind", entry.kind)),
        entry.severity && [" ", h(Severity, { level: entry.severity })], entry.count !== undefined && entry.count > 1 && h("span.dim", { title: `${utc(entry.first)} – ${utc(entry.last)}` }, ` ×${entry.count}`),
        entry.user && [" · ", h(Text, { text: entry.user })]),
      h("p", null, h(Text, { text: both(entry.text) })),
      (entry.rule || evidence.length > 0) && h("p.evidence", null,
        entry.rule && h("span.tag", { title: t("incident.rule") }, h(Text, { text: entry.rule })),
        shown.map((event) => h("a.mono", { key: event, href: hashFor("search", { q: term("event.id", event), from: ALL.from, to: ALL.to }), title: t("incident.evidence") + " " + event }, event.length > 14 ? event.slice(0, 12) + "…" : event)),
        evidence.length > shown.length && h("button.link", { onClick: () => setAll(true) }, `+${evidence.length - shown.length}`))));
}
