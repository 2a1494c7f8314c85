/* ⌘K: every page, every personal choice, the open incidents, and what is typed as a search. */
import { useEffect, useRef, useState } from "preact/hooks";
import { h } from "./h.ts";
import { GO } from "./keys.ts";
import { chooseLanguage, signOut } from "./shell.ts";
import { Text } from "./visible.ts";
import { api } from "../api.ts";
import type { Incident } from "../api.ts";
import { PAGES, hashFor, navigate, setState, setTheme, useStore } from "../state.ts";
import { both, t } from "../i18n/text.ts";
import type { Key } from "../i18n/text.ts";

interface Command { id: string; name: string; kind: string; keys?: string[]; run: () => void }
const SHOWN = 12;

function commands(incidents: Incident[]): Command[] {
  const keyOf = (page: string) => Object.entries(GO).find(([, to]) => to === page)?.[0];
  const pages = PAGES.filter((page) => page !== "entity").map((page): Command => ({
    id: "page-" + page, name: t(`nav.${page}` as Key), kind: t("palette.page"), ...(keyOf(page) ? { keys: ["g", keyOf(page)!] } : {}), run: () => { location.hash = hashFor(page); },
  }));
  const own: Command[] = [
    { id: "ja", name: "日本語", kind: t("palette.language"), run: () => void chooseLanguage("ja") },
    { id: "en", name: "English", kind: t("palette.language"), run: () => void chooseLanguage("en") },
    ...(["light", "dark", "auto"] as const).map((theme): Command => ({ id: theme, name: t("theme.title", { name: t(`theme.${theme}` as Key) }), kind: t("palette.look"), run: () => setTheme(theme) })),
    { id: "live", name: t("palette.live"), kind: t("palette.command"), run: () => navigate("search", { q: "*", live: "1" }) },
    { id: "help", name: t("help.title"), kind: t("palette.command"), keys: ["?"], run: () => setState({ help: true }) },
    { id: "out", name: t("nav.logout"), kind: t("palette.command"), run: () => void signOut() },
  ];
  return [...pages, ...own, ...incidents.map((one): Command => ({ id: one.id, name: `${one.id} ${both(one.title)}`, kind: t("palette.incident"), run: () => navigate("incidents", { id: one.id }) }))];
}

/* Every word must be in it somewhere. */
function fits(command: Command, wanted: string): boolean {
  const text = (command.name + " " + command.kind + " " + command.id).toLowerCase();
  return wanted.toLowerCase().split(/\s+/).every((part) => text.includes(part));
}

export function Palette() {
  const open = useStore((s) => s.palette);
  useStore((s) => s.language);
  const dialog = useRef<HTMLDialogElement>(null);
  const [wanted, setWanted] = useState("");
  const [at, setAt] = useState(0);
  const [incidents, setIncidents] = useState<Incident[]>([]);
  useEffect(() => {
    if (!open) { dialog.current!.close(); return; }
    setWanted("");
    setAt(0);
    if (!dialog.current!.open) dialog.current!.showModal();
    void api.incidents("open,acknowledged", 50).then((found) => setIncidents(found.incidents), () => {});
  }, [open]);
  const close = () => setState({ palette: false });
  const found = open ? commands(incidents).filter((command) => fits(command, wanted.trim())).slice(0, SHOWN) : [];
  if (open && wanted.trim()) found.push({ id: "search", name: t("palette.search", { text: wanted.trim() }), kind: t("nav.search"), run: () => navigate("search", { q: wanted.trim() }) });
  const chosen = found[Math.min(at, found.length - 1)];
  const pick = (command: Command | undefined) => { if (command) { close(); command.run(); } };
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.isComposing) return;
    const step = event.key === "ArrowDown" ? 1 : event.key === "ArrowUp" ? found.length - 1 : 0;
    if (step) setAt((Math.min(at, found.length - 1) + step) % found.length);
    else if (event.key === "Enter") pick(chosen);
    else return;
    event.preventDefault();
  };
  return h("dialog.palette", { ref: dialog, "aria-label": t("palette.title"), onCancel: (e: Event) => { e.preventDefault(); close(); }, onClick: (e: Event) => { if (e.target === dialog.current) close(); } },
    open && h("div", null,
      h("input", { type: "search", role: "combobox", "aria-expanded": true, "aria-controls": "palette-list", "aria-activedescendant": chosen ? "palette-" + chosen.id : undefined, "aria-label": t("palette.title"),
        placeholder: t("palette.placeholder"), autocomplete: "off", autofocus: true, value: wanted, onInput: (e: Event) => { setWanted((e.target as HTMLInputElement).value); setAt(0); }, onKeyDown }),
      h("ul", { id: "palette-list", role: "listbox", "aria-label": t("palette.title") }, found.map((command) =>
        h("li", { key: command.id, id: "palette-" + command.id, role: "option", "aria-selected": command === chosen, onClick: () => pick(command) },
          h("span.palette-name", null, h(Text, { text: command.name })), h("small", null, command.kind), command.keys && h("span", null, command.keys.map((key) => h("kbd", { key }, key))))))));
}
