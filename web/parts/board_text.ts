/* A dashboard as the text that is kept: JSON, which is YAML too (docs/dashboards.md). What is not set is left out. */
import { quoted } from "./spl_edit.ts";
import type { Dashboard, PanelSpec } from "../api.ts";

export type BoardDraft = Pick<Dashboard, "name" | "title" | "about" | "range" | "refresh_s" | "home" | "variables" | "annotations" | "panels">;

function without<T extends object>(object: T): Partial<T> {
  return Object.fromEntries(Object.entries(object).filter(([, value]) => value !== null && value !== "" && value !== false && !(Array.isArray(value) && value.length === 0))) as Partial<T>;
}

export function panelText(panel: PanelSpec): Partial<PanelSpec> {
  return { ...without(panel), x: panel.x, y: panel.y, w: panel.w, h: panel.h };
}

export function boardText(board: BoardDraft): string {
  const { name, refresh_s, panels, variables, annotations, ...rest } = board;
  const picked = { title: rest.title, about: rest.about, range: rest.range, home: rest.home };
  return JSON.stringify({
    dashboard: name, ...without(picked), ...(refresh_s ? { refresh: `${refresh_s}s` } : {}),
    ...without({ variables: variables.map((one) => without(one)), annotations: annotations.map((one) => without(one)) }), panels: panels.map(panelText),
  }, null, 1);
}

/* Below what is there, as wide as half of it. */
export function placeFor(panels: PanelSpec[], w: number, h: number): Pick<PanelSpec, "x" | "y" | "w" | "h"> {
  const bottom = Math.max(0, ...panels.map((one) => one.y + one.h));
  for (let y = 0; y < bottom; y++)
    for (let x = 0; x + w <= 12; x++)
      if (!panels.some((one) => one.x < x + w && x < one.x + one.w && one.y < y + h && y < one.y + one.h)) return { x, y, w, h };
  return { x: 0, y: bottom, w, h };
}

export function newId(panels: PanelSpec[]): string {
  let n = panels.length + 1;
  while (panels.some((one) => one.id === `p${n}`)) n++;
  return `p${n}`;
}

/* $name$ becomes the chosen value, in quotes; a star stays one. Unknown names stay as they are. */
export function withValues(search: string, values: Record<string, string>): string {
  return search.replace(/\$([a-z0-9_]+)\$/g, (whole, name: string) => {
    const value = values[name];
    return value === undefined ? whole : value === "*" ? "*" : quoted(value);
  });
}
