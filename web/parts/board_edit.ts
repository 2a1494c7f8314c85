/*
 * A dashboard while it is being changed: panels are dragged and sized by mouse or by keys (Gridstack moves them; what is drawn stays ours), made by
 * "show this by that" without a query, or from a search. Nothing is kept before Save.
 */
import { GridStack } from "gridstack";
import type { GridStackNode } from "gridstack";
import { useEffect, useRef, useState } from "preact/hooks";
import { h } from "./h.ts";
import { needs, useAct } from "./act.ts";
import { PanelContent } from "./board_panel.ts";
import { PanelForm } from "./panel_form.ts";
import { boardText, newId, placeFor } from "./board_text.ts";
import type { BoardDraft } from "./board_text.ts";
import type { Range } from "./time_picker.ts";
import { Text } from "./visible.ts";
import type { Mark } from "../panels.ts";
import { api } from "../api.ts";
import type { Dashboard, PanelSpec } from "../api.ts";
import { getState } from "../state.ts";
import { both, t } from "../i18n/text.ts";

const CELL_PX = 64;
const MOVES: Record<string, [x: number, y: number, w: number, h: number]> = {
  ArrowLeft: [-1, 0, 0, 0], ArrowRight: [1, 0, 0, 0], ArrowUp: [0, -1, 0, 0], ArrowDown: [0, 1, 0, 0],
  "Shift+ArrowLeft": [0, 0, -1, 0], "Shift+ArrowRight": [0, 0, 1, 0], "Shift+ArrowUp": [0, 0, 0, -1], "Shift+ArrowDown": [0, 0, 0, 1],
};

export function BoardEdit(props: { board: Dashboard; range: Range; values: Record<string, string>; marks: Mark[]; onDone: () => void }) {
  const { board } = props;
  const { busy, run } = useAct();
  const [draft, setDraft] = useState<BoardDraft>(board);
  const [form, setForm] = useState<{ panel: PanelSpec | null } | null>(board.panels.length === 0 ? { panel: null } : null);
  const grid = useRef<GridStack | null>(null);
  const host = useRef<HTMLDivElement>(null);
  const current = useRef(draft);
  current.current = draft;

  useEffect(() => {
    const made = GridStack.init({ column: 12, cellHeight: CELL_PX, margin: 5, mode: "float", handle: ".panel-title", animate: false }, host.current!)!;
    grid.current = made;
    made.on("change", (_event: Event, moved: GridStackNode[]) => {
      const places = new Map(moved.map((node) => [String(node.id), node]));
      setDraft({ ...current.current, panels: current.current.panels.map((panel) => {
        const node = places.get(panel.id);
        return node ? { ...panel, x: node.x ?? panel.x, y: node.y ?? panel.y, w: node.w ?? panel.w, h: node.h ?? panel.h } : panel;
      }) });
    });
    return () => { made.destroy(false); };
  }, []);
  // Panels that have come or gone are told to the grid after they are drawn.
  useEffect(() => {
    for (const element of host.current!.querySelectorAll<HTMLElement>(":scope > .grid-stack-item")) if (!(element as any).gridstackNode) grid.current!.makeWidget(element);
    for (const node of [...grid.current!.engine.nodes]) if (node.el && !node.el.isConnected) grid.current!.removeWidget(node.el, false, false);
  }, [draft.panels.length]);

  const save = async () => { if (await run(() => api.define("dashboard", boardText(draft), board.origin === "shared"), t("board.saved"))) props.onDone(); };
  const keep = (panel: PanelSpec) => {
    const known = draft.panels.some((one) => one.id === panel.id);
    setDraft({ ...draft, panels: known ? draft.panels.map((one) => (one.id === panel.id ? { ...panel, x: one.x, y: one.y, w: one.w, h: one.h } : one)) : [...draft.panels, { ...panel, id: newId(draft.panels), ...placeFor(draft.panels, panel.w, panel.h) }] });
    setForm(null);
  };
  const onKeyDown = (panel: PanelSpec) => (event: KeyboardEvent) => {
    const move = MOVES[(event.shiftKey ? "Shift+" : "") + event.key];
    const element = host.current!.querySelector<HTMLElement>(`[gs-id="${panel.id}"]`);
    if (!move || !element || event.target !== event.currentTarget) return;
    event.preventDefault();
    event.stopPropagation();
    grid.current!.update(element, { x: Math.max(0, panel.x + move[0]), y: Math.max(0, panel.y + move[1]), w: Math.min(12, Math.max(1, panel.w + move[2])), h: Math.max(1, panel.h + move[3]) });
  };
  const language = getState().language;
  const title = (value: string) => setDraft({ ...draft, title: { en: draft.title?.en ?? value, ja: draft.title?.ja ?? value, [language]: value } });

  return h("div.board-edit", null,
    h("div.edit-bar", { role: "group", "aria-label": t("board.edit") },
      h("button", { "aria-expanded": form?.panel === null, onClick: () => setForm(form?.panel === null ? null : { panel: null }) }, "＋ ", t("board.add")),
      h("label.edit-title", null, h("span", null, t("board.title")), h("input", { name: "title", value: both(draft.title), onInput: (e: Event) => title((e.target as HTMLInputElement).value) })),
      h("span.dim", null, t("board.edit_how")), h("span.spring", null),
      h("button", { onClick: () => props.onDone() }, t("form.cancel")),
      h("button.primary", { ...needs("analyst", busy), onClick: () => void save() }, t("board.save"))),
    form && h(PanelForm, { key: form.panel?.id ?? "new", panel: form.panel, range: props.range, values: props.values, saved: board.saved, onKeep: keep, cancel: () => setForm(null) }),
    h("div.grid-stack", { ref: host }, draft.panels.map((panel) =>
      h("div.grid-stack-item", { key: panel.id, "gs-id": panel.id, "gs-x": board.panels.find((one) => one.id === panel.id)?.x ?? panel.x, "gs-y": board.panels.find((one) => one.id === panel.id)?.y ?? panel.y,
        "gs-w": board.panels.find((one) => one.id === panel.id)?.w ?? panel.w, "gs-h": board.panels.find((one) => one.id === panel.id)?.h ?? panel.h } as any,
        h("div.grid-stack-item-content.panel", null,
          h("header.panel-title", { tabIndex: 0, role: "group", "aria-label": t("board.move", { name: both(panel.title) || panel.id }), onKeyDown: onKeyDown(panel) },
            h("h2", null, h("i", { "aria-hidden": true }, "⠿ "), h(Text, { text: both(panel.title) })), h("span.spring", null),
            h("button.quiet.small", { onClick: () => setForm({ panel }) }, t("board.change")),
            h("button.quiet.small", { "aria-label": t("board.drop", { name: both(panel.title) || panel.id }), onClick: () => setDraft({ ...draft, panels: draft.panels.filter((one) => one.id !== panel.id) }) }, "✕")),
          h(PanelContent, { board, panel, range: props.range, values: props.values, marks: props.marks, count: 0 }))))));
}
