/* What is kept of a search: itself under a name, a panel of a dashboard, or the address that shows the same to somebody else. */
import { useEffect, useState } from "preact/hooks";
import { h } from "./h.ts";
import { needs, useAct } from "./act.ts";
import { boardText, newId, placeFor } from "./board_text.ts";
import { Popover } from "./menu.ts";
import type { Range } from "./time_picker.ts";
import { copy } from "./value_menu.ts";
import { api } from "../api.ts";
import type { DashboardHead, PanelSpec } from "../api.ts";
import { t } from "../i18n/text.ts";
import { both } from "../i18n/text.ts";

export function SaveMenu(props: { query: string; range: Range; kind: string }) {
  return h(Popover, { label: t("save.open"), class: "small", panelClass: "save-panel", title: t("save.open"), children: (close: () => void) => h(Saving, { ...props, close }) });
}

function Saving(props: { query: string; range: Range; kind: string; close: () => void }) {
  const { query, range } = props;
  const { busy, run } = useAct();
  const [name, setName] = useState("");
  const [boards, setBoards] = useState<DashboardHead[]>([]);
  const [board, setBoard] = useState("");
  const [wrong, setWrong] = useState("");
  useEffect(() => { void api.dashboards().then(({ dashboards }) => setBoards(dashboards), () => {}); }, []);
  const wanted = name.trim();
  const search = async () => {
    if (!wanted) return setWrong(t("save.need_name"));
    const text = JSON.stringify({ saved_search: wanted, search: query, earliest: range.from, latest: range.to });
    if (await run(() => api.define("saved_search", text, false), t("save.done"))) props.close();
  };
  const panel = async () => {
    if (!board && !wanted) return setWrong(t("save.need_name"));
    const put = async () => {
      const one = board ? await api.dashboard(board)
        : { name: wanted, title: null, about: null, range, refresh_s: 60, home: [], variables: [], annotations: [], panels: [] as PanelSpec[], origin: "own" as const };
      const title = board && wanted ? { en: wanted, ja: wanted } : null;
      const made: PanelSpec = { id: newId(one.panels), kind: props.kind, title, text: null, search: query, saved: null, unit: null, drill: null, range: null, stacked: false, ...placeFor(one.panels, props.kind === "single" ? 3 : 6, props.kind === "single" ? 2 : 4) };
      await api.define("dashboard", boardText({ ...one, panels: [...one.panels, made] }), one.origin === "shared");
    };
    if (await run(put, t("save.added", { name: board || wanted }))) props.close();
  };
  return h("form.save-form", { onSubmit: (e: Event) => { e.preventDefault(); void search(); } },
    h("label.field", null, h("span", null, t("save.name")), h("input", { name: "save-name", autocomplete: "off", value: name, onInput: (e: Event) => setName((e.target as HTMLInputElement).value) })),
    h("button.primary", { type: "submit", ...needs("analyst", busy) }, t("save.search")),
    h("label.field", null, h("span", null, t("save.which")), h("select", { name: "save-board", value: board, onChange: (e: Event) => setBoard((e.target as HTMLSelectElement).value) },
      h("option", { value: "" }, t("save.new")), boards.map((one) => h("option", { key: one.name, value: one.name }, both(one.title) || one.name)))),
    h("button", { ...needs("analyst", busy), onClick: () => void panel() }, t("save.board")),
    wrong && h("p.error-text", { role: "alert" }, wrong),
    h("button.quiet", { onClick: () => { props.close(); void copy(location.href); } }, t("save.link")));
}
