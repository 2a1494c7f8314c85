/* Drills: how long the path from an event to a person's answer took, night by night and person by person. */
import { h } from "./h.ts";
import { usePoll } from "./poll.ts";
import { Failed } from "./act.ts";
import { Text } from "./visible.ts";
import { dayTime, duration, grouped, utc } from "./format.ts";
import { api } from "../api.ts";
import type { Drill } from "../api.ts";
import { both, t, word } from "../i18n/text.ts";
import { useStore } from "../state.ts";

const EVERY_MS = 30_000;
const NIGHTS = 14;
const OUTCOME: Record<string, [icon: string, tone: string]> = { answered: ["✓", "good"], missed: ["✕", "bad"], not_held: ["▲", "warn"], running: ["☏", ""] };

export function DrillOutcome(props: { drill: Drill }) {
  const name = props.drill.outcome ?? "running";
  const [icon, tone] = OUTCOME[name] ?? ["○", ""];
  return h("span.state", { class: tone }, h("i", { "aria-hidden": true }, icon), " ", word("drill", name));
}

export function DrillList() {
  useStore((s) => s.language);
  const { data, error } = usePoll(() => api.drills(NIGHTS), EVERY_MS, []);
  return h("section.drills", null,
    h("h2", null, t("wake.drills")),
    h(Failed, { error }),
    data && data.drills.length === 0 && h("p.dim", null, t("wake.no_drills")),
    data && data.drills.length > 0 && h("div.side-by-side", null,
      h("div.scroll-x", null, h("table.grid", null,
        h("thead", null, h("tr", null, [t("wake.night"), t("wake.outcome"), t("wake.person"), t("wake.answer_time"), t("wake.detail")].map((name, i) => h("th", { key: name, scope: "col", class: i === 3 ? "numeric" : "" }, name)))),
        h("tbody", null, data.drills.map((drill) => h("tr", { key: drill.day },
          h("th", { scope: "row", title: utc(drill.started) }, drill.started ? dayTime(drill.started) : drill.day),
          h("td", null, h(DrillOutcome, { drill })), h("td", null, drill.person ? h(Text, { text: drill.person }) : "–"),
          h("td.numeric", null, drill.outcome === "answered" ? duration(drill.answer_ms) : "–"),
          h("td", null, h(Text, { text: both({ en: drill.detail_en ?? "", ja: drill.detail_ja ?? "" }) }))))))),
      data.people.length > 0 && h("div.scroll-x", null, h("table.grid", null,
        h("thead", null, h("tr", null, [t("wake.person"), t("wake.answers"), t("wake.fastest"), t("wake.mean"), t("wake.slowest")].map((name, i) => h("th", { key: name, scope: "col", class: i > 0 ? "numeric" : "" }, name)))),
        h("tbody", null, data.people.map((one) => h("tr", { key: one.person },
          h("th", { scope: "row" }, h(Text, { text: one.person })), h("td.numeric", null, grouped(one.answered)),
          [one.fastest_ms, one.mean_ms, one.slowest_ms].map((ms, i) => h("td.numeric", { key: i }, duration(ms))))))))));
}
