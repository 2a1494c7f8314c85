/* The note for the next shift: what is open and whose, what was closed, what ends. */
import { h } from "./h.ts";
import { usePoll } from "./poll.ts";
import { Failed } from "./act.ts";
import { copy } from "./value_menu.ts";
import { visible } from "./visible.ts";
import { api } from "../api.ts";
import { both, t } from "../i18n/text.ts";

const SINCE = "-12h";

export function Handover() {
  const { data, error } = usePoll(() => api.handover(SINCE), 0, []);
  return h("section.handover", null,
    h(Failed, { error }),
    data && h("pre.handover-note", null, visible(both(data.note), true)),
    data && h("p.actions", null, h("button.small", { onClick: () => void copy(both(data.note)) }, t("value.copy"))));
}
