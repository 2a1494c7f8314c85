/*
 * A panel by choosing: show THIS (how many events, sums, different values …) by THAT (time or a field), of which events, as what. The search that
 * comes of it stands below and may be written by hand instead. What it shows is drawn while one chooses.
 */
import { useEffect, useState } from "preact/hooks";
import { h } from "./h.ts";
import { PanelContent } from "./board_panel.ts";
import { SearchJob } from "./search_job.ts";
import { fieldName } from "./spl_edit.ts";
import type { Range } from "./time_picker.ts";
import { PANEL_KINDS } from "../panels.ts";
import type { PanelSpec } from "../api.ts";
import { getState } from "../state.ts";
import { both, t, word } from "../i18n/text.ts";

const MEASURES = ["count", "dc", "sum", "avg", "max", "p95"] as const;
type Measure = (typeof MEASURES)[number];
const TIME = "_time";
const PREVIEW_AFTER_MS = 400;
const LIMIT = 20;

interface Choice { measure: Measure; of: string; by: string; split: string; only: string }

export function searchOf(choice: Choice): string {
  const of = choice.measure === "count" ? "count" : `${choice.measure}(${fieldName(choice.of)})`;
  const only = choice.only.trim() || "*";
  const split = choice.split ? ` by ${fieldName(choice.split)}` : "";
  if (choice.by === TIME) return `${only} | timechart ${of}${split}`;
  if (!choice.by) return `${only} | stats ${of} as value`;
  if (choice.split) return `${only} | chart ${of} over ${fieldName(choice.by)}${split} | head ${LIMIT}`;
  return `${only} | stats ${of} as value by ${fieldName(choice.by)} | sort - value | head ${LIMIT}`;
}
const kindOf = (choice: Choice): string => (choice.by === TIME ? (choice.split ? "area" : "line") : choice.by ? (choice.split ? "heat" : "bar") : "single");

/* Field names of the events that are there, the most frequent first. */
function useFields(range: Range): string[] {
  const [names, setNames] = useState<string[]>([]);
  useEffect(() => {
    const job = new SearchJob("*", range.from, range.to, () => { const fields = job.latest?.fields; if (fields?.length) setNames([...fields].sort((a, b) => b.count - a.count).map((one) => one.name)); });
    void job.start();
    return () => job.stop();
  }, [range.from, range.to]);
  return names;
}

