/* Tokens of programs that send logs, ask the API or ask the brake. A token's text is shown once. */
import { useState } from "preact/hooks";
import { h } from "./h.ts";
import type { Child } from "./h.ts";
import { errorText, usePoll } from "./poll.ts";
import { Failed, SureButton, useAct } from "./act.ts";
import { Text } from "./visible.ts";
import { copy } from "./value_menu.ts";
import { focusButton, useCursor } from "./tabs.ts";
import { choice, heads, read, text } from "./settings_fields.ts";
import { dateTime, utc } from "./format.ts";
import { ROLES, api } from "../api.ts";
import type { Token } from "../api.ts";
import { useStore } from "../state.ts";
import { t, word } from "../i18n/text.ts";

const KINDS = ["hec", "api", "gate"];

export function Tokens() {
  useStore((s) => s.language);
  const { data, error, reload } = usePoll(() => api.tokens(), 0, []);
  const [kind, setKind] = useState("hec");
  const [made, setMade] = useState<{ name: string; token: string } | null>(null);
  const [wrong, setWrong] = useState("");
  const submit = async (event: Event) => {
    event.preventDefault();
    const form = event.target as HTMLFormElement;
    const name = read(form, "name");
    if (!name) return setWrong(t("access.need_name"));
    const expires = read(form, "expires");
    try {
      const answer = await api.makeToken({
        name, kind, role: kind === "api" ? read(form, "role") : null, stream: kind === "hec" ? read(form, "stream") || null : null,
        expires: expires ? new Date(expires + "T00:00:00").toISOString() : null,
      });
      setMade({ name, token: answer.token });
      setWrong("");
      form.reset();
      setKind("hec");
      reload();
    } catch (problem) {
      setWrong(errorText(problem));
    }
  };
  const tokens = data?.tokens ?? [];
  const cursor = useCursor("token", tokens.map((one) => one.id), focusButton("token"), () => setMade(null));
  return h("section.tokens", null,
    h("h2", null, t("access.tokens"), " ", h("span.count", null, tokens.length)),
    h(Failed, { error }),
    h("form.row-form", { onSubmit: submit },
      text(t("access.name"), "name"), choice(t("access.kind"), "kind", KINDS, "token_kind", { first: kind, onChange: setKind }),
      kind === "api" && choice(t("access.role"), "role", ROLES, "role", { first: "viewer" }),
      kind === "hec" && text(t("access.stream"), "stream", { placeholder: "main" }),
      text(t("access.expires"), "expires", { type: "date" }),
      h("button.primary", { type: "submit" }, t("access.make_token"))),
    wrong && h("p.error-text", { role: "alert" }, wrong),
    made && h("div.secret", { role: "status" },
      h("p", null, h("b", null, t("access.shown_once", { name: made.name }))),
      h("code", null, made.token),
      h("button", { onClick: () => void copy(made.token) }, t("value.copy")),
      h("button.quiet", { onClick: () => setMade(null) }, t("access.hide"))),
    data && tokens.length === 0 && h("p.dim", null, t("access.no_tokens")),
    tokens.length > 0 && h("div.scroll-x", null, h("table.grid", null,
      heads([t("access.name"), t("access.kind"), t("access.role"), t("access.stream"), t("access.expires"), t("access.last_used"), ""]),
      h("tbody", null, tokens.map((token) => h(TokenRow, { key: token.id, token, cursor: cursor === token.id, onChanged: reload }))))));
}

function TokenRow(props: { token: Token; cursor: boolean; onChanged: () => void }) {
  const { token } = props;
  const { busy, run } = useAct();
  const revoke = async () => { if (await run(() => api.revokeToken(token.id), t("access.revoked", { name: token.name }))) props.onChanged(); };
  const cells: Child[] = [
    h("th", { scope: "row" }, h(Text, { text: token.name })), h("td", null, word("token_kind", token.kind)), h("td", null, token.role ? word("role", token.role) : "–"),
    h("td", null, token.stream ? h(Text, { text: token.stream }) : "–"),
    h("td", { title: utc(token.expires) }, token.expires ? dateTime(token.expires) : t("access.never")),
    h("td", { title: utc(token.last_used) }, dateTime(token.last_used)),
  ];
  return h("tr", { id: "token-" + token.id, class: props.cursor ? "selected" : "" }, cells,
    h("td.row-actions", null, h(SureButton, { label: t("access.revoke"), sure: t("access.revoke_sure"), disabled: busy, onSure: () => void revoke() })));
}
