/* Bars beside their names, longest first as the search gave them; a click goes on with the value. */
import { h } from "../parts/h.ts";
import { grouped } from "../parts/format.ts";
import { valueText, visible } from "../parts/visible.ts";
import { label, labelColumn, numberOf, valueColumns } from "./columns.ts";
import type { PanelProps } from "../panels.ts";
import { t } from "../i18n/text.ts";

const BARS_MAX = 50;

export function BarPanel(props: PanelProps) {
  const { columns, rows, unit, onPick } = props;
  const name = labelColumn(columns, rows);
  const series = valueColumns(columns, rows).slice(0, 4);
  const shown = rows.slice(0, BARS_MAX);
  const most = Math.max(1e-12, ...shown.flatMap((row) => series.map((i) => Math.abs(numberOf(row[i]) ?? 0))));
  return h("div.bar-panel", { tabIndex: 0 },
    series.length > 1 && h("ul.legend", null, series.map((column, i) => h("li", { key: column }, h("i", { style: { borderColor: `var(--series-${i + 1})` } }), h("bdi", null, visible(columns[column]!))))),
    h("dl.bars", null, shown.map((row, r) => [
      h("dt", { key: r, title: label(row[name]) }, onPick
        ? h("button.value-link", { onClick: () => onPick(columns[name]!, valueText(row[name])) }, h("bdi", null, visible(label(row[name])))) : h("bdi", null, visible(label(row[name])))),
      h("dd", { key: "d" + r }, series.map((column, i) => h("span.bar-line", { key: column },
        h("i", { "aria-hidden": true, style: { "--share": Math.abs(numberOf(row[column]) ?? 0) / most, background: `var(--series-${i + 1})` } }),
        h("b", null, grouped(valueText(row[column])), unit && ` ${unit}`)))),
    ])),
    props.total > shown.length && h("p.dim", null, t("chart.first_rows", { n: shown.length })));
}
