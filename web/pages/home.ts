/*
 * The first screen, for two or three people: what needs a person on the left, one incident with its answers on the right, the money below, and
 * the search surface at the bottom. The strip above outranks all of it.
 */
import { useEffect, useState } from "preact/hooks";
import { h } from "../parts/h.ts";
import { Answered } from "./incident_detail.ts";
import { ExceptionForm } from "../parts/exception_form.ts";
import { Failed, needs, useAct } from "../parts/act.ts";
import { Severity, StateWord } from "../parts/badges.ts";
import { SearchSurface } from "../parts/search_surface.ts";
import { Spark } from "../parts/spark.ts";
import { MoneyTable } from "../parts/money_table.ts";
import { StopForm, stopOf } from "../parts/stop_form.ts";
import { Text } from "../parts/visible.ts";
import { age, dateTime, grouped, utc } from "../parts/format.ts";
import { useKeys, useListKeys } from "../parts/keys.ts";
import { usePoll } from "../parts/poll.ts";
import { api } from "../api.ts";
import type { Incident, IncidentDetail } from "../api.ts";
import { hashFor, may, navigate, useStore } from "../state.ts";
import { both, t, word } from "../i18n/text.ts";

const EVERY_MS = 3000;
const LIMIT = 200;
const NOW_MAX = 7; // as many as two or three people can hold in their heads; the rest is watched
const ANSWERS = 5;
const RANK: Record<string, number> = { critical: 0, high: 1, medium: 2, low: 3, informational: 4 };

/* What nobody has taken yet goes before what is in hand, worse before milder, newer before older. */
function urgency(a: Incident, b: Incident): number {
  return (RANK[a.severity]! - RANK[b.severity]!) || Number(a.state !== "open") - Number(b.state !== "open") || (a.opened < b.opened ? 1 : -1);
}
const needsPerson = (one: Incident) => RANK[one.severity]! <= RANK.medium!;

export function HomePage() {
  useStore((s) => s.language);
  const params = useStore((s) => s.route.params);
  const { data, error, reload } = usePoll(() => api.incidents("open,acknowledged", LIMIT), EVERY_MS, []);
  const all = [...(data?.incidents ?? [])].sort(urgency);
  const now = all.filter(needsPerson).slice(0, NOW_MAX);
  const id = params.get("id") ?? now[0]?.id ?? null;
  const pick = (next: string) => navigate("home", { id: next, q: params.get("q") ?? undefined, from: params.get("from") ?? undefined, to: params.get("to") ?? undefined }, "replace");
  useListKeys({
    move: (by) => { const next = now[Math.max(0, Math.min(now.length - 1, now.findIndex((one) => one.id === id) + by))]; if (next) pick(next.id); },
    open: () => { if (id) navigate("incidents", { id }); },
    close: () => {},
  }, { first: true });
  return h("main.home-page", null,
    h("div.home-top", null,
      h("section.home-now", { "aria-label": t("home.now") },
        h("div.section-head", null, h("h1", null, t("home.now")), h("span.dim", null, t("home.now_about"))),
        h(Failed, { error }),
        data && now.length === 0 && h("p.home-calm", null, h("i.good", { "aria-hidden": true }, "✓ "), t("home.calm")),
        h("ul.now-list", null, now.map((one) => h("li", { key: one.id }, h("button.now", { class: `${one.severity} ${one.state}`, "aria-current": one.id === id, onClick: () => pick(one.id) },
          h(Severity, { level: one.severity }),
          h("span.now-title", null, h(Text, { text: both(one.title) })),
          h("span.now-who", null, one.entities.slice(0, 2).map((entity, i) => [i > 0 && " · ", h(Text, { text: entity.value })])),
          h(StateWord, { state: one.state }),
          h("time.dim", { title: utc(one.opened) }, age(one.opened)))))),
        all.length > now.length && h("a.now-watch", { href: hashFor("incidents") }, t("home.watch", { n: grouped(all.length - now.length) }))),
      h("section.home-selected", { "aria-label": t("home.selected") },
        id ? h(Selected, { key: id, id, onChanged: reload }) : h("div.empty", null, h("h2", null, t("home.nothing_selected")), h("p", null, t("home.nothing_next"))))),
    h(MoneyTable, {}),
    h("section.home-search", { "aria-label": t("nav.search") }, h(SearchSurface, { page: "home", keep: ["id"], first: "*" })));
}

type Form = "hold" | "exception";

