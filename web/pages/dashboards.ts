/* Dashboards: which there are, and the one that the address names. */
import { useState } from "preact/hooks";
import { h } from "../parts/h.ts";
import { Board } from "../parts/board.ts";
import { NewBoard } from "../parts/board_new.ts";
import { Failed } from "../parts/act.ts";
import { Text } from "../parts/visible.ts";
import { grouped } from "../parts/format.ts";
import { useListKeys } from "../parts/keys.ts";
import { usePoll } from "../parts/poll.ts";
import { api } from "../api.ts";
import type { DashboardHead } from "../api.ts";
import { hashFor, may, navigate, useStore } from "../state.ts";
import { both, t, word } from "../i18n/text.ts";

export const boardTitle = (board: { name: string; title: DashboardHead["title"] }): string => both(board.title) || board.name;

export function DashboardsPage() {
  useStore((s) => s.language);
  const name = useStore((s) => s.route.params).get("name");
  return name ? h(Board, { key: name, name }) : h(List, {});
}

function List() {
  const role = useStore((s) => s.user)!.role;
  const { data, error } = usePoll(() => api.dashboards(), 0, []);
  const [making, setMaking] = useState(false);
  const [at, setAt] = useState(-1);
  const mine = (board: DashboardHead) => board.home.includes(role);
  const boards = [...(data?.dashboards ?? [])].sort((a, b) => Number(mine(b)) - Number(mine(a)) || (boardTitle(a) < boardTitle(b) ? -1 : 1));
  useListKeys({
    move: (by) => { const next = Math.max(0, Math.min(boards.length - 1, at + by)); setAt(next); document.getElementById("board-" + next)?.scrollIntoView({ block: "nearest" }); },
    open: () => { const one = boards[at]; if (one) navigate("dashboards", { name: one.name }); }, close: () => setAt(-1),
  });
  return h("main.page", null,
    h("div.page-head", null, h("h1", null, t("nav.dashboards")), data && h("span.dim", null, grouped(boards.length)), h("span.spring", null),
      h("button.primary", { disabled: !may("analyst"), "aria-expanded": making, onClick: () => setMaking(!making) }, t("board.new"))),
    making && h(NewBoard, { taken: boards.map((board) => board.name), cancel: () => setMaking(false) }),
    h(Failed, { error }),
    data && boards.length === 0 && h("div.empty", null, h("h2", null, t("board.none")), h("p", null, t("board.none_next"))),
    h("ul.boards", null, boards.map((board, i) => h("li", { key: board.name, id: "board-" + i },
      h("a.board-card", { class: i === at ? "selected" : "", href: hashFor("dashboards", { name: board.name }) },
        h("h2", null, mine(board) && h("span", { title: t("board.home_of", { role: word("role", role) }) }, "★ "), h(Text, { text: boardTitle(board) })),
        h("p.dim", null, h(Text, { text: both(board.about) })),
        h("p.board-foot", null, h("span.tag", null, word("origin", board.origin)), h("span.dim", null, t("board.panels", { n: board.panel_count })), board.owner && h("span.dim", null, h(Text, { text: board.owner }))))))));
}
