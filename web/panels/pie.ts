/* Parts of a whole: the largest, and the rest together. The shares stand beside it in words. */
import { h as svg } from "preact";
import { h } from "../parts/h.ts";
import { grouped } from "../parts/format.ts";
import { valueText, visible } from "../parts/visible.ts";
import { label, labelColumn, numberOf, valueColumns } from "./columns.ts";
import type { PanelProps } from "../panels.ts";
import { t } from "../i18n/text.ts";

const PARTS_MAX = 7; // and the rest
const OUTER = 48, INNER = 28;

function arc(from: number, to: number): string {
  const at = (angle: number, radius: number) => `${(50 + radius * Math.sin(angle)).toFixed(3)} ${(50 - radius * Math.cos(angle)).toFixed(3)}`;
  const end = Math.min(to, from + Math.PI * 2 - 0.0001), large = end - from > Math.PI ? 1 : 0;
  return `M${at(from, OUTER)} A${OUTER} ${OUTER} 0 ${large} 1 ${at(end, OUTER)} L${at(end, INNER)} A${INNER} ${INNER} 0 ${large} 0 ${at(from, INNER)} Z`;
}

export function PiePanel(props: PanelProps) {
  const { columns, rows, onPick } = props;
  const name = labelColumn(columns, rows), column = valueColumns(columns, rows)[0];
  if (column === undefined) return h("p.dim.pad", null, t("panel.nothing"));
  const all = rows.map((row) => ({ name: label(row[name]), exact: valueText(row[column]), value: Math.max(0, numberOf(row[column]) ?? 0), pick: valueText(row[name]) as string | null })).sort((a, b) => b.value - a.value);
  const rest = all.slice(PARTS_MAX).reduce((sum, part) => sum + part.value, 0);
  const parts = [...all.slice(0, PARTS_MAX), ...(rest > 0 ? [{ name: t("panel.rest", { n: all.length - PARTS_MAX }), exact: String(rest), value: rest, pick: null }] : [])];
  const sum = parts.reduce((total, part) => total + part.value, 0) || 1;
  let angle = 0;
  return h("div.pie-panel", { tabIndex: 0 },
    svg("svg", { viewBox: "0 0 100 100", "aria-hidden": true }, parts.map((part, i) => {
      const from = angle;
      angle += (part.value / sum) * Math.PI * 2;
      return part.value > 0 && svg("path", { key: i, d: arc(from, angle), class: `slice series-${i + 1}` });
    })),
    h("ul.legend.column", null, parts.map((part, i) => h("li", { key: i },
      h("i", { style: { borderColor: `var(--series-${i + 1})` } }),
      onPick && part.pick !== null ? h("button.value-link", { onClick: () => onPick(columns[name]!, part.pick!) }, h("bdi", null, visible(part.name))) : h("bdi", null, visible(part.name)),
      h("b", null, ` ${((100 * part.value) / sum).toFixed(1)} %`), h("span.dim", null, " ", grouped(part.exact))))));
}
