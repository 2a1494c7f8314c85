/*
 * One dashboard. The address holds what is looked at: name, range, the chosen values (v.NAME) and whether it is being changed, so that a copy of
 * the address shows the same to somebody else.
 */
import { useEffect, useMemo, useState } from "preact/hooks";
import { h } from "./h.ts";
import { Failed, SureButton, needs, useAct } from "./act.ts";
import { BoardPanel } from "./board_panel.ts";
import { BoardVariables } from "./board_variables.ts";
import { boardText, withValues } from "./board_text.ts";
import type { BoardDraft } from "./board_text.ts";
import { lazy } from "./lazy.ts";
import { TimePicker } from "./time_picker.ts";
import type { Range } from "./time_picker.ts";
import { Text, valueText } from "./visible.ts";
import { toMillis } from "./format.ts";
import { useKeys } from "./keys.ts";
import { usePoll } from "./poll.ts";
import { useSearchRows } from "./search_rows.ts";
import { copy } from "./value_menu.ts";
import type { Mark } from "../panels.ts";
import { api } from "../api.ts";
import type { Dashboard } from "../api.ts";
import { hashFor, may, navigate, useStore } from "../state.ts";
import { both, t, word } from "../i18n/text.ts";

const DEFAULT: Range = { from: "-24h", to: "now" };
const REFRESH_S = [0, 10, 60, 300, 3600];
const MARKS_MAX = 200;
const BoardEdit = lazy<{ board: Dashboard; range: Range; values: Record<string, string>; marks: Mark[]; onDone: () => void }>(() => import("./board_edit.ts").then((made) => made.BoardEdit));

export function Board(props: { name: string }) {
  const { data: board, error, reload } = usePoll(() => api.dashboard(props.name), 0, [props.name]);
  return board ? h(Shown, { board, reload }) : h("main.page", null, h(Failed, { error }), error && h("a", { href: hashFor("dashboards") }, t("board.all")));
}

function Shown(props: { board: Dashboard; reload: () => void }) {
  const { board } = props;
  const params = useStore((s) => s.route.params);
  const asked = Object.fromEntries([...params].filter(([key]) => key.startsWith("v."))) as Record<string, string>;
  const range: Range = { from: params.get("from") ?? board.range?.from ?? DEFAULT.from, to: params.get("to") ?? board.range?.to ?? DEFAULT.to };
  const refresh = Number(params.get("refresh") ?? board.refresh_s);
  const editing = params.get("edit") === "1" && may("analyst");
  const [count, setCount] = useState(0);
  const values = useMemo(() => Object.fromEntries(board.variables.map((one) => [one.name, asked["v." + one.name] ?? one.default])), [board, params]);
  const go = (change: Record<string, string | undefined>) => {
    const now = { name: board.name, from: params.get("from") ?? undefined, to: params.get("to") ?? undefined, refresh: params.get("refresh") ?? undefined, edit: params.get("edit") ?? undefined, ...asked };
    navigate("dashboards", { ...now, ...change });
  };
  useEffect(() => {
    if (!refresh) return;
    const timer = setInterval(() => { if (!document.hidden) setCount((n) => n + 1); }, refresh * 1000);
    return () => clearInterval(timer);
  }, [refresh]);
  const marks = useMarks(board, range, values, count);
  useKeys({ e: () => { if (may("analyst")) go({ edit: editing ? undefined : "1" }); }, r: () => setCount((n) => n + 1) });

  return h("main.board-page", null,
    h("div.board-bar", null,
      h("a.quiet.button.small", { href: hashFor("dashboards"), title: t("board.all") }, "‹ ", t("nav.dashboards")),
      h("h1", null, h(Text, { text: both(board.title) || board.name })),
      h(BoardVariables, { board, values, range, onPick: (name: string, value: string) => go({ ["v." + name]: value }) }),
      h("span.spring", null),
      h(TimePicker, { key: range.from + range.to, range, onPick: (over: Range) => go({ from: over.from, to: over.to }) }),
      h("label.refresh", null, h("span.hidden-text", null, t("board.refresh")), h("select", { name: "refresh", title: t("board.refresh"), value: String(refresh), onChange: (e: Event) => go({ refresh: (e.target as HTMLSelectElement).value }) },
        [...new Set([...REFRESH_S, refresh])].map((one) => h("option", { key: one, value: String(one) }, one === 0 ? t("board.refresh_off") : t("board.refresh_every", { time: one < 60 ? `${one} s` : `${one / 60} min` }))))),
      h("button", { title: t("board.again") + " (r)", "aria-label": t("board.again"), onClick: () => setCount((n) => n + 1) }, "↻"),
      h("button", { ...needs("analyst"), "aria-pressed": editing, class: "toggle", onClick: () => go({ edit: editing ? undefined : "1" }) }, h("kbd", null, "e"), t("board.edit")),
      h(More, { board })),
    both(board.about) && h("p.board-about.dim", null, h(Text, { text: both(board.about) })),
    editing ? h(BoardEdit, { key: board.name + String(board.updated), board, range, values, marks, onDone: () => { props.reload(); go({ edit: undefined }); } })
      : board.panels.length === 0 ? h("div.empty", null, h("h2", null, t("board.empty")), h("p", null, t("board.empty_next")), h("button.primary", { ...needs("analyst"), onClick: () => go({ edit: "1" }) }, t("board.add")))
      : h("div.board", null, board.panels.map((panel) => h(BoardPanel, { key: panel.id, board, panel, range, values, marks, count, onZoom: (from: string, to: string) => go({ from, to }) }))));
}

/* The moments of all annotations within the range. */
function useMarks(board: Dashboard, range: Range, values: Record<string, string>, count: number): Mark[] {
  const searches = board.annotations.map((one) => `[ search ${withValues(one.search, values)} | head ${MARKS_MAX} | eval mark_kind=${JSON.stringify(both(one.title) || one.search)} ]`);
  const query = board.annotations.length === 0 ? "" : `| multisearch ${searches.length === 1 ? searches[0] + " [ search NOT * ]" : searches.join(" ")} | table _time mark_kind text message`;
  const found = useSearchRows(query, range, 0, MARKS_MAX, count);
  return useMemo(() => found.rows.flatMap((row) => {
    const at = (name: string) => valueText(row[found.columns.indexOf(name)]);
    const time = toMillis(row[found.columns.indexOf("_time")] ?? null);
    return time === null ? [] : [{ time: time / 1000, text: [at("mark_kind"), at("text") || at("message")].filter(Boolean).join(": ") }];
  }), [found.rows]);
}

/* What one does seldom: copy as a file, take away one's own. */
function More(props: { board: Dashboard }) {
  const { board } = props;
  const { busy, run } = useAct();
  const mine = board.origin === "own" || board.origin === "shared";
  const share = async () => { await run(() => api.define("dashboard", boardText(board as BoardDraft), true), t("board.shared")); };
  const remove = async () => { if (await run(() => api.undefine("dashboard", board.name, board.origin === "shared"), t("board.removed"))) navigate("dashboards"); };
  return h("details.more", null, h("summary.button", { "aria-label": t("board.more") }, "⋯"),
    h("div.more-panel", null,
      h("p.dim", null, word("origin", board.origin)),
      h("button", { onClick: () => void copy(boardText(board as BoardDraft)) }, t("board.copy_json")),
      board.origin === "own" && h("button", { ...needs("engineer", busy), onClick: () => void share() }, t("board.share")),
      mine && h(SureButton, { ...needs(board.origin === "shared" ? "engineer" : "analyst", busy), label: t("board.remove"), sure: t("board.remove_sure"), onSure: () => void remove() })));
}
