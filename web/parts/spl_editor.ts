/*
 * The search bar: CodeMirror with our colours and completion.
 *
 * It lives in a shadow root on purpose. CodeMirror's style module writes <style> elements into a document, which
 * our Content-Security-Policy forbids; into a shadow root it puts constructed style sheets, which are allowed.
 * Custom properties (the palette) are inherited across the shadow border.
 */
import { acceptCompletion, autocompletion, closeCompletion, completionKeymap, completionStatus, moveCompletionSelection } from "@codemirror/autocomplete";
import type { CompletionContext, CompletionResult } from "@codemirror/autocomplete";
import { defaultKeymap, history, historyKeymap, insertNewline } from "@codemirror/commands";
import { Compartment, EditorState, RangeSetBuilder, StateEffect, StateField } from "@codemirror/state";
import { Decoration, EditorView, ViewPlugin, keymap, placeholder } from "@codemirror/view";
import type { DecorationSet, ViewUpdate } from "@codemirror/view";
import { AGGREGATES, COMMANDS, FUNCTIONS, tokens } from "./spl_words.ts";
import { t } from "../i18n/text.ts";

export interface SplEditor {
  setText(text: string): void;
  text(): string;
  focus(): void;
  showError(range: { from: number; to: number } | null): void;
  setFields(names: string[]): void;
  refreshWords(): void; // after a change of language
  destroy(): void;
}

const theme = EditorView.theme({
  "&": { fontSize: "14px", color: "var(--ink)", backgroundColor: "transparent" },
  "&.cm-focused": { outline: "none" },
  ".cm-scroller": { fontFamily: "var(--mono)", lineHeight: "1.55", maxHeight: "40vh", overflow: "auto" },
  ".cm-content": { padding: "7px 0", caretColor: "var(--ink)" },
  ".cm-line": { padding: "0 10px" },
  ".cm-placeholder": { color: "var(--ink-3)" },
  ".cm-cursor": { borderLeftColor: "var(--ink)" },
  "&.cm-focused .cm-selectionBackground, .cm-selectionBackground, .cm-content ::selection": { backgroundColor: "var(--select)" },
  ".spl-command": { color: "var(--accent)", fontWeight: "600" },
  ".spl-function": { color: "var(--spl-function)" },
  ".spl-keyword": { color: "var(--spl-keyword)", fontWeight: "600" },
  ".spl-string": { color: "var(--spl-string)" },
  ".spl-number": { color: "var(--spl-number)" },
  ".spl-comment": { color: "var(--ink-3)", fontStyle: "italic" },
  ".spl-macro": { color: "var(--spl-function)" },
  ".spl-pipe": { color: "var(--ink-2)", fontWeight: "700" },
  ".spl-field": { color: "var(--ink)", fontWeight: "600" },
  ".spl-error": { textDecoration: "underline wavy var(--bad) 1.5px", textUnderlineOffset: "3px", backgroundColor: "var(--bad-soft)" },
  ".cm-tooltip": { backgroundColor: "var(--panel)", color: "var(--ink)", border: "1px solid var(--line-2)", borderRadius: "6px", boxShadow: "var(--shadow)", overflow: "hidden" },
  ".cm-tooltip.cm-tooltip-autocomplete > ul": { fontFamily: "var(--mono)", fontSize: "13px", maxHeight: "300px", minWidth: "260px" },
  ".cm-tooltip.cm-tooltip-autocomplete > ul > li": { padding: "3px 10px", lineHeight: "1.5" },
  ".cm-tooltip-autocomplete ul li[aria-selected]": { background: "var(--accent)", color: "var(--on-accent)" },
  ".cm-completionDetail": { color: "var(--ink-3)", fontStyle: "normal", marginLeft: "12px" },
  ".cm-tooltip-autocomplete ul li[aria-selected] .cm-completionDetail": { color: "inherit" },
  ".cm-completionMatchedText": { textDecoration: "none", fontWeight: "700" },
});

const marks = Object.fromEntries(
  ["command", "function", "keyword", "string", "number", "comment", "pipe", "macro", "field"].map((kind) => [kind, Decoration.mark({ class: "spl-" + kind })]),
);

const colours = ViewPlugin.fromClass(
  class {
    decorations: DecorationSet;
    constructor(view: EditorView) { this.decorations = this.build(view); }
    update(update: ViewUpdate) { if (update.docChanged) this.decorations = this.build(update.view); }
    build(view: EditorView): DecorationSet {
      const builder = new RangeSetBuilder<Decoration>();
      for (const token of tokens(view.state.doc.toString())) builder.add(token.from, token.to, marks[token.kind]!);
      return builder.finish();
    }
  },
  { decorations: (plugin) => plugin.decorations },
);

