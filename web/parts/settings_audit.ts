/* What was done by whom, the newest first. Each row's hash covers the one before, so that none can be taken out unseen (docs/format/audit.md). */
import { useEffect, useState } from "preact/hooks";
import { h } from "./h.ts";
import { useAct } from "./act.ts";
import { Text } from "./visible.ts";
import { fact } from "./brake_decisions.ts";
import { useCursor } from "./tabs.ts";
import { heads, read, text } from "./settings_fields.ts";
import { dateTime, utc } from "./format.ts";
import { api } from "../api.ts";
import type { AuditRow } from "../api.ts";
import { useStore } from "../state.ts";
import { t, word } from "../i18n/text.ts";

const PAGE = 100;

function readFilter(form: HTMLFormElement): Record<string, string> {
  const filter: Record<string, string> = {};
  for (const name of ["actor", "action"]) if (read(form, name)) filter[name] = read(form, name);
  for (const name of ["from", "to"]) {
    const time = Date.parse(read(form, name));
    if (!Number.isNaN(time)) filter[name] = new Date(time).toISOString();
  }
  return filter;
}

export function Audit() {
  useStore((s) => s.language);
  const [rows, setRows] = useState<AuditRow[] | null>(null);
  const [filter, setFilter] = useState<Record<string, string>>({});
  const [more, setMore] = useState(false);
  const [open, setOpen] = useState<string | null>(null);
  const { busy, run } = useAct();
  const load = (wanted: Record<string, string>, before: AuditRow[]) => run(async () => {
    const last = before[before.length - 1];
    const answer = await api.audit({ ...wanted, limit: String(PAGE), ...(last ? { before: String(last.id) } : {}) });
    setRows([...before, ...answer.rows]);
    setMore(answer.rows.length === PAGE);
    setFilter(wanted);
  });
  useEffect(() => { void load({}, []); }, []);
  const toggle = (id: string) => setOpen((now) => (now === id ? null : id));
  const cursor = useCursor("audit", (rows ?? []).map((row) => String(row.id)), toggle, () => setOpen(null));
  const submit = (event: Event) => { event.preventDefault(); void load(readFilter(event.target as HTMLFormElement), []); };
  return h("section.audit", null,
    h("p.dim.about", null, t("settings.about_audit")),
    h("form.row-form", { onSubmit: submit, onReset: () => void load({}, []) },
      text(t("audit.actor"), "actor"), text(t("col.action"), "action", { placeholder: "gate", title: t("audit.action_about") }),
      text(t("wake.from"), "from", { type: "datetime-local" }), text(t("wake.to"), "to", { type: "datetime-local" }),
      h("button.primary", { type: "submit", disabled: busy }, t("audit.look")), h("button.quiet", { type: "reset" }, t("audit.all"))),
    rows === null ? null : rows.length === 0 ? h("p.dim", null, t("audit.none"))
      : h("div.scroll-x", null, h("table.grid.audit-table", null,
        heads([t("col.time"), t("audit.actor"), t("col.action"), t("audit.object"), t("audit.result")]),
        h("tbody", null, rows.map((row) => drawRow({ row, open: open === String(row.id), cursor: cursor === String(row.id), toggle }))))),
    rows !== null && more && h("button.older", { disabled: busy, onClick: () => void load(filter, rows) }, t("audit.older")));
}

function drawRow(props: { row: AuditRow; open: boolean; cursor: boolean; toggle: (id: string) => void }) {
  const { row } = props, id = String(row.id), fine = row.result === "ok";
  return [
    h("tr", { key: id, id: "audit-" + id, class: props.cursor ? "selected" : "", onClick: () => props.toggle(id) },
      h("td.when", null, h("button.twist", { "aria-expanded": props.open, "aria-label": t("audit.open", { id }), onClick: (e: Event) => { e.stopPropagation(); props.toggle(id); } }, props.open ? "▾" : "▸"),
        h("time", { title: utc(row.time) }, dateTime(row.time))),
      h("td", null, row.actor ? h(Text, { text: row.actor }) : "–"),
      h("td.mono", null, h(Text, { text: row.action })),
      h("td.clip.wide", null, h(Text, { text: [row.object, row.detail].filter((part) => part).join(" · ") })),
      h("td", null, fine ? h("span.good", null, "✓ ", t("audit.ok")) : h("b.bad", null, "✕ ", t("audit.refused")))),
    props.open && h("tr.detail", { key: id + "+" }, h("td", { colSpan: 5 }, h("dl.facts", null,
      fact(t("audit.object"), row.object), fact(t("audit.detail"), row.detail), fact(t("audit.result"), fine ? t("audit.ok") : row.result),
      fact(t("audit.via"), word("audit_via", row.via), { mono: false }), fact(t("audit.peer"), row.peer), fact(t("audit.number"), id), fact(t("audit.hash"), row.hash)))),
  ];
}
