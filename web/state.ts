/*
 * What every part of the console shares: who is signed in, language, theme, the route and the overview.
 * One store, replaced whole on change; useStore() re-renders a component when the slice it selects changed.
 */
import { useEffect, useReducer, useRef } from "preact/hooks";
import type { Language, Overview, Status, User } from "./api.ts";

export type PageName = "home" | "search" | "dashboards" | "incidents" | "wake" | "brake" | "rules" | "sources" | "unknown" | "exceptions" | "access" | "entity";
export const PAGES: PageName[] = ["home", "search", "dashboards", "incidents", "wake", "brake", "rules", "sources", "unknown", "exceptions", "access", "entity"];
export type Theme = "auto" | "light" | "dark";
export interface Route { page: PageName; params: URLSearchParams; count: number }
export interface Notice { id: number; level: "ok" | "bad"; text: string }

export interface State {
  status: Status | null;
  user: User | null | undefined; // undefined: not known yet
  language: Language;
  theme: Theme;
  route: Route;
  overview: Overview | null;
  reachable: boolean;
  help: boolean;
  palette: boolean;
  notices: Notice[];
}

/* Storage may be blocked by the browser; the choice then lasts until the tab is closed. */
function stored(key: string): string | null {
  try { return localStorage.getItem("hinomi." + key); } catch { return null; }
}
function store(key: string, value: string): void {
  try { localStorage.setItem("hinomi." + key, value); } catch { /* see stored() */ }
}

function firstLanguage(): Language {
  const saved = stored("language");
  if (saved === "ja" || saved === "en") return saved;
  return navigator.language.toLowerCase().startsWith("ja") ? "ja" : "en";
}

function firstTheme(): Theme {
  const saved = stored("theme");
  return saved === "light" || saved === "dark" ? saved : "auto";
}

/* Where each page was last, so that its link leads back there. */
const visited = new Map<PageName, string>();
export const lastHash = (page: PageName): string => visited.get(page) ?? hashFor(page);

function readRoute(): Route {
  const [path = "", query = ""] = location.hash.replace(/^#\/?/, "").split("?", 2);
  const page = PAGES.find((name) => name === path) ?? "home";
  visited.set(page, location.hash || hashFor(page));
  return { page, params: new URLSearchParams(query), count: (state?.route.count ?? 0) + 1 };
}

let state: State = undefined as unknown as State;
state = {
  status: null, user: undefined, language: firstLanguage(), theme: firstTheme(), route: readRoute(),
  overview: null, reachable: true, help: false, palette: false, notices: [],
};

const listeners = new Set<() => void>();
export const getState = (): State => state;

export function setState(change: Partial<State>): void {
  state = { ...state, ...change };
  for (const listener of [...listeners]) listener();
}

export function useStore<T>(select: (state: State) => T): T {
  const [, again] = useReducer((count: number) => count + 1, 0);
  const latest = useRef<T>(select(state));
  latest.current = select(state);
  useEffect(() => {
    const listener = () => { if (!Object.is(select(state), latest.current)) again(undefined); };
    listeners.add(listener);
    listener(); // it may have changed between render and effect
    return () => { listeners.delete(listener); };
  }, []);
  return latest.current;
}

export function setLanguage(language: Language): void {
  store("language", language);
  document.documentElement.lang = language;
  setState({ language });
}

export function setTheme(theme: Theme): void {
  store("theme", theme);
  setState({ theme });
  applyTheme();
}

const darkPreferred = matchMedia("(prefers-color-scheme: dark)");
export const isDark = (): boolean => state.theme === "dark" || (state.theme === "auto" && darkPreferred.matches);

export function applyTheme(): void {
  document.documentElement.dataset.theme = isDark() ? "dark" : "light";
  document.documentElement.lang = state.language;
}
darkPreferred.addEventListener("change", () => { applyTheme(); setState({}); });

export function hashFor(page: PageName, params: Record<string, string | undefined> = {}): string {
  const query = new URLSearchParams();
  for (const [key, value] of Object.entries(params)) if (value !== undefined && value !== "") query.set(key, value);
  const text = query.toString();
  return `#/${page}${text ? "?" + text : ""}`;
}

/* Going to where one already is counts too: pages see route.count change and do their work again. */
export function navigate(page: PageName, params: Record<string, string | undefined> = {}, how: "push" | "replace" = "push"): void {
  const hash = hashFor(page, params);
  if (how === "replace" || hash === location.hash) {
    history.replaceState(null, "", hash);
    setState({ route: readRoute() });
  } else {
    location.hash = hash;
  }
}
addEventListener("hashchange", () => setState({ route: readRoute() }));

let noticeId = 0;
export function notify(level: Notice["level"], text: string): void {
  const notice = { id: ++noticeId, level, text };
  setState({ notices: [...state.notices.slice(-3), notice] });
  setTimeout(() => setState({ notices: state.notices.filter((other) => other.id !== notice.id) }), level === "ok" ? 3500 : 9000);
}

const RANK = { support: -1, auditor: 0, viewer: 0, analyst: 1, responder: 2, engineer: 3, approver: 0, admin: 9 };
/* Only to hide what the server would refuse; the server decides. Approving is nobody's but an approver's, not even an administrator's. */
export function may(role: keyof typeof RANK): boolean {
  const mine = state.user?.role;
  if (!mine) return false;
  return role === "approver" || role === "auditor" ? mine === role : RANK[mine] >= RANK[role];
}
