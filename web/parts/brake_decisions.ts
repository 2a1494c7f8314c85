/* What the gate decided, the newest first, and why. */
import { h } from "./h.ts";
import { Text } from "./visible.ts";
import { DecisionWord } from "./badges.ts";
import { dateTime, grouped, utc } from "./format.ts";
import type { Decision } from "../api.ts";
import { getState, hashFor } from "../state.ts";
import { t, word } from "../i18n/text.ts";

export function reasonsOf(one: { reasons?: { en: string[]; ja: string[] } }): string[] {
  return one.reasons?.[getState().language] ?? one.reasons?.en ?? [];
}

export function fact(name: string, value: string | null | undefined, more?: { mono?: boolean; title?: string }) {
  return h("div", { key: name }, h("dt", null, name), h("dd", { class: more?.mono === false ? "" : "mono", title: more?.title }, value ? h(Text, { text: value }) : "–"));
}

export interface Opened { cursor: string | null; open: string | null; toggle: (id: string) => void }

const HEADS = ["col.time", "col.decision", "col.action", "col.amount", "col.account", "col.destination", "col.row", "col.reason"] as const;

export function Decisions(props: Opened & { decisions: Decision[] }) {
  const { decisions, cursor, open, toggle } = props;
  if (decisions.length === 0) return h("div.empty", null, h("h3", null, t("brake.no_decisions")), h("p", null, t("brake.no_decisions_next")));
  return h("div.scroll-x", null, h("table.grid.decisions", null,
    h("thead", null, h("tr", null, HEADS.map((key) => h("th", { key, scope: "col", class: key === "col.amount" ? "numeric" : "" }, t(key))))),
    h("tbody", null, decisions.map((one) => {
      const id = "d-" + one.id, shown = open === id;
      return [
        h("tr", { key: id, id: "brake-" + id, class: id === cursor ? "selected" : "", onClick: () => toggle(id) },
          h("td", null, h("button.twist", { "aria-expanded": shown, "aria-label": t("brake.why", { id: one.request_id }), onClick: (e: Event) => { e.stopPropagation(); toggle(id); } }, shown ? "▾" : "▸"),
            h("time", { title: utc(one.time) }, dateTime(one.time, true))),
          h("td", null, h(DecisionWord, { decision: one.decision }), one.shadow && h("span.tag", { title: t("brake.shadow_about") }, t("brake.shadow"))),
          h("td", null, h(Text, { text: word("action", one.action) })),
          h("td.numeric.money", null, grouped(one.amount), " ", h(Text, { text: one.asset })),
          h("td", null, h(Text, { text: one.account })),
          h("td.mono.clip", { title: one.destination }, h(Text, { text: one.destination })),
          h("td", null, h("span.tag", null, h(Text, { text: one.row }))),
          h("td.clip.wide", null, h(Text, { text: reasonsOf(one)[0] ?? "" }))),
        shown && h("tr.detail", { key: id + "+" }, h("td", { colSpan: HEADS.length }, h(Why, { decision: one }))),
      ];
    }))));
}

function Why(props: { decision: Decision }) {
  const { decision } = props;
  return h("div.why", null,
    h("p", null, t("brake.decided_by"), " ", h("span.tag", null, h(Text, { text: decision.row })), decision.shadow ? " " + t("brake.shadow_about") : ""),
    h("ul", null, reasonsOf(decision).map((reason, i) => h("li", { key: i }, h(Text, { text: reason })))),
    h("dl.facts", null,
      fact(t("col.request"), decision.request_id), fact(t("col.decision_id"), decision.id), fact(t("col.destination"), decision.destination)),
    h("p", null, h("a", { href: hashFor("brake", { tab: "policy", request: decision.request_id }) }, t("brake.each_row")),
      decision.incident && [" · ", h("a", { href: hashFor("incidents", { id: decision.incident }) }, t("brake.incident", { id: decision.incident }))]));
}
