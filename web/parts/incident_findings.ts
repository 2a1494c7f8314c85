/* Every finding of an incident, page by page; some can be split off, and from one an exception or a mute is made. */
import { useEffect, useState } from "preact/hooks";
import { h } from "./h.ts";
import { Failed, needs } from "./act.ts";
import { errorText } from "./poll.ts";
import { CommentForm } from "./comment_form.ts";
import { ExceptionForm } from "./exception_form.ts";
import type { Act } from "./incident_state.ts";
import { RuleName } from "./rule_name.ts";
import { Severity } from "./badges.ts";
import { term } from "./spl_edit.ts";
import { ALL } from "./time_picker.ts";
import { Text } from "./visible.ts";
import { dateTime, grouped, utc } from "./format.ts";
import { api } from "../api.ts";
import type { Finding, IncidentDetail } from "../api.ts";
import { hashFor, navigate } from "../state.ts";
import { both, t } from "../i18n/text.ts";

const LIMIT = 50;

export function Findings(props: { incident: IncidentDetail; rule: string | null; busy: boolean; act: Act; onClose: () => void }) {
  const { incident } = props;
  const [list, setList] = useState<Finding[]>([]);
  const [next, setNext] = useState<number | null>(0);
  const [total, setTotal] = useState(0);
  const [error, setError] = useState<string | null>(null);
  const [chosen, setChosen] = useState<Set<string>>(new Set());
  const [quiet, setQuiet] = useState<Finding | null>(null);
  const more = async () => {
    try {
      const answer = await api.findings(incident.id, next ?? 0, LIMIT);
      setList((before) => [...before, ...answer.findings]);
      setNext(answer.next);
      setTotal(answer.total);
      setError(null);
    } catch (problem) {
      setError(errorText(problem));
    }
  };
  useEffect(() => { void more(); }, []);
  const shown = props.rule ? list.filter((one) => one.rule === props.rule || one.rule_id === props.rule) : list;
  const toggle = (id: string) => { const now = new Set(chosen); if (!now.delete(id)) now.add(id); setChosen(now); };
  const split = (reason: string) => props.act(async () => {
    const made = await api.split(incident.id, [...chosen], reason);
    navigate("incidents", { id: made.id });
  }, "findings.split_done");
  return h("section.findings", null,
    h("div.section-head", null, h("h3", null, t("findings.title"), " ", h("span.count", null, `${grouped(list.length)} / ${grouped(total)}`)), h("span.spring", null),
      h("button.quiet.small", { onClick: props.onClose }, t("panel.close"))),
    props.rule && h("p.dim", null, t("findings.of_rule"), " ", h("span.tag", null, h(RuleName, { rule: props.rule }))),
    h(Failed, { error }),
    h("ul.finding-list", null, shown.map((one) => h("li", { key: one.id },
      h("p.page-line", null,
        incident.state !== "closed" && h("input", { type: "checkbox", checked: chosen.has(one.id), "aria-label": t("findings.choose"), onChange: () => toggle(one.id) }),
        h("time", { title: utc(one.time) }, dateTime(one.time)), h(Severity, { level: one.severity }), one.rule && h("span.tag", null, h(RuleName, { rule: one.rule })),
        h("span.spring", null),
        h("button.small", { ...needs("responder"), "aria-expanded": quiet === one, onClick: () => setQuiet(quiet === one ? null : one) }, t("findings.quiet"))),
      h("p", null, h(Text, { text: both({ en: one.en ?? one.title ?? "", ja: one.ja ?? one.title ?? "" }) })),
      h("p.evidence", null, one.events.map((event) => h("a.mono", { key: event.id, href: hashFor("search", { q: term("event.id", event.id), from: ALL.from, to: ALL.to }) }, event.id.slice(0, 12))),
        one.event_count > one.events.length && h("span.dim", null, `+${grouped(one.event_count - one.events.length)}`)),
      quiet === one && h(ExceptionForm, { rule: one.rule_id ?? one.rule ?? "", entities: one.entities, cancel: () => setQuiet(null), onMade: () => setQuiet(null) })))),
    next !== null && list.length > 0 && h("button", { onClick: () => void more() }, t("findings.more")),
    chosen.size > 0 && h(CommentForm, { label: t("findings.split_why", { n: chosen.size }), submit: t("findings.split"), required: true, busy: props.busy, cancel: () => setChosen(new Set()), onSubmit: split }));
}