const setError = StateEffect.define<{ from: number; to: number } | null>();
const errorMark = Decoration.mark({ class: "spl-error" });
const errorField = StateField.define<DecorationSet>({
  create: () => Decoration.none,
  update(value, transaction) {
    if (transaction.docChanged) value = Decoration.none;
    for (const effect of transaction.effects) {
      if (!effect.is(setError)) continue;
      const size = transaction.state.doc.length;
      const to = effect.value ? Math.min(size, Math.max(effect.value.to, effect.value.from + 1)) : 0;
      const from = effect.value ? Math.min(effect.value.from, Math.max(0, to - 1)) : 0;
      value = effect.value && to > from ? Decoration.set([errorMark.range(from, to)]) : Decoration.none;
    }
    return value;
  },
  provide: (field) => EditorView.decorations.from(field),
});

function complete(context: CompletionContext, fields: string[]): CompletionResult | null {
  const before = context.state.sliceDoc(0, context.pos);
  const inText = tokens(before).at(-1);
  if (inText?.kind === "comment" && inText.to === before.length) return null;
  const command = /(?:^\s*|[|[]\s*)\|?\s*(\w*)$/.exec(before);
  if (command && /[|[]\s*\w*$/.test(before)) {
    return {
      from: context.pos - command[1]!.length,
      options: Object.entries(COMMANDS).map(([label, detail]) => ({ label, detail, type: "keyword", apply: label + " " })),
      validFor: /^\w*$/,
    };
  }
  const word = /[@\w.{}-]*$/.exec(before)![0];
  if (!word && !context.explicit) return null;
  if (inText?.kind === "string" && inText.to === before.length && !/"$/.test(before)) return null;
  const inCommand = /[|[]\s*(\w+)[^|[]*$/.exec(before)?.[1]?.toLowerCase() ?? "search";
  const options = fields.map((label) => ({ label, type: "variable", boost: 2, apply: inCommand === "search" ? label + "=" : label }));
  const more = (names: Iterable<string>, detail: string) => {
    for (const label of names) options.push({ label, type: "function", boost: 0, apply: label, detail } as (typeof options)[number]);
  };
  if (/^(stats|eventstats|streamstats|chart|timechart|tstats|mstats)$/.test(inCommand)) more(AGGREGATES, t("spl.aggregate"));
  if (/^(eval|where|fieldformat|stats|eventstats)$/.test(inCommand)) more(FUNCTIONS, t("spl.function"));
  return { from: context.pos - word.length, options, validFor: /^[@\w.{}-]*$/ };
}

export function createSplEditor(host: HTMLElement, text: string, run: () => void, changed: () => void): SplEditor {
  const root = host.shadowRoot ?? host.attachShadow({ mode: "open" });
  const words = new Compartment();
  let fields: string[] = [];
  let quiet = false;
  const texts = () => [placeholder(t("search.placeholder")), EditorView.contentAttributes.of({ "aria-label": t("search.query"), "aria-multiline": "true" })];

  const view = new EditorView({
    root, parent: root,
    state: EditorState.create({
      doc: text,
      extensions: [
        keymap.of([
          { key: "Enter", run: (v) => { if (!acceptCompletion(v)) { closeCompletion(v); run(); } return true; }, shift: insertNewline },
          { key: "Tab", run: (v) => completionStatus(v.state) === "active" && (acceptCompletion(v) || (moveCompletionSelection(true)(v) && acceptCompletion(v))) },
          { key: "Escape", run: (v) => { if (completionStatus(v.state)) return false; v.contentDOM.blur(); return true; } },
        ]),
        autocompletion({ override: [(context) => complete(context, fields)], icons: false, defaultKeymap: false, selectOnOpen: false }),
        keymap.of([...completionKeymap, ...historyKeymap, ...defaultKeymap]),
        history(), theme, colours, errorField, EditorView.lineWrapping,
        EditorState.tabSize.of(2), words.of(texts()),
        EditorView.contentAttributes.of({ spellcheck: "false", autocorrect: "off", autocapitalize: "off" }),
        EditorView.updateListener.of((update) => { if (update.docChanged && !quiet) changed(); }),
      ],
    }),
  });
  return {
    setText(next) {
      if (next === view.state.doc.toString()) return;
      quiet = true;
      view.dispatch({ changes: { from: 0, to: view.state.doc.length, insert: next }, selection: { anchor: next.length } });
      quiet = false;
    },
    text: () => view.state.doc.toString(),
    focus: () => view.focus(),
    showError: (range) => view.dispatch({ effects: setError.of(range) }),
    setFields: (names) => { fields = names; },
    refreshWords: () => view.dispatch({ effects: words.reconfigure(texts()) }),
    destroy: () => view.destroy(),
  };
}
