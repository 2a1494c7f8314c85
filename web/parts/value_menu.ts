/* The menu behind every value: include, exclude, only this, everywhere, by its field, its page, copy. */
import { h } from "./h.ts";
import type { Child } from "./h.ts";
import { MenuItem, Popover } from "./menu.ts";
import { scalarText } from "./visible.ts";
import { entityKind, mentions } from "./entities.ts";
import { countBy, excluding, including, term } from "./spl_edit.ts";
import { navigate, notify } from "../state.ts";
import { t } from "../i18n/text.ts";
import type { Scalar } from "../api.ts";

export interface QueryActions { query: string; run: (query: string) => void }

export async function copy(text: string): Promise<void> {
  try {
    await navigator.clipboard.writeText(text);
    notify("ok", t("copy.done"));
  } catch {
    notify("bad", t("copy.failed"));
  }
}

export function ValueMenu(props: { field: string; value: Scalar; actions: QueryActions; label?: Child }) {
  const { field, value, actions } = props;
  const kind = entityKind(field);
  const pick = (close: () => void, query: string) => () => { close(); actions.run(query); };
  return h(Popover, {
    menu: true, class: props.label ? "value-link" : "value-menu", panelClass: "menu", title: t("value.menu", { field }),
    label: props.label ?? "⋯", icon: !props.label,
    children: (close: () => void) => [
      h(MenuItem, { onClick: pick(close, including(actions.query, field, value)) }, h("b", null, "＋"), t("value.include")),
      h(MenuItem, { onClick: pick(close, excluding(actions.query, field, value)) }, h("b", null, "−"), t("value.exclude")),
      h(MenuItem, { onClick: pick(close, term(field, value)) }, h("b", null, "＝"), t("value.only")),
      h(MenuItem, { onClick: pick(close, mentions(scalarText(value))) }, h("b", null, "⌕"), t("value.pivot")),
      h(MenuItem, { onClick: pick(close, countBy(actions.query, field)) }, h("b", null, "≡"), t("value.by")),
      kind && h(MenuItem, { onClick: () => { close(); navigate("entity", { type: kind, value: scalarText(value) }); } }, h("b", null, "◎"), t("value.entity")),
      h(MenuItem, { onClick: () => { close(); void copy(scalarText(value)); } }, h("b", null, "❐"), t("value.copy")),
    ],
  });
}
