/* A result table of any length. Columns are as wide as what the first rows need; clicking a value opens its menu. */
import { useState } from "preact/hooks";
import { h } from "./h.ts";
import { VirtualList } from "./virtual_list.ts";
import { useListKeys } from "./keys.ts";
import { dateTime, utc } from "./format.ts";
import { showValue, valueText, visible } from "./visible.ts";
import { ValueMenu } from "./value_menu.ts";
import type { QueryActions } from "./value_menu.ts";
import type { SearchJob } from "./search_job.ts";
import { useStore } from "../state.ts";
import { t } from "../i18n/text.ts";
import type { Scalar, Value } from "../api.ts";

const ROW_HEIGHT = 28;

/* East Asian characters take two cells of a monospaced line. */
function cells(text: string): number {
  let n = 0;
  for (const character of text) n += character.codePointAt(0)! >= 0x2e80 ? 2 : 1;
  return n;
}

function isNumeric(job: SearchJob, column: number, rows: number): boolean {
  let seen = false;
  for (let i = 0; i < rows; i++) {
    const value = job.row(i)?.row[column];
    if (value === null || value === undefined) continue;
    if (Array.isArray(value) || !/^-?\d+(\.\d+)?$/.test(valueText(value))) return false;
    seen = true;
  }
  return seen;
}

export function TableView(props: { job: SearchJob; columns: string[]; total: number; actions: QueryActions }) {
  const { job, columns, total, actions } = props;
  const [selected, setSelected] = useState(-1);
  const [scrollTo, setScrollTo] = useState<{ index: number } | null>(null);
  useStore((s) => s.language);
  useListKeys({
    move: (by) => { const next = Math.max(0, Math.min(total - 1, selected + by)); setSelected(next); setScrollTo({ index: next }); },
    open: () => {}, close: () => setSelected(-1),
  }, { within: ".result-table" });
  const sample = Math.min(total, 50);
  const numeric = columns.map((name, i) => name !== "_time" && isNumeric(job, i, sample));
  const widths = columns.map((name, i) => {
    let most = cells(name) + 2;
    for (let r = 0; r < sample; r++) most = Math.max(most, name === "_time" ? 20 : cells(valueText(job.row(r)?.row[i])));
    return Math.min(64, Math.max(6, most)) + 4;
  });
  // The last column takes what is left; a wide table scrolls sideways.
  const template = widths.map((w, i) => (i === widths.length - 1 ? `minmax(${w}ch, 1fr)` : `${w}ch`)).join(" ");
  const layout = { gridTemplateColumns: template, minWidth: `${widths.reduce((a, b) => a + b, 0) + 6}ch` };

  const cell = (name: string, i: number, value: Value | undefined) =>
    h("span.cell", { key: i, class: numeric[i] ? "numeric" : "", role: "cell", title: name === "_time" ? utc(valueText(value)) : valueText(value) },
      name === "_time" ? dateTime(valueText(value))
        : value === null || value === undefined || Array.isArray(value) ? showValue(value)
        : h(ValueMenu, { field: name, value: value as Scalar, actions, label: valueText(value) === "" ? "“”" : showValue(value) }));

  return h(VirtualList, {
    total, rowHeight: ROW_HEIGHT, class: "result-table", label: t("table.label"), scrollTo, resetKey: job,
    header: h("div.table-head", { style: layout, role: "row" },
      columns.map((name, i) => h("span.cell", { key: i, class: numeric[i] ? "numeric" : "", role: "columnheader", title: name }, h("bdi", null, visible(name))))),
    row: (index) => {
      const found = job.row(index);
      return h("div.table-row", { style: layout, class: index === selected ? "selected" : "" },
        found ? columns.map((name, i) => cell(name, i, found.row[i])) : h("span.cell.dim", null, "…"));
    },
    onRange: (first, last) => job.need(first, last),
  });
}
