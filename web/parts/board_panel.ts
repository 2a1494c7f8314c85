/* One panel of a dashboard: its search, asked again when the clock or a choice changes, drawn as its kind says. */
import { h } from "./h.ts";
import { Severity } from "./badges.ts";
import { MoneyTable } from "./money_table.ts";
import { withValues } from "./board_text.ts";
import { baseSearch, term } from "./spl_edit.ts";
import { usePoll } from "./poll.ts";
import { useSearchRows } from "./search_rows.ts";
import type { Range } from "./time_picker.ts";
import { Text, visible } from "./visible.ts";
import { PANELS } from "../panels.ts";
import type { Mark, PanelKindName } from "../panels.ts";
import { api } from "../api.ts";
import type { Dashboard, PanelSpec } from "../api.ts";
import { hashFor, navigate } from "../state.ts";
import { both, t } from "../i18n/text.ts";

const ROWS_MAX = 2000;
const INCIDENTS_EVERY_MS = 5000;
const INCIDENTS_SHOWN = 20;

export interface Around { board: Pick<Dashboard, "saved">; range: Range; values: Record<string, string>; marks: Mark[]; count: number; onZoom?: (from: string, to: string) => void }

export const panelSearch = (panel: PanelSpec, around: Pick<Around, "board" | "values">): string => withValues((panel.saved ? around.board.saved[panel.saved] : panel.search) ?? "", around.values);

export function BoardPanel(props: Around & { panel: PanelSpec }) {
  const { panel } = props;
  const cells = { gridColumn: `${panel.x + 1} / span ${panel.w}`, gridRow: `${panel.y + 1} / span ${panel.h}` };
  const query = panelSearch(panel, props);
  const range = panel.range ?? props.range;
  return h("section.panel", { style: cells, "aria-label": both(panel.title) || panel.id },
    h("header.panel-title", null, h("h2", null, h(Text, { text: both(panel.title) })), panel.range && h("small.dim", null, `${panel.range.from} → ${panel.range.to}`),
      query && h("a.panel-open", { href: hashFor("search", { q: query, from: range.from, to: range.to }), title: t("panel.open"), "aria-label": t("panel.open") }, "↗")),
    h(PanelContent, props));
}

export function PanelContent(props: Around & { panel: PanelSpec }) {
  const { panel } = props;
  if (panel.kind === "text") return h("div.panel-text", null, both(panel.text).split("\n").map((line, i) => h("p", { key: i }, h(Text, { text: line }))));
  if (panel.kind === "incidents") return h(IncidentsContent, {});
  if (panel.kind === "money") return h(MoneyTable, {});
  return h(SearchContent, props);
}

function SearchContent(props: Around & { panel: PanelSpec }) {
  const { panel } = props;
  const query = panelSearch(panel, props);
  const range = panel.range ?? props.range;
  const found = useSearchRows(query, range, 0, ROWS_MAX, props.count);
  const kind = (panel.kind in PANELS ? panel.kind : "table") as PanelKindName;
  const drill = (field: string, value: string) => navigate("search", {
    q: panel.drill ? withValues(panel.drill, { ...props.values, value, field }) : `${baseSearch(query)} ${term(field, value)}`.trim(), from: range.from, to: range.to,
  });
  const problem = found.failure ?? (query ? null : t("panel.saved_gone", { name: panel.saved ?? "" }));
  return h("div.panel-content", { class: found.running ? "asking" : "", "aria-busy": found.running },
    problem && h("p.message.error", { role: "alert" }, h("b", null, "✕ "), visible(problem)),
    found.messages.filter((one) => one.level !== "info").slice(0, 2).map((one, i) => h("p.message", { key: i, class: one.level }, h("b", null, one.level === "error" ? "✕ " : "▲ "), visible(one.text))),
    !problem && !found.running && found.rows.length === 0 && h("p.dim.pad", null, t("panel.nothing")),
    found.rows.length > 0 && h(PANELS[kind].draw, {
      columns: found.columns, rows: found.rows, total: found.total, kind, stacked: panel.stacked, unit: panel.unit ?? "", marks: props.marks, onPick: drill, onZoom: panel.range ? undefined : props.onZoom,
    }));
}

function IncidentsContent() {
  const { data, error } = usePoll(() => api.incidents("open,acknowledged", INCIDENTS_SHOWN), INCIDENTS_EVERY_MS, []);
  if (error) return h("p.message.error", null, error);
  if (data?.incidents.length === 0) return h("p.dim.pad", null, t("home.calm"));
  return h("ul.panel-incidents", null, data?.incidents.map((one) => h("li", { key: one.id }, h(Severity, { level: one.severity }), " ", h("a", { href: hashFor("incidents", { id: one.id }) }, h("span.mono", null, one.id), " ", h(Text, { text: both(one.title) })))));
}
