/* Rows as a table; lists of numbers in a cell are drawn as a tiny course. */
import { h } from "../parts/h.ts";
import { Spark } from "../parts/spark.ts";
import { dateTime, grouped, utc } from "../parts/format.ts";
import { showValue, valueText, visible } from "../parts/visible.ts";
import { numberOf, numericColumns } from "./columns.ts";
import type { PanelProps } from "../panels.ts";
import { t } from "../i18n/text.ts";
import type { Value } from "../api.ts";

const ROWS_MAX = 200;

function isCourse(value: Value | undefined): value is Value[] & (string | number)[] {
  return Array.isArray(value) && value.length > 2 && value.every((one) => numberOf(one) !== null);
}

export function RowsPanel(props: PanelProps) {
  const { columns, rows, onPick } = props;
  const numeric = new Set(numericColumns(columns, rows));
  const shown = rows.slice(0, ROWS_MAX);
  const cell = (name: string, i: number, value: Value | undefined) => {
    if (name === "_time") return h("time", { title: utc(valueText(value)) }, dateTime(valueText(value)));
    if (isCourse(value)) return h(Spark, { values: value.map((one) => numberOf(one)), label: t("panel.course", { n: value.length }) });
    if (numeric.has(i)) return grouped(valueText(value));
    if (onPick && value !== null && value !== undefined && !Array.isArray(value)) return h("button.value-link", { onClick: () => onPick(name, valueText(value)) }, showValue(value));
    return showValue(value);
  };
  return h("div.rows-panel", { tabIndex: 0 },
    h("table.grid", null,
      h("thead", null, h("tr", null, columns.map((name, i) => h("th", { key: i, scope: "col", class: numeric.has(i) ? "numeric" : "" }, h("bdi", null, visible(name)))))),
      h("tbody", null, shown.map((row, r) => h("tr", { key: r }, columns.map((name, i) => h("td", { key: i, class: numeric.has(i) ? "numeric" : "" }, cell(name, i, row[i]))))))),
    props.total > shown.length && h("p.dim.pad", null, t("chart.first_rows", { n: shown.length })));
}
