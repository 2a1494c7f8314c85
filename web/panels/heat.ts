/* A row a label, a column a value: darker is more. The number stands in each cell, so that colour is not alone. */
import { h } from "../parts/h.ts";
import { dateTime, grouped, short } from "../parts/format.ts";
import { valueText, visible } from "../parts/visible.ts";
import { label, numberOf, numericColumns } from "./columns.ts";
import type { PanelProps } from "../panels.ts";
import { t } from "../i18n/text.ts";

const ROWS_MAX = 60;
const COLUMNS_MAX = 40;
const SHADES = 6;

export function HeatPanel(props: PanelProps) {
  const { columns, rows, onPick } = props;
  const numeric = numericColumns(columns, rows).filter((i) => i > 0).slice(0, COLUMNS_MAX);
  const shown = rows.slice(0, ROWS_MAX);
  const most = Math.max(1e-12, ...shown.flatMap((row) => numeric.map((i) => numberOf(row[i]) ?? 0)));
  const shade = (value: number | null) => (value === null || value <= 0 ? 0 : Math.max(1, Math.ceil((value / most) * SHADES)));
  const name = (text: string) => (columns[0] === "_time" ? dateTime(text) : text);
  return h("div.heat-panel", { tabIndex: 0 },
    h("table.heat", null,
      h("thead", null, h("tr", null, h("th", { scope: "col" }, h("bdi", null, visible(columns[0]!))), numeric.map((i) => h("th", { key: i, scope: "col" }, h("bdi", null, visible(columns[i]!)))))),
      h("tbody", null, shown.map((row, r) => h("tr", { key: r },
        h("th", { scope: "row" }, onPick && columns[0] !== "_time" ? h("button.value-link", { onClick: () => onPick(columns[0]!, valueText(row[0])) }, visible(name(label(row[0])))) : visible(name(label(row[0])))),
        numeric.map((i) => h("td", { key: i, class: `shade-${shade(numberOf(row[i]))}`, title: `${columns[i]}: ${grouped(valueText(row[i]))}` }, numberOf(row[i]) === null ? "" : short(numberOf(row[i])!))))))),
    (props.total > shown.length || columns.length - 1 > COLUMNS_MAX) && h("p.dim", null, t("chart.first_rows", { n: shown.length })));
}
