/* One number, large; over time the last one, with its course and how it changed. */
import { h } from "../parts/h.ts";
import { Spark } from "../parts/spark.ts";
import { grouped } from "../parts/format.ts";
import { valueText, visible } from "../parts/visible.ts";
import { isTimed, numberOf, numericColumns } from "./columns.ts";
import type { PanelProps } from "../panels.ts";
import { t } from "../i18n/text.ts";

const SPARK_MAX = 40;

export function SinglePanel(props: PanelProps) {
  const { columns, rows, unit } = props;
  const column = numericColumns(columns, rows)[0];
  if (column === undefined || rows.length === 0) return h("p.dim.pad", null, t("panel.nothing"));
  const values = rows.map((row) => numberOf(row[column]));
  const timed = isTimed(columns) && rows.length > 1;
  const last = timed ? rows[rows.length - 1]! : rows[0]!;
  const before = timed ? values[values.length - 2] : null;
  const now = numberOf(last[column]);
  const change = before && now !== null ? (now - before) / Math.abs(before) : null;
  return h("div.single-panel", null,
    h("b.single-value", null, grouped(valueText(last[column])), unit && h("small", null, " ", unit)),
    columns[column] !== "value" && h("span.dim", null, h("bdi", null, visible(columns[column]!))),
    change !== null && h("span.single-change", null, change === 0 ? "→ 0 %" : `${change > 0 ? "↑" : "↓"} ${Math.abs(change * 100).toFixed(change > 0.1 ? 0 : 1)} %`),
    timed && h(Spark, { values: values.slice(-SPARK_MAX), label: t("panel.course", { n: values.length }) }));
}
