/* Events found, one line each, newest first; opening one shows all its fields and the raw text. */
import { useEffect, useState } from "preact/hooks";
import { h } from "./h.ts";
import { VirtualList } from "./virtual_list.ts";
import { useListKeys } from "./keys.ts";
import { dateTime, utc } from "./format.ts";
import { scalarText, showValue, valueText, visible } from "./visible.ts";
import { ValueMenu, copy } from "./value_menu.ts";
import type { QueryActions } from "./value_menu.ts";
import type { SearchJob } from "./search_job.ts";
import { useStore } from "../state.ts";
import { t } from "../i18n/text.ts";
import type { Scalar, Value } from "../api.ts";

const ROW_HEIGHT = 27;
const LINE_MAX = 600; // characters of the raw text in a closed row; more cannot be seen anyway

export function EventList(props: { job: Pick<SearchJob, "row" | "need">; total: number; actions: QueryActions }) {
  const { job, total, actions } = props;
  const [expanded, setExpanded] = useState<ReadonlySet<number>>(new Set());
  const [selected, setSelected] = useState(-1);
  const [scrollTo, setScrollTo] = useState<{ index: number } | null>(null);
  useStore((s) => s.language);
  useEffect(() => { setExpanded(new Set()); setSelected(-1); }, [job]);

  const toggle = (index: number) => {
    const next = new Set(expanded);
    if (!next.delete(index)) next.add(index);
    setExpanded(next);
    setSelected(index);
  };
  useListKeys({
    move: (by) => {
      const next = Math.max(0, Math.min(total - 1, selected + by));
      setSelected(next);
      setScrollTo({ index: next });
    },
    open: () => { if (selected >= 0) toggle(selected); },
    close: () => setExpanded(new Set()),
  }, { within: ".events" });

  const row = (index: number) => {
    const found = job.row(index);
    if (!found) return h("div.event.waiting", null, h("span.dim", null, "…"));
    const get = (name: string) => found.row[found.columns.indexOf(name)];
    const raw = valueText(get("_raw")).slice(0, LINE_MAX);
    const from = valueText(get("event.dataset")) || valueText(get("host.name")) || valueText(get("host"));
    return h("div.event", {
      class: (index === selected ? "selected " : "") + (expanded.has(index) ? "open" : ""),
      onClick: () => { if (!getSelection()?.toString()) toggle(index); },
    },
      h("span.event-twist", { role: "cell" }, h("button.twist", { "aria-expanded": expanded.has(index), "aria-label": t("event.open"), tabIndex: -1, onClick: (e: Event) => { e.stopPropagation(); toggle(index); } }, expanded.has(index) ? "▾" : "▸")),
      h("time", { title: utc(valueText(get("_time"))), role: "cell" }, dateTime(valueText(get("_time")), true)),
      h("span.event-from", { role: "cell", title: from }, h("bdi", null, visible(from))),
      h("span.event-raw", { role: "cell" }, h("bdi", null, visible(raw))));
  };
  return h(VirtualList, {
    total, rowHeight: ROW_HEIGHT, class: "events", label: t("events.label"), row, expanded, scrollTo, resetKey: job,
    detail: (index) => {
      const found = job.row(index);
      return found ? h(EventDetail, { columns: found.columns, row: found.row, actions }) : null;
    },
    onRange: (first, last) => job.need(first, last),
  });
}

function EventDetail(props: { columns: string[]; row: Value[]; actions: QueryActions }) {
  const { columns, row, actions } = props;
  const raw = valueText(row[columns.indexOf("_raw")]);
  const present = columns.map((name, i) => ({ name, value: row[i] as Value })).filter((one) => one.name !== "_raw" && one.value !== null && one.value !== undefined);
  const asObject = () => JSON.stringify(Object.fromEntries(columns.map((name, i) => [name, row[i]]).filter(([, value]) => value !== null)), null, 2);
  return h("div.event-detail", null,
    h("div.raw-block", null,
      h("div.raw-head", null, h("h3", null, t("event.raw")),
        h("button.small", { onClick: () => void copy(raw) }, t("event.copy_raw")),
        h("button.small", { onClick: () => void copy(asObject()) }, t("event.copy_json"))),
      h("pre.raw", null, h("bdi", null, visible(raw, true)))),
    h("table.field-table", null,
      h("caption.hidden-text", null, t("event.fields")),
      h("tbody", null, present.map(({ name, value }) =>
        (Array.isArray(value) ? value : [value]).map((one: Scalar, i) =>
          h("tr", { key: name + i },
            h("th", { scope: "row" }, i === 0 ? h("bdi", null, visible(name)) : ""),
            h("td.cell-menu", null, h(ValueMenu, { field: name, value: one, actions })),
            h("td.cell-value", { title: name === "_time" ? utc(scalarText(one)) : undefined }, showValue(one))))))));
}
