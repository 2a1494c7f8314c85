/* Fields of the forms in Settings, and a tab that somebody's role does not open. */
import { h } from "./h.ts";
import { t, word } from "../i18n/text.ts";

export function text(label: string, name: string, extra: Record<string, unknown> = {}) {
  return h("label.field", null, h("span", null, label), h("input", { name, autocomplete: "off", spellcheck: false, ...extra }));
}

export function choice(label: string, name: string, options: string[], prefix: string, more: { first?: string; onChange?: (value: string) => void } = {}) {
  return h("label.field", null, h("span", null, label),
    h("select", { name, onChange: (e: Event) => more.onChange?.((e.target as HTMLSelectElement).value) }, options.map((one) => h("option", { key: one, value: one, selected: one === more.first }, word(prefix, one)))));
}

export const read = (form: HTMLFormElement, name: string) => String(new FormData(form).get(name) ?? "").trim();

export const heads = (names: string[]) => h("thead", null, h("tr", null, names.map((name, i) => h("th", { key: i, scope: "col" }, name))));

/* Why nothing is shown here, and who can see it. */
export function NotYours(props: { about: string; roles: string[] }) {
  return h("div.empty.not-yours", { role: "status" }, h("h3", null, "– ", t("settings.not_yours", { roles: props.roles.map((role) => word("role", role)).join(" / ") })), h("p", null, props.about));
}
