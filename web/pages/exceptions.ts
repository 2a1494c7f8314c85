/* What is kept quiet: in force and over, how much it hid, and ending it. */
import { useState } from "preact/hooks";
import { h } from "../parts/h.ts";
import { usePoll } from "../parts/poll.ts";
import { Failed, SureButton, needs, useAct } from "../parts/act.ts";
import { ExceptionForm } from "../parts/exception_form.ts";
import { RuleName } from "../parts/rule_name.ts";
import { Text } from "../parts/visible.ts";
import { age, dateTime, grouped, utc } from "../parts/format.ts";
import { api } from "../api.ts";
import type { Exception } from "../api.ts";
import { navigate, useStore } from "../state.ts";
import { t, word } from "../i18n/text.ts";

const EVERY_MS = 10_000;

export function ExceptionsPage() {
  useStore((s) => s.language);
  const rule = useStore((s) => s.route.params).get("rule");
  const [all, setAll] = useState(false);
  const { data, error, reload } = usePoll(() => api.exceptions(all), EVERY_MS, [all]);
  const { busy, run } = useAct();
  const end = async (id: number) => { if (await run(() => api.endException(id), t("exception.ended"))) reload(); };
  const list = data?.exceptions ?? [];
  return h("main.page.exceptions", null,
    h("div.page-head", null, h("h1", null, t("nav.exceptions")),
      h("div.segmented", { role: "group", "aria-label": t("exception.which") },
        h("button", { "aria-pressed": !all, onClick: () => setAll(false) }, t("exception.active")), h("button", { "aria-pressed": all, onClick: () => setAll(true) }, t("exception.all"))),
      h("span.spring", null),
      rule === null && h("button", { ...needs("responder"), onClick: () => navigate("exceptions", { rule: " " }) }, t("exception.new"))),
    rule !== null && h("section", null, h(ExceptionForm, { key: rule, rule: rule.trim(), entities: [], cancel: () => navigate("exceptions"), onMade: () => { navigate("exceptions"); reload(); } })),
    h(Failed, { error }),
    data && list.length === 0 && h("p.dim", null, t("exception.none")),
    list.length > 0 && h("div.scroll-x", null, h("table.grid", null,
      h("thead", null, h("tr", null, [t("col.state"), t("exception.kind"), t("exception.what"), t("wake.reason"), t("exception.owner"), t("exception.hidden"), t("exception.expires"), ""].map((name, i) => h("th", { key: i, scope: "col", class: i === 5 ? "numeric" : "" }, name)))),
      h("tbody", null, list.map((one) => h("tr", { key: one.id },
        h("td", null, state(one)), h("td", null, word("exception_kind", one.kind)), h("th", { scope: "row" }, what(one)), h("td", null, h(Text, { text: one.reason })), h("td", null, h(Text, { text: one.owner })),
        h("td.numeric", { title: one.last ? age(one.last) : undefined }, grouped(one.count)), h("td", { title: utc(one.expires) }, dateTime(one.ended ?? one.expires)),
        h("td.row-actions", null, one.in_force && h(SureButton, { label: t("wake.end"), sure: t("exception.end_sure"), ...needs("responder", busy), onSure: () => void end(one.id) }))))))));
}

function state(one: Exception) {
  return one.in_force ? h("span.state.good", null, h("i", { "aria-hidden": true }, "●"), " ", t("wake.in_force"))
    : h("span.state.closed", null, h("i", { "aria-hidden": true }, "○"), " ", one.ended ? t("exception.was_ended", { who: one.ended_by ?? "" }) : t("exception.over"));
}

function what(one: Exception) {
  return h("span", null, one.rule && h(RuleName, { rule: one.rule }),
    one.entities.map((entity, i) => h("span.tag", { key: i }, word("entity", entity.type), " ", h(Text, { text: entity.value }))),
    one.fields.map((field, i) => h("span.tag", { key: "f" + i }, h(Text, { text: field.name }), "=", h(Text, { text: field.value }))));
}
