/* Incidents: what needs a person. The list stays in place; one incident opens beside it. */
import { useEffect, useState } from "preact/hooks";
import { h } from "../parts/h.ts";
import { IncidentPanel } from "./incident_detail.ts";
import { Handover } from "../parts/handover.ts";
import { usePoll } from "../parts/poll.ts";
import { useListKeys } from "../parts/keys.ts";
import { Text } from "../parts/visible.ts";
import { age, dateTime, grouped, utc } from "../parts/format.ts";
import { Severity, StateWord } from "../parts/badges.ts";
import { api } from "../api.ts";
import { hashFor, navigate, useStore } from "../state.ts";
import { both, t, word } from "../i18n/text.ts";
import type { Key } from "../i18n/text.ts";

const EVERY_MS = 3000;
const LIMIT = 200;
const FILTERS: { states: string; key: Key }[] = [
  { states: "open,acknowledged", key: "incidents.active" },
  { states: "open", key: "incidents.open" },
  { states: "acknowledged", key: "incidents.acknowledged" },
  { states: "closed", key: "incidents.closed" },
];

export function IncidentsPage() {
  useStore((s) => s.language);
  const params = useStore((s) => s.route.params);
  const states = FILTERS.some((one) => one.states === params.get("state")) ? params.get("state")! : FILTERS[0]!.states;
  const id = params.get("id");
  const { data, error, reload } = usePoll(() => api.incidents(states, LIMIT), EVERY_MS, [states]);
  const incidents = data?.incidents ?? [];
  const [handover, setHandover] = useState(false);
  const [cursor, setCursor] = useState<string | null>(id);
  const show = (next: string | null, how: "push" | "replace" = "push") =>
    navigate("incidents", { state: states === FILTERS[0]!.states ? undefined : states, id: next ?? undefined }, how);
  useEffect(() => { if (id) setCursor(id); }, [id]);

  useListKeys({
    move: (by) => {
      const at = incidents.findIndex((one) => one.id === cursor);
      const next = incidents[Math.max(0, Math.min(incidents.length - 1, at + by))];
      if (!next) return;
      setCursor(next.id);
      document.getElementById("incident-" + next.id)?.scrollIntoView({ block: "nearest" });
      if (id) show(next.id, "replace"); // an open panel follows the cursor
    },
    open: () => { if (cursor) show(cursor); },
    close: () => { if (id) show(null); },
  });

  return h("main.split", null,
    h("section.list-side", { "aria-label": t("nav.incidents") },
      h("div.page-head", null,
        h("h1", null, t("nav.incidents")),
        h("div.segmented", { role: "group", "aria-label": t("incidents.filter") }, FILTERS.map((one) =>
          h("button", { key: one.states, "aria-pressed": states === one.states, onClick: () => navigate("incidents", { state: one.states === FILTERS[0]!.states ? undefined : one.states }) }, t(one.key)))),
        h("span.spring", null),
        h("button.small", { "aria-expanded": handover, onClick: () => setHandover(!handover) }, t("handover.open")),
        h("a", { href: hashFor("exceptions") }, t("nav.exceptions")),
        data && h("span.dim", null, data.total > incidents.length ? t("incidents.shown", { n: incidents.length, total: grouped(data.total) }) : t("incidents.total", { n: grouped(data.total) }))),
      handover && h(Handover, {}),
      error && h("p.message.error", { role: "alert" }, h("b", null, "✕ "), error),
      data && incidents.length === 0 && h("div.empty", null,
        h("h2", null, t("incidents.none")), h("p", null, t("incidents.none_next")),
        states !== "closed" && h("button", { onClick: () => navigate("incidents", { state: "closed" }) }, t("incidents.see_closed"))),
      incidents.length > 0 && h("ul.incidents", null, incidents.map((one) =>
        h("li", { key: one.id, id: "incident-" + one.id },
          h("button.incident", { "aria-current": one.id === id, class: `${one.severity} ${one.id === cursor ? "cursor" : ""} ${one.state}`, onClick: () => show(one.id) },
            h(Severity, { level: one.severity }),
            h("span.incident-main", null,
              h("span.incident-title", null, h(Text, { text: both(one.title) })),
              h("span.entities", null, one.entities.slice(0, 5).map((entity, i) =>
                h("span.entity", { key: i, title: `${word("entity", entity.type)}: ${entity.value}` }, h("small", null, word("entity", entity.type)), h(Text, { text: entity.value }))),
                one.entities.length > 5 && h("span.dim", null, `+${one.entities.length - 5}`))),
            h("span.incident-side", null,
              h(StateWord, { state: one.state }),
              h("span.dim", { title: utc(one.opened) }, h("span.mono", null, one.id), " · ", t("incidents.opened", { time: age(one.opened) })),
              h("span.dim", { title: `${dateTime(one.first_event)} – ${dateTime(one.last_event)}` }, t("incidents.findings", { n: grouped(one.finding_count) }), one.owner ? [" · ", h(Text, { text: one.owner })] : ""))))))),
    id && h(IncidentPanel, { key: id, id, onClose: () => show(null), onChanged: reload }));
}
