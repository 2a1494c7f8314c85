/*
 * Keyboard: ⌘K or Ctrl+K, `/` and `g x` everywhere; j, k, Enter and Esc go to the list that is on the screen, further single keys
 * to what the page offers (useKeys).
 */
import { useEffect, useRef } from "preact/hooks";
import { getState, navigate, setState } from "../state.ts";
import type { PageName } from "../state.ts";

export interface ListKeys { move: (by: 1 | -1) => void; open: () => void; close: () => void }

interface Listed extends ListKeys { within: string | undefined; first: boolean }
let lists: Listed[] = [];
let afterG = 0; // when g was pressed

export const GO: Record<string, PageName> = { h: "home", d: "dashboards", r: "rules", s: "search", i: "incidents", w: "wake", b: "brake", o: "sources", a: "access" };

/*
 * The list that has the focus receives the keys (within: where it is drawn), else the one that says it comes first on its page, else the one that
 * was mounted last.
 */
export function useListKeys(keys: ListKeys, where: { within?: string; first?: boolean } = {}): void {
  const current = useRef(keys);
  current.current = keys;
  useEffect(() => {
    const mine: Listed = {
      move: (by) => current.current.move(by), open: () => current.current.open(), close: () => current.current.close(), within: where.within, first: where.first ?? false,
    };
    lists.push(mine);
    return () => { lists = lists.filter((other) => other !== mine); };
  }, []);
}

function listOf(): Listed | undefined {
  const focused = document.activeElement;
  return lists.find((one) => one.within && focused?.closest(one.within)) ?? lists.find((one) => one.first) ?? lists[lists.length - 1];
}

let actions: Record<string, () => void>[] = [];

/* Single keys of what is mounted; the last one mounted wins. */
export function useKeys(keys: Record<string, () => void>): void {
  const current = useRef(keys);
  current.current = keys;
  useEffect(() => {
    const mine = Object.fromEntries(Object.keys(keys).map((key) => [key, () => current.current[key]?.()]));
    actions.push(mine);
    return () => { actions = actions.filter((other) => other !== mine); };
  }, []);
}

function typing(event: KeyboardEvent): boolean {
  const target = event.composedPath()[0];
  if (!(target instanceof HTMLElement)) return false;
  return target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName);
}

export function focusSearch(): void {
  document.dispatchEvent(new CustomEvent("hinomi-focus-search"));
}

function onKey(event: KeyboardEvent): void {
  if (getState().user && (event.ctrlKey || event.metaKey) && event.key === "k" && !event.altKey && !event.isComposing) {
    event.preventDefault();
    return setState({ palette: !getState().palette });
  }
  if (event.key === "Escape" && getState().palette) { // also before it is drawn
    event.preventDefault();
    return setState({ palette: false });
  }
  if (!getState().user || event.ctrlKey || event.metaKey || event.altKey || event.isComposing || event.defaultPrevented) return;
  if (typing(event)) return;
  const key = event.key;
  const target = event.composedPath()[0];
  const onControl = target instanceof Element && target.closest("button,a,summary,dialog,[role=menu]") !== null;
  const inMenu = target instanceof Element && target.closest("dialog,[role=menu]") !== null;
  const list = listOf();
  const action = [...actions].reverse().find((one) => one[key])?.[key];
  let used = true;
  if (Date.now() - afterG < 1200 && GO[key]) navigate(GO[key]!);
  else if (key === "/") {
    if (getState().route.page !== "search" && getState().route.page !== "home") navigate("search");
    setTimeout(focusSearch, 0);
  } else if (key === "?") setState({ help: !getState().help });
  else if (key === "j") list?.move(1);
  else if (key === "k") list?.move(-1);
  else if (key === "Enter" && !onControl) list?.open();
  else if (key === "Escape" && !inMenu) list?.close();
  else if (action) action();
  else used = false;
  afterG = key === "g" ? Date.now() : 0;
  if (used) event.preventDefault();
}

export function startKeys(): void {
  document.addEventListener("keydown", onKey);
}
