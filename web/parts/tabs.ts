/* The parts of a page that are shown one at a time. They are links, so each has an address, and Back leads to the one before. */
import { useReducer, useRef } from "preact/hooks";
import { h } from "./h.ts";
import { useListKeys } from "./keys.ts";
import { hashFor, useStore } from "../state.ts";
import type { PageName } from "../state.ts";

export interface Tab { id: string; name: string; count?: number }

/* Which of them the address names; the first when it names none. */
export function useTab(ids: readonly string[], first = ids[0]!): string {
  const wanted = useStore((s) => s.route.params).get("tab");
  return ids.find((id) => id === wanted) ?? first;
}

export function Tabs(props: { page: PageName; label: string; tabs: Tab[]; current: string }) {
  return h("nav.tabs", { "aria-label": props.label }, props.tabs.map((tab) =>
    h("a", { key: tab.id, href: hashFor(props.page, { tab: tab.id }), "aria-current": tab.id === props.current ? "page" : undefined },
      tab.name, tab.count ? h("span.count", null, tab.count) : null)));
}

/* The row of a list that j and k are on. Rows carry the id `prefix-ID` in the document, so that it can be scrolled to. */
export function useCursor(prefix: string, ids: string[], open: (id: string) => void, close: () => void): string | null {
  const at = useRef<string | null>(null);
  const [, again] = useReducer((count: number) => count + 1, 0);
  useListKeys({
    move: (by) => {
      const index = ids.indexOf(at.current ?? "");
      at.current = ids[Math.max(0, Math.min(ids.length - 1, index + by))] ?? null;
      document.getElementById(`${prefix}-${at.current}`)?.scrollIntoView({ block: "nearest" });
      again(undefined);
    },
    open: () => { if (at.current && ids.includes(at.current)) open(at.current); },
    close,
  });
  return at.current;
}

/* Enter goes to what can be done with the row. */
export const focusButton = (prefix: string) => (id: string): void => document.getElementById(`${prefix}-${id}`)?.querySelector<HTMLElement>("button,a")?.focus();