export function PanelForm(props: { panel: PanelSpec | null; range: Range; values: Record<string, string>; saved: Record<string, string | null>; onKeep: (panel: PanelSpec) => void; cancel: () => void }) {
  const { panel } = props;
  const fields = useFields(props.range);
  const [choice, setChoice] = useState<Choice>({ measure: "count", of: "", by: TIME, split: "", only: "" });
  const [byHand, setByHand] = useState(!!panel);
  const [search, setSearch] = useState(panel ? panel.search ?? (panel.saved ? props.saved[panel.saved] ?? "" : "") : searchOf(choice));
  const [kind, setKind] = useState(panel?.kind ?? kindOf(choice));
  const [title, setTitle] = useState(both(panel?.title));
  const [unit, setUnit] = useState(panel?.unit ?? "");
  const [stacked, setStacked] = useState(panel?.stacked ?? false);
  const [text, setText] = useState(both(panel?.text));
  const [shown, setShown] = useState(search);
  const [wrong, setWrong] = useState("");
  const searches = kind !== "text" && kind !== "incidents" && kind !== "money";
  useEffect(() => { const timer = setTimeout(() => setShown(search), PREVIEW_AFTER_MS); return () => clearTimeout(timer); }, [search]);
  const choose = (change: Partial<Choice>) => {
    const next = { ...choice, ...change };
    setChoice(next);
    if (next.measure !== "count" && !next.of) return;
    setSearch(searchOf(next));
    setKind(kindOf(next));
  };
  const language = getState().language;
  const made = (searchText: string): PanelSpec => ({
    id: panel?.id ?? "new", kind, title: title.trim() ? { en: panel?.title?.en ?? title.trim(), ja: panel?.title?.ja ?? title.trim(), [language]: title.trim() } : null,
    text: kind === "text" ? { en: panel?.text?.en ?? text, ja: panel?.text?.ja ?? text, [language]: text } : null, search: searches ? searchText : null, saved: null,
    unit: unit.trim() || null, drill: panel?.drill ?? null, range: panel?.range ?? null, stacked, x: panel?.x ?? 0, y: panel?.y ?? 0, w: panel?.w ?? (kind === "single" ? 3 : 6), h: panel?.h ?? (kind === "single" ? 2 : 4),
  });
  const submit = (event: Event) => {
    event.preventDefault();
    if (searches && !search.trim()) return setWrong(t("panel.need_search"));
    if (!byHand && choice.measure !== "count" && !choice.of) return setWrong(t("panel.need_field"));
    props.onKeep(made(search.trim()));
  };
  const pick = (label: string, name: string, value: string, options: [value: string, name: string][], set: (value: string) => void) =>
    h("label.field", null, h("span", null, label), h("select", { name, value, onChange: (e: Event) => set((e.target as HTMLSelectElement).value) }, options.map(([one, said]) => h("option", { key: one, value: one }, said))));
  const write = (label: string, name: string, value: string, set: (value: string) => void, list?: string) =>
    h("label.field", null, h("span", null, label), h("input", { name, value, list, autocomplete: "off", spellcheck: false, onInput: (e: Event) => set((e.target as HTMLInputElement).value) }));

  return h("form.panel-form", { onSubmit: submit, onKeyDown: (e: KeyboardEvent) => { if (e.key === "Escape") { e.preventDefault(); props.cancel(); } } },
    h("datalist", { id: "panel-fields" }, fields.map((name) => h("option", { key: name, value: name }))),
    h("div.panel-choices", null,
      !byHand && searches && h("div.show-by", null,
        pick(t("panel.show"), "measure", choice.measure, MEASURES.map((one) => [one, t(`measure.${one}`)]), (measure) => choose({ measure: measure as Measure })),
        choice.measure !== "count" && write(t("panel.of"), "of", choice.of, (of) => choose({ of }), "panel-fields"),
        h("label.field", null, h("span", null, t("panel.by")), h("select", { name: "by_kind", value: choice.by === TIME ? TIME : choice.by ? "field" : "", onChange: (e: Event) => { const value = (e.target as HTMLSelectElement).value; choose({ by: value === "field" ? fields[0] ?? "event.dataset" : value }); } },
          h("option", { value: TIME }, t("panel.by_time")), h("option", { value: "field" }, t("panel.by_field")), h("option", { value: "" }, t("panel.by_nothing")))),
        choice.by !== TIME && choice.by !== "" && write(t("panel.field"), "by", choice.by, (by) => choose({ by }), "panel-fields"),
        choice.by !== "" && write(t("panel.split"), "split", choice.split, (split) => choose({ split }), "panel-fields"),
        write(t("panel.only"), "only", choice.only, (only) => choose({ only }))),
      searches && h("label.field.wide", null, h("span", null, t("panel.search")), h("textarea.mono", { name: "search", rows: 2, spellcheck: false, value: search, onInput: (e: Event) => { setByHand(true); setSearch((e.target as HTMLTextAreaElement).value); } })),
      kind === "text" && h("label.field.wide", null, h("span", null, t("panel.text")), h("textarea", { name: "text", rows: 4, value: text, onInput: (e: Event) => setText((e.target as HTMLTextAreaElement).value) })),
      h("div.show-by", null,
        pick(t("panel.kind"), "kind", kind, [...PANEL_KINDS, "text", "incidents", "money"].map((one) => [one, word("panel_kind", one)]), setKind),
        write(t("panel.title"), "title", title, setTitle), searches && write(t("panel.unit"), "unit", unit, setUnit),
        (kind === "column" || kind === "line") && h("label.check", null, h("input", { type: "checkbox", checked: stacked, onChange: () => setStacked(!stacked) }), " ", t("panel.stacked"))),
      wrong && h("p.error-text", { role: "alert" }, wrong),
      h("div.actions", null, h("button.primary", { type: "submit" }, t(panel ? "panel.keep" : "panel.put")), h("button.quiet", { onClick: props.cancel }, t("form.cancel")))),
    h("section.panel.panel-preview", { "aria-label": t("panel.preview") }, h(PanelContent, { board: { saved: {} }, panel: made(shown), range: props.range, values: props.values, marks: [], count: 0 })));
}
