/* How often people were woken against what was agreed, which rules did it, and how many of those were false. */
import { h } from "./h.ts";
import { usePoll } from "./poll.ts";
import { Failed } from "./act.ts";
import { RuleName } from "./rule_name.ts";
import { Text } from "./visible.ts";
import { dayTime, grouped, utc } from "./format.ts";
import { api } from "../api.ts";
import type { Interruptions } from "../api.ts";
import { hashFor, useStore } from "../state.ts";
import { t } from "../i18n/text.ts";

const EVERY_MS = 60_000;
const DAYS = 28;

export function InterruptionList() {
  useStore((s) => s.language);
  const { data, error } = usePoll(() => api.interruptions(DAYS), EVERY_MS, []);
  return h("section.interruptions", null,
    h("h2", null, t("wake.interruptions"), " ", h("span.count", null, t("wake.last_days", { n: DAYS }))),
    h(Failed, { error }),
    data && data.people.length === 0 && h("p.dim", null, t("wake.no_people")),
    data && data.people.length > 0 && h("div.side-by-side", null, people(data), data.rules.length > 0 && rules(data)),
    data && data.people.length > 0 && data.rules.length === 0 && h("p.dim", null, t("wake.not_woken")));
}

/* A budget of 0 is no bound. */
function against(pages: number, budget: number) {
  const over = budget > 0 && pages > budget;
  return h("span.state", { class: over ? "bad" : "good" }, h("i", { "aria-hidden": true }, over ? "✕" : "✓"), " ",
    budget > 0 ? t(over ? "wake.over_budget" : "wake.in_budget", { n: pages, budget }) : grouped(pages));
}

function people(data: Interruptions) {
  return h("div.scroll-x", null, h("table.grid", null,
    h("thead", null, h("tr", null, [t("wake.person"), t("wake.tonight"), t("wake.this_week"), t("wake.all_pages"), t("wake.nights"), t("wake.most_by")].map((name) => h("th", { key: name, scope: "col" }, name)))),
    h("tbody", null, data.people.map((one) => h("tr", { key: one.person },
      h("th", { scope: "row" }, h(Text, { text: one.person })),
      h("td", null, against(one.pages_night, one.budget_night)), h("td", null, against(one.pages_week, one.budget_week)), h("td.numeric", null, grouped(one.pages)),
      h("td", null, h("ul.nights", null, data.nights.filter((night) => night.person === one.person).map((night) =>
        h("li", { key: night.night, title: utc(night.night), class: one.budget_night > 0 && night.pages > one.budget_night ? "bad" : "" },
          t(one.budget_night > 0 && night.pages > one.budget_night ? "wake.night_over" : "wake.night_pages", { time: dayTime(night.night).slice(0, -6), n: night.pages }))))),
      h("td", null, one.most_by_rule ? h(RuleName, { rule: one.most_by_rule }) : "–"))))));
}

function rules(data: Interruptions) {
  return h("div.scroll-x", null, h("table.grid", null,
    h("thead", null, h("tr", null, [t("col.rule"), t("wake.all_pages"), t("wake.false"), ""].map((name, i) => h("th", { key: i, scope: "col", class: i === 1 || i === 2 ? "numeric" : "" }, name)))),
    h("tbody", null, data.rules.map((one) => h("tr", { key: one.rule },
      h("th", { scope: "row" }, h(RuleName, { rule: one.rule })), h("td.numeric", null, grouped(one.pages)),
      h("td.numeric", { class: one.false > 0 ? "warn" : "" }, grouped(one.false)),
      h("td.row-actions", null, h("a.button.small", { href: hashFor("exceptions", { rule: one.rule }) }, t("wake.make_exception")), " ",
        h("a.button.small", { href: hashFor("rules", { id: one.rule }) }, t("wake.open_rule"))))))));
}
