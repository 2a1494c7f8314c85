/* Before anyone is signed in: first start (language, setup code, first administrator) and login. */
import { useState } from "preact/hooks";
import { h } from "../parts/h.ts";
import type { Child } from "../parts/h.ts";
import { LanguageSwitch, Mark, ThemeSwitch, Notices } from "../parts/shell.ts";
import { errorText } from "../parts/poll.ts";
import { ApiError, api } from "../api.ts";
import type { User } from "../api.ts";
import { getState, setLanguage, setState, useStore } from "../state.ts";
import { t } from "../i18n/text.ts";

const PASSWORD_MIN = 12;

function Frame(props: { title: string; lead?: string; asksLanguage?: boolean; children?: Child }) {
  const version = useStore((s) => s.status?.version);
  return h("main.welcome", null,
    h("div.welcome-card", null,
      h("header", null, h(Mark, {}), h("span.spring", null), h(ThemeSwitch, {}), !props.asksLanguage && h(LanguageSwitch, {})),
      h("h1", null, props.title), props.lead && h("p.lead", null, props.lead), props.children),
    h("p.dim.version", null, version ? `Hinomi ${version}` : ""), h(Notices, {}));
}

export function Field(props: { label: string; type?: string; value: string; onInput: (text: string) => void; autocomplete?: string; hint?: string; focus?: boolean; mono?: boolean; required?: boolean }) {
  return h("label.field", null, h("span", null, props.label),
    h("input", {
      type: props.type ?? "text", value: props.value, autocomplete: props.autocomplete ?? "off", spellcheck: false, autofocus: props.focus,
      class: props.mono ? "mono" : "", required: props.required, onInput: (e: Event) => props.onInput((e.target as HTMLInputElement).value),
    }),
    props.hint && h("small", null, props.hint));
}

async function entered(user: User): Promise<void> {
  const chosen = getState().language;
  setState({ user, status: { ...getState().status!, setup_required: false } });
  // The language picked on this page wins for a new account; a known account brings its own.
  if (user.language === "ja" || user.language === "en") setLanguage(user.language);
  else await api.setLanguage(chosen).catch(() => {});
}

export function SetupPage() {
  useStore((s) => s.language);
  const [code, setCode] = useState("");
  const [name, setName] = useState("");
  const [password, setPassword] = useState("");
  const [wrong, setWrong] = useState("");
  const [busy, setBusy] = useState(false);

  const submit = async (event: Event) => {
    event.preventDefault();
    if (!code.trim()) return setWrong(t("setup.need_code"));
    if (!name.trim()) return setWrong(t("setup.need_name"));
    if ([...password].length < PASSWORD_MIN) return setWrong(t("setup.short_password", { n: PASSWORD_MIN, has: [...password].length }));
    setBusy(true);
    setWrong("");
    try {
      const chosen = getState().language;
      const user = await api.setup(code.trim(), name.trim(), password);
      await api.setLanguage(chosen).catch(() => {});
      await entered({ ...user, language: chosen });
    } catch (error) {
      setWrong(errorText(error));
    }
    setBusy(false);
  };
  return h(Frame, { title: t("setup.title"), lead: t("setup.lead"), asksLanguage: true },
    h("form.stack", { onSubmit: submit, noValidate: true },
      h("div.field", null, h("span", { "aria-hidden": true }, "言語 / Language"), h(LanguageSwitch, {})),
      h(Field, { label: t("setup.code"), value: code, onInput: setCode, hint: t("setup.code_hint"), focus: true, mono: true, autocomplete: "one-time-code" }),
      h(Field, { label: t("login.name"), value: name, onInput: setName, autocomplete: "username" }),
      h(Field, { label: t("login.password"), type: "password", value: password, onInput: setPassword, autocomplete: "new-password", hint: t("setup.password_hint", { n: PASSWORD_MIN }) }),
      h("p.error-text", { role: "alert" }, wrong),
      h("button.primary.wide", { type: "submit", disabled: busy }, t("setup.submit"))));
}

export function LoginPage() {
  useStore((s) => s.language);
  const [name, setName] = useState("");
  const [password, setPassword] = useState("");
  const [wrong, setWrong] = useState("");
  const [busy, setBusy] = useState(false);
  const submit = async (event: Event) => {
    event.preventDefault();
    setBusy(true);
    setWrong("");
    try {
      await entered(await api.login(name.trim(), password));
    } catch (error) {
      setWrong(error instanceof ApiError && error.status === 401 ? t("login.wrong") : errorText(error));
    }
    setBusy(false);
  };
  return h(Frame, { title: t("login.title") },
    h("form.stack", { onSubmit: submit, noValidate: true },
      h(Field, { label: t("login.name"), value: name, onInput: setName, autocomplete: "username", focus: true }),
      h(Field, { label: t("login.password"), type: "password", value: password, onInput: setPassword, autocomplete: "current-password" }),
      h("p.error-text", { role: "alert" }, wrong),
      h("button.primary.wide", { type: "submit", disabled: busy }, t("login.submit"))));
}

export function UnreachablePage(props: { retry: () => void }) {
  useStore((s) => s.language);
  return h(Frame, { title: t("error.unreachable_title"), lead: t("error.unreachable") },
    h("button.primary.wide", { onClick: props.retry }, t("error.retry")));
}
