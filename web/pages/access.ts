/* Access, for administrators: tokens of programs and users. A token's text is shown once. */
import { useState } from "preact/hooks";
import { h } from "../parts/h.ts";
import type { Child } from "../parts/h.ts";
import { errorText, usePoll } from "../parts/poll.ts";
import { Text } from "../parts/visible.ts";
import { copy } from "../parts/value_menu.ts";
import { dateTime, utc } from "../parts/format.ts";
import { ROLES, api } from "../api.ts";
import type { Token } from "../api.ts";
import { may, notify, useStore } from "../state.ts";
import { t, word } from "../i18n/text.ts";
import type { Key } from "../i18n/text.ts";

const KINDS = ["hec", "api", "gate"];
const PASSWORD_MIN = 12;

export function AccessPage() {
  useStore((s) => s.language);
  if (!may("admin")) return h("main.page", null, h("div.empty", null, h("h2", null, t("access.admin_only"))));
  return h("main.page", null,
    h("div.page-head", null, h("h1", null, t("nav.access"))),
    h(Tokens, {}), h(Users, {}));
}

function text(label: string, name: string, extra: Record<string, unknown> = {}) {
  return h("label.field", null, h("span", null, label), h("input", { name, autocomplete: "off", spellcheck: false, ...extra }));
}

function choice(label: string, name: string, options: string[], prefix: string, onChange?: (value: string) => void) {
  return h("label.field", null, h("span", null, label),
    h("select", { name, onChange: (e: Event) => onChange?.((e.target as HTMLSelectElement).value) }, options.map((one) => h("option", { key: one, value: one }, word(prefix, one)))));
}

const read = (form: HTMLFormElement, name: string) => String(new FormData(form).get(name) ?? "").trim();

function Tokens() {
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
  return h("section", null,
    h("h2", null, t("access.tokens"), " ", h("span.count", null, tokens.length)),
    error && h("p.message.error", { role: "alert" }, h("b", null, "✕ "), error),
    h("form.row-form", { onSubmit: submit },
      text(t("access.name"), "name"), choice(t("access.kind"), "kind", KINDS, "token_kind", setKind),
      kind === "api" && choice(t("access.role"), "role", ROLES, "role"),
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
    tokens.length > 0 && h("table.grid", null,
      h("thead", null, h("tr", null, [t("access.name"), t("access.kind"), t("access.role"), t("access.stream"), t("access.expires"), t("access.last_used"), ""].map((name, i) => h("th", { key: i, scope: "col" }, name)))),
      h("tbody", null, tokens.map((token) => h(TokenRow, { key: token.id, token, onChanged: reload })))));
}

function TokenRow(props: { token: Token; onChanged: () => void }) {
  const { token } = props;
  const [sure, setSure] = useState(false);
  const revoke = async () => {
    try {
      await api.revokeToken(token.id);
      notify("ok", t("access.revoked", { name: token.name }));
      props.onChanged();
    } catch (error) {
      notify("bad", errorText(error));
    }
  };
  const cells: Child[] = [
    h("th", { scope: "row" }, h(Text, { text: token.name })), h("td", null, word("token_kind", token.kind)), h("td", null, token.role ? word("role", token.role) : "–"),
    h("td", null, token.stream ? h(Text, { text: token.stream }) : "–"),
    h("td", { title: utc(token.expires) }, token.expires ? dateTime(token.expires) : t("access.never")),
    h("td", { title: utc(token.last_used) }, dateTime(token.last_used)),
  ];
  return h("tr", null, cells, h("td.row-actions", null, sure
    ? h("span.confirm", { role: "group", "aria-label": t("access.revoke_sure") }, t("access.revoke_sure"), " ",
      h("button.danger.small", { onClick: () => void revoke() }, t("access.revoke")), h("button.quiet.small", { onClick: () => setSure(false) }, t("form.cancel")))
    : h("button.small", { onClick: () => setSure(true) }, t("access.revoke"))));
}

function Users() {
  const { data, error, reload } = usePoll(() => api.users(), 0, []);
  const [wrong, setWrong] = useState("");
  const submit = async (event: Event) => {
    event.preventDefault();
    const form = event.target as HTMLFormElement;
    const name = read(form, "name"), password = String(new FormData(form).get("password") ?? "");
    if (!name) return setWrong(t("access.need_name"));
    if ([...password].length < PASSWORD_MIN) return setWrong(t("setup.short_password", { n: PASSWORD_MIN, has: [...password].length }));
    try {
      await api.makeUser(name, password, read(form, "role"));
      notify("ok", t("access.user_made", { name }));
      setWrong("");
      form.reset();
      reload();
    } catch (problem) {
      setWrong(errorText(problem));
    }
  };
  const users = data?.users ?? [];
  return h("section", null,
    h("h2", null, t("access.users"), " ", h("span.count", null, users.length)),
    error && h("p.message.error", { role: "alert" }, h("b", null, "✕ "), error),
    h("form.row-form", { onSubmit: submit },
      text(t("login.name"), "name"), text(t("login.password"), "password", { type: "password", autocomplete: "new-password" }),
      choice(t("access.role"), "role", ROLES, "role"),
      h("button.primary", { type: "submit" }, t("access.make_user"))),
    wrong && h("p.error-text", { role: "alert" }, wrong),
    users.length > 0 && h("table.grid", null,
      h("thead", null, h("tr", null, [t("login.name"), t("access.role"), t("access.may")].map((name) => h("th", { key: name, scope: "col" }, name)))),
      h("tbody", null, users.map((user) => h("tr", { key: user.name },
        h("th", { scope: "row" }, h(Text, { text: user.name })), h("td", null, word("role", user.role)), h("td.dim", null, t(`role_about.${user.role}` as Key)))))));
}
