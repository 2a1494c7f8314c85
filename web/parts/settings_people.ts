/* Who can sign in, with which role, and what the roles open. */
import { useState } from "preact/hooks";
import { h } from "./h.ts";
import { errorText, usePoll } from "./poll.ts";
import { Failed } from "./act.ts";
import { Text } from "./visible.ts";
import { useCursor } from "./tabs.ts";
import { choice, heads, read, text } from "./settings_fields.ts";
import { ROLES, api } from "../api.ts";
import type { User } from "../api.ts";
import { getState, notify, useStore } from "../state.ts";
import { t, word } from "../i18n/text.ts";
import type { Key } from "../i18n/text.ts";

const PASSWORD_MIN = 12;
const LANGUAGES = { ja: "日本語", en: "English" };

export function People() {
  useStore((s) => s.language);
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
  const cursor = useCursor("person", users.map((one) => one.name), () => {}, () => {});
  return h("div.tab-body", null,
    h("section.people", null,
      h("h2", null, t("access.users"), " ", h("span.count", null, users.length)),
      h(Failed, { error }),
      h("form.row-form", { onSubmit: submit },
        text(t("login.name"), "name"), text(t("login.password"), "password", { type: "password", autocomplete: "new-password" }),
        choice(t("access.role"), "role", ROLES, "role", { first: "viewer" }),
        h("button.primary", { type: "submit" }, t("access.make_user"))),
      wrong && h("p.error-text", { role: "alert" }, wrong),
      users.length > 0 && h("div.scroll-x", null, h("table.grid", null,
        heads([t("login.name"), t("access.role"), t("access.may"), t("settings.language"), t("col.status")]),
        h("tbody", null, users.map((user) => h("tr", { key: user.name, id: "person-" + user.name, class: cursor === user.name ? "selected" : "" },
          h("th", { scope: "row" }, h(Text, { text: user.name }), user.name === getState().user?.name && h("span.tag.me", null, t("settings.you"))),
          h("td", null, word("role", user.role)), h("td.dim", null, t(`role_about.${user.role}` as Key)),
          h("td", null, user.language ? LANGUAGES[user.language] : "–"),
          h("td", null, user.disabled ? h("b.warn", null, "✕ ", t("settings.disabled")) : h("span.good", null, "✓ ", t("settings.may_sign_in"))))))))),
    h(Roles, { users }));
}

/* Every role, also those that nobody has: what it opens is the question when somebody is added. */
function Roles(props: { users: User[] }) {
  return h("section.roles", null,
    h("h2", null, t("settings.roles")), h("p.dim.about", null, t("settings.roles_about")),
    h("dl", null, ROLES.map((role) => h("div", { key: role }, h("dt", null, word("role", role), " ", h("span.count", null, props.users.filter((user) => user.role === role && !user.disabled).length)),
      h("dd", null, t(`role_long.${role}`))))));
}
