/* What the person who looks chooses: for each variable a value of its field, the most frequent ones first, or any. */
import { h } from "./h.ts";
import { fieldName } from "./spl_edit.ts";
import { useSearchRows } from "./search_rows.ts";
import type { Range } from "./time_picker.ts";
import { valueText } from "./visible.ts";
import type { Dashboard, Variable } from "../api.ts";
import { both, t } from "../i18n/text.ts";

const CHOICES_MAX = 100;

export function BoardVariables(props: { board: Dashboard; values: Record<string, string>; range: Range; onPick: (name: string, value: string) => void }) {
  return h("span.board-variables", null, props.board.variables.map((one) => h(Choice, { key: one.name, variable: one, value: props.values[one.name] ?? "*", range: props.range, onPick: (value: string) => props.onPick(one.name, value) })));
}

function Choice(props: { variable: Variable; value: string; range: Range; onPick: (value: string) => void }) {
  const { variable, value } = props;
  const field = fieldName(variable.field);
  const found = useSearchRows(`${field}=* | top limit=${CHOICES_MAX} ${field}`, props.range, 0, CHOICES_MAX);
  const at = found.columns.indexOf(variable.field);
  const choices = [...new Set([value, ...found.rows.map((row) => valueText(row[at]))])].filter((one) => one && one !== "*");
  return h("label.variable", null, h("span", null, both(variable.title) || variable.name),
    h("select", { name: variable.name, value, onChange: (e: Event) => props.onPick((e.target as HTMLSelectElement).value) },
      h("option", { value: "*" }, t("board.any")), choices.map((one) => h("option", { key: one, value: one }, one))));
}
