/* Fields of the events found: how many events have each, its top values, and what to do with it. */
import { useState } from "preact/hooks";
import { h } from "./h.ts";
import { grouped, short } from "./format.ts";
import { showValue, valueText, visible } from "./visible.ts";
import { ValueMenu } from "./value_menu.ts";
import type { QueryActions } from "./value_menu.ts";
import { countBy, having, timechartBy } from "./spl_edit.ts";
import { t } from "../i18n/text.ts";
import type { FieldSummary, Scalar } from "../api.ts";

/* Fields an analyst looks at first stand on top; the rest in order of how many events have them. */
const FIRST = ["event.dataset", "event.action", "event.outcome", "host.name", "user.name", "source.ip", "exchange.asset", "wallet.address"];

function order(fields: FieldSummary[]): FieldSummary[] {
  const place = (name: string) => (FIRST.includes(name) ? FIRST.indexOf(name) : FIRST.length);
  return [...fields].sort((a, b) => place(a.name) - place(b.name) || b.count - a.count || (a.name < b.name ? -1 : 1));
}

export function FieldList(props: { fields: FieldSummary[]; matched: number; actions: QueryActions }) {
  const [filter, setFilter] = useState("");
  const [open, setOpen] = useState<string | null>(null);
  const wanted = filter.trim().toLowerCase();
  const fields = order(props.fields.filter((field) => field.name.toLowerCase().includes(wanted)));
  return h("aside.field-list", { "aria-label": t("fields.title") },
    h("div.field-head", null,
      h("h2", null, t("fields.title"), " ", h("span.count", null, props.fields.length)),
      h("input", { type: "search", placeholder: t("fields.filter"), "aria-label": t("fields.filter"), value: filter, onInput: (e: Event) => setFilter((e.target as HTMLInputElement).value) })),
    h("ul.fields", null, fields.map((field) =>
      h("li", { key: field.name },
        h("button.field-name", { "aria-expanded": open === field.name, onClick: () => setOpen(open === field.name ? null : field.name) },
          h("bdi", null, visible(field.name)), h("span.count", { title: t("fields.distinct", { n: grouped(field.distinct) }) }, short(field.count))),
        open === field.name && h(FieldPanel, { field, matched: props.matched, actions: props.actions })))),
    fields.length === 0 && h("p.dim.pad", null, t("fields.none")));
}

function FieldPanel(props: { field: FieldSummary; matched: number; actions: QueryActions }) {
  const { field, actions } = props;
  const most = Math.max(1, ...field.top.map(([, count]) => count));
  return h("div.field-panel", null,
    h("p.dim", null, t("fields.summary", { n: grouped(field.count), distinct: grouped(field.distinct) })),
    h("ul.top-values", null, field.top.map(([value, count], i) =>
      h("li", { key: i },
        Array.isArray(value) ? h("span.value-link", null, showValue(value))
          : h(ValueMenu, { field: field.name, value: value as Scalar, actions, label: valueText(value) === "" ? "“”" : showValue(value) }),
        h("span.count", null, grouped(count)),
        h("i.bar", { "aria-hidden": true, style: { width: `${(100 * count) / most}%` } })))),
    h("div.field-actions", null,
      h("button.small", { onClick: () => actions.run(countBy(actions.query, field.name)) }, t("fields.show_by")),
      h("button.small", { onClick: () => actions.run(timechartBy(actions.query, field.name)) }, t("fields.over_time")),
      h("button.small", { onClick: () => actions.run(having(actions.query, field.name)) }, t("fields.has"))));
}
