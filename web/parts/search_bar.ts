/* The query editor, time picker and Run/Cancel; a mistake is underlined and, where the server knows better, mended by a click. */
import { useEffect, useRef } from "preact/hooks";
import { h } from "./h.ts";
import { createSplEditor } from "./spl_editor.ts";
import type { SplEditor } from "./spl_editor.ts";
import { unitOffset } from "./spl_edit.ts";
import { TimePicker } from "./time_picker.ts";
import type { Range } from "./time_picker.ts";
import type { SearchJob } from "./search_job.ts";
import type { ErrorBody } from "../api.ts";
import { visible } from "./visible.ts";
import { useStore } from "../state.ts";
import { t } from "../i18n/text.ts";

export function SearchBar(props: {
  focus: boolean; asked: string; range: Range; job: SearchJob | null; text: { current: string };
  live: boolean; failure: ErrorBody | null; onLive: (on: boolean) => void;
  onRun: (query: string) => void; onRange: (range: Range) => void;
}) {
  const { job } = props;
  const host = useRef<HTMLDivElement>(null);
  const editor = useRef<SplEditor | null>(null);
  const latest = useRef(props);
  latest.current = props;
  const language = useStore((s) => s.language);
  const count = useStore((s) => s.route.count);
  const running = job?.running ?? false;
  const failure = props.failure;

  const run = () => { if (editor.current) latest.current.onRun(editor.current.text()); };
  useEffect(() => {
    const made = createSplEditor(host.current!, props.asked, run, () => { latest.current.text.current = made.text(); });
    editor.current = made;
    const focus = () => made.focus();
    document.addEventListener("hinomi-focus-search", focus);
    if (props.focus && !matchMedia("(pointer: coarse)").matches) made.focus();
    return () => { document.removeEventListener("hinomi-focus-search", focus); made.destroy(); };
  }, []);
  useEffect(() => editor.current?.refreshWords(), [language]);
  useEffect(() => { editor.current?.setText(props.asked); props.text.current = props.asked; }, [count]);
  useEffect(() => {
    const names = job?.latest?.fields?.map((field) => field.name);
    if (names?.length) editor.current?.setFields(names);
  }, [job?.latest?.fields]);

  const range = failure && failure.start !== undefined
    ? { from: unitOffset(props.asked, failure.start), to: unitOffset(props.asked, failure.end ?? failure.start + 1) } : null;
  useEffect(() => editor.current?.showError(range), [failure, count]);
  const fix = () => {
    const { asked } = props;
    if (range && failure?.suggestion) props.onRun(asked.slice(0, range.from) + failure.suggestion + asked.slice(range.to));
  };

  return h("section.search-bar", { role: "search" },
    h("div.search-row", null,
      h("div.spl", { ref: host, class: failure ? "wrong" : "" }),
      h(TimePicker, { key: props.range.from + props.range.to, range: props.range, onPick: props.onRange }),
      h("button.toggle", { "aria-pressed": props.live, title: t("search.live_title"), onClick: () => props.onLive(!props.live) }, t("search.live")),
      running
        ? h("button.run", { onClick: () => void job!.cancel() }, t("search.cancel"))
        : h("button.run.primary", { onClick: run }, t("search.run"))),
    running && h("div.progress", { "aria-hidden": true }, h("i", null)),
    failure && h("p.query-error", { role: "alert" },
      h("b", null, "✕ "), failure.code === "unreachable" ? t("error.unreachable") : visible(failure.message), " ",
      range && failure.suggestion && h("button.small.fix", { onClick: fix }, t("search.fix"), " ", h("code", null, visible(failure.suggestion)))));
}
