/* A new dashboard: a name, and it opens empty, ready to be filled. */
import { useState } from "preact/hooks";
import { h } from "./h.ts";
import { needs, useAct } from "./act.ts";
import { boardText } from "./board_text.ts";
import { api } from "../api.ts";
import { navigate } from "../state.ts";
import { t } from "../i18n/text.ts";

export function NewBoard(props: { taken: string[]; cancel: () => void }) {
  const { busy, run } = useAct();
  const [name, setName] = useState("");
  const [wrong, setWrong] = useState("");
  const submit = async (event: Event) => {
    event.preventDefault();
    const wanted = name.trim();
    if (!wanted) return setWrong(t("board.need_name"));
    if (props.taken.includes(wanted)) return setWrong(t("board.taken", { name: wanted }));
    setWrong("");
    const text = boardText({ name: wanted, title: null, about: null, range: { from: "-24h", to: "now" }, refresh_s: 60, home: [], variables: [], annotations: [], panels: [] });
    if (await run(() => api.define("dashboard", text, false), t("board.made"))) navigate("dashboards", { name: wanted, edit: "1" });
  };
  return h("form.inline-form.board-new", { onSubmit: submit },
    h("label.field", null, h("span", null, t("board.name")), h("input", { name: "name", autocomplete: "off", autofocus: true, value: name, onInput: (e: Event) => setName((e.target as HTMLInputElement).value) })),
    wrong && h("p.error-text", { role: "alert" }, wrong),
    h("div.actions", null, h("button.primary", { type: "submit", ...needs("analyst", busy) }, t("board.make")), h("button.quiet", { onClick: props.cancel }, t("form.cancel"))));
}