function Selected(props: { id: string; onChanged: () => void }) {
  const { data: incident, error, reload } = usePoll(() => api.incident(props.id), EVERY_MS, [props.id]);
  const { busy, run } = useAct();
  const [form, setForm] = useState<Form | null>(null);
  const done = () => { setForm(null); reload(); props.onChanged(); };
  const acknowledge = () => { if (incident?.state === "open" && may("responder") && !busy) void run(() => api.acknowledge(props.id), t("incident.acknowledged", { id: props.id })).then(done); };
  const toggle = (one: Form) => setForm(form === one ? null : one);
  useKeys({ a: acknowledge, h: () => { if (may("responder")) toggle("hold"); }, x: () => { if (may("responder")) toggle("exception"); }, r: () => navigate("brake") });
  useEffect(() => setForm(null), [props.id]);
  if (!incident) return h(Failed, { error });
  const rule = incident.timeline.find((entry) => entry.rule)?.rule ?? "";
  const stop = stopOf(incident.entities);
  return h("div.selected-incident", null,
    h("p.selected-head", null, h("a.mono", { href: hashFor("incidents", { id: incident.id }) }, incident.id), " ", h(Severity, { level: incident.severity }), " ", h(StateWord, { state: incident.state }),
      incident.owner && [" · ", h(Text, { text: incident.owner })], h("span.dim", null, ` · ${dateTime(incident.first_event)}`)),
    h("h2", null, h(Text, { text: both(incident.title) })),
    h("p.selected-why", null, h("b", null, t("home.why"), " "), h(Text, { text: both(incident.explanation) || both(incident.why) })),
    h("div.selected-course", null, h("b", null, t("home.course")), h(Course, { incident }),
      h("span.chain", null, incident.entities.slice(0, 6).map((entity, i) => [i > 0 && h("i.dim", { "aria-hidden": true }, " ─ "), h("a", { key: i, href: hashFor("entity", { type: entity.type, value: entity.value }), title: word("entity", entity.type) }, h(Text, { text: entity.value }))]))),
    incident.held && incident.held.length > 0 && h("p.held-line", null, h("b", null, "❚❚ ", t("incident.held"), " "), incident.held.slice(0, 3).map((one, i) => [i > 0 && ", ", h("span.money", { key: i }, grouped(one.amount), " ", h(Text, { text: one.asset ?? "" }))]), incident.held.length > 3 && ` +${incident.held.length - 3}`),
    incident.answers && incident.answers.length > 0 && h("div", null, h("b", null, t("home.answers", { n: incident.answers.filter((one) => one.state === "answered").length, m: incident.answers.length })),
      h("dl.answers", null, incident.answers.slice(0, ANSWERS).map((answer) => h(Answered, { key: answer.name, answer })))),
    h("div.selected-next", { role: "group", "aria-label": t("home.next") },
      incident.state === "open" && h("button.primary", { ...needs("responder", busy), onClick: acknowledge }, h("kbd", null, "a"), t("incident.acknowledge")),
      h("button", { ...needs("responder", busy), "aria-expanded": form === "hold", onClick: () => toggle("hold") }, h("kbd", null, "h"), t("home.hold")),
      h("a.button", { href: hashFor("brake") }, h("kbd", null, "r"), t("home.release")),
      h("button", { ...needs("responder", busy), "aria-expanded": form === "exception", onClick: () => toggle("exception") }, h("kbd", null, "x"), t("home.exception")),
      h("a.button", { href: hashFor("incidents", { id: incident.id }) }, h("kbd", null, "↵"), t("home.open"))),
    form === "hold" && h(StopForm, { first: stop, reason: `${incident.id}: ${both(incident.title)}`, cancel: () => setForm(null), onMade: done }),
    form === "exception" && h(ExceptionForm, { rule, entities: incident.entities, cancel: () => setForm(null), onMade: done }));
}

/* When things happened, from the first event to now: how dense, and where it stands out. */
const BINS = 24;
function Course(props: { incident: IncidentDetail }) {
  const times = props.incident.timeline.filter((entry) => entry.kind === "finding").map((entry) => Date.parse(entry.time)).filter(Number.isFinite);
  if (times.length === 0) return null;
  const first = Math.min(...times), span = Math.max(1, Math.max(...times) - first);
  const counts = new Array<number>(BINS).fill(0);
  for (const time of times) counts[Math.min(BINS - 1, Math.floor(((time - first) / span) * BINS))]!++;
  return h(Spark, { values: counts, label: t("home.course_label", { from: dateTime(first / 1000), to: dateTime((first + span) / 1000), n: times.length }) });
}
