/* The frame around every page: header with navigation and personal choices, strip, notices, help. */
import { useEffect, useRef } from "preact/hooks";
import { h as svg } from "preact";
import { h } from "./h.ts";
import type { Child } from "./h.ts";
import { Strip, useOverview } from "./strip.ts";
import { Palette } from "./palette.ts";
import { Text } from "./visible.ts";
import { errorText } from "./poll.ts";
import { api } from "../api.ts";
import type { Language } from "../api.ts";
import { PAGES, getState, hashFor, lastHash, notify, setLanguage, setState, setTheme, useStore } from "../state.ts";
import type { PageName, Theme } from "../state.ts";
import { t, word } from "../i18n/text.ts";
import type { Key } from "../i18n/text.ts";

export async function chooseLanguage(language: Language): Promise<void> {
  setLanguage(language);
  if (getState().user) await api.setLanguage(language).catch((error) => notify("bad", errorText(error)));
}

export function LanguageSwitch() {
  const language = useStore((s) => s.language);
  const one = (code: Language, name: string) =>
    h("button", { "aria-pressed": language === code, lang: code, onClick: () => void chooseLanguage(code) }, name);
  return h("div.segmented.language", { role: "group", "aria-label": "言語 / Language" }, one("ja", "日本語"), one("en", "English"));
}

const THEMES: Record<Theme, [next: Theme, icon: string]> = { auto: ["light", "◐"], light: ["dark", "☀"], dark: ["auto", "☾"] };

export function ThemeSwitch() {
  const theme = useStore((s) => s.theme);
  const name = t(`theme.${theme}` as Key);
  return h("button.quiet.theme", { title: t("theme.title", { name }), "aria-label": t("theme.title", { name }), onClick: () => setTheme(THEMES[theme][0]) }, THEMES[theme][1]);
}

export async function signOut(): Promise<void> {
  try {
    await api.logout();
    setState({ user: null, overview: null });
  } catch (error) {
    notify("bad", errorText(error));
  }
}

export function Mark() {
  return h("span.mark", null,
    svg("svg", { viewBox: "0 0 32 32", width: 22, height: 22, "aria-hidden": true },
      svg("rect", { class: "mark-ground", width: 32, height: 32, rx: 7 }),
      svg("path", { class: "mark-tower", d: "M8 12 16 6l8 6zM11 14h10v3H11zM12.5 18.5h2V27h-2zM17.5 18.5h2V27h-2z" }),
      svg("circle", { class: "mark-fire", cx: 16, cy: 15.5, r: 2.3 })),
    h("b", { lang: "ja" }, "火の見"), h("span", null, "Hinomi"));
}

const REACHED: PageName[] = ["unknown", "exceptions", "entity"]; // from other pages, not from the bar

export function Shell(props: { children?: Child }) {
  const user = useStore((s) => s.user)!;
  const page = useStore((s) => s.route.page);
  const overview = useStore((s) => s.overview);
  useStore((s) => s.language);
  useOverview();
  const open = overview?.wake.open ?? 0;
  useEffect(() => { document.title = `${open > 0 ? `(${open}) ` : ""}${t(`nav.${page}` as Key)} – 火の見 Hinomi`; });

  const pages = PAGES.filter((name) => !REACHED.includes(name));
  const current = page === "unknown" ? "sources" : page === "exceptions" || page === "entity" ? "incidents" : page; // they are reached from there
  const running = overview?.wake.running_pages ?? 0;
  const badge = (name: PageName) => (name === "wake" && running > 0 ? h("span.nav-badge", null, running) : name === "incidents" && open > 0 ? h("span.nav-badge", null, open)
    : name === "brake" && overview && overview.brake.held > 0 ? h("span.nav-badge.warn", null, overview.brake.held) : null);
  return h("div.shell", null,
    h("header.top", null,
      h("a.home", { href: hashFor("home"), "aria-label": "火の見 Hinomi" }, h(Mark, {})),
      h("nav.pages", { "aria-label": t("nav.label") }, pages.map((name) =>
        h("a", { key: name, href: page === name ? hashFor(name) : lastHash(name), "aria-current": current === name ? "page" : undefined },
          t(`nav.${name}` as Key), badge(name)))),
      h("span.spring", null),
      h("button.palette-open", { title: t("palette.title"), onClick: () => setState({ palette: true }) }, h("span", null, t("palette.open")), h("kbd", null, "⌘K")),
      h("button.quiet", { title: t("help.title") + " (?)", "aria-label": t("help.title"), onClick: () => setState({ help: true }) }, "?"),
      h(ThemeSwitch, {}), h(LanguageSwitch, {}),
      h("span.who", { title: word("role", user.role) }, h(Text, { text: user.name }), h("small", null, word("role", user.role))),
      h("button.quiet.logout", { onClick: () => void signOut() }, t("nav.logout"))),
    h(Strip, {}),
    props.children,
    h(Notices, {}), h(Help, {}), h(Palette, {}));
}

export function Notices() {
  const notices = useStore((s) => s.notices);
  return h("div.notices", { "aria-live": "polite" }, notices.map((notice) =>
    h("p.notice", { key: notice.id, class: notice.level }, h("b", { "aria-hidden": true }, notice.level === "ok" ? "✓ " : "✕ "), notice.text)));
}

const KEYS: [keys: string[], about: Key][] = [
  [["⌘", "K"], "key.palette"], [["/"], "key.search"], [["g", "h"], "key.go_home"], [["g", "s"], "key.go_search"], [["g", "d"], "key.go_dashboards"], [["g", "i"], "key.go_incidents"], [["g", "w"], "key.go_wake"], [["g", "b"], "key.go_brake"],
  [["g", "r"], "key.go_rules"], [["g", "o"], "key.go_sources"], [["g", "a"], "key.go_access"], [["j"], "key.down"], [["k"], "key.up"], [["Enter"], "key.open"], [["Esc"], "key.close"],
  [["Enter"], "key.run"], [["Shift", "Enter"], "key.newline"], [["Ctrl", "Space"], "key.complete"], [["?"], "key.help"],
];

function Help() {
  const open = useStore((s) => s.help);
  const dialog = useRef<HTMLDialogElement>(null);
  useStore((s) => s.language);
  useEffect(() => {
    if (open && !dialog.current!.open) dialog.current!.showModal();
    if (!open) dialog.current!.close();
  }, [open]);
  return h("dialog.help", { ref: dialog, "aria-label": t("help.title"), onClose: () => setState({ help: false }),
    onClick: (e: Event) => { if (e.target === dialog.current) setState({ help: false }); },
    onKeyDown: (e: KeyboardEvent) => { if (e.key === "?") { e.preventDefault(); setState({ help: false }); } } },
    open && h("div", null,
      h("h2", null, t("help.title")),
      h("dl.keys", null, KEYS.map(([keys, about], i) => h("div", { key: i }, h("dt", null, keys.map((key) => h("kbd", { key }, key))), h("dd", null, t(about))))),
      h("button", { onClick: () => setState({ help: false }) }, t("help.close"))));
}
