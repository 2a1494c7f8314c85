/* What the columns of a result are: time, labels, numbers, places, steps. */
import { scalarText, valueText } from "../parts/visible.ts";
import type { Scalar, Value } from "../api.ts";

const LOOKED_AT = 200;

/* A double for the eye; the exact text stands in tables and titles. */
export function numberOf(value: Value | undefined): number | null {
  if (value === null || value === undefined || Array.isArray(value)) return null;
  const text = scalarText(value as Scalar);
  return text !== "" && Number.isFinite(Number(text)) ? Number(text) : null;
}

export const isTimed = (columns: string[]): boolean => columns[0] === "_time" && columns.length > 1 && !columns.includes("_raw");

export function numericColumns(columns: string[], rows: Value[][]): number[] {
  return columns.map((_, i) => i).filter((i) => {
    if (columns[i]!.startsWith("_")) return false;
    let seen = false;
    for (const row of rows.slice(0, LOOKED_AT)) {
      const value = row[i];
      if (value === null || value === undefined) continue;
      if (numberOf(value) === null) return false;
      seen = true;
    }
    return seen;
  });
}

/* The first column that names its row; numbers do too when nothing else does and more columns follow. -1: none. */
export function labelColumn(columns: string[], rows: Value[][]): number {
  const numeric = new Set(numericColumns(columns, rows));
  const at = columns.findIndex((name, i) => !numeric.has(i) && !name.startsWith("_"));
  return at >= 0 ? at : columns.length > 1 ? 0 : -1;
}

/* The numbers beside the label. */
export const valueColumns = (columns: string[], rows: Value[][]): number[] => numericColumns(columns, rows).filter((i) => i !== labelColumn(columns, rows));

const find = (columns: string[], names: string[]) => columns.findIndex((name) => names.includes(name));
export const latitude = (columns: string[]): number => find(columns, ["latitude", "lat", "source.geo.location.lat"]);
export const longitude = (columns: string[]): number => find(columns, ["longitude", "lon", "source.geo.location.lon"]);
export const isPlace = (columns: string[]): boolean => latitude(columns) >= 0 && longitude(columns) >= 0;

export const stepFrom = (columns: string[]): number => find(columns, ["from", "source", "from_activity"]);
export const stepTo = (columns: string[]): number => find(columns, ["to", "target", "to_activity"]);
export const isStep = (columns: string[]): boolean => stepFrom(columns) >= 0 && stepTo(columns) >= 0;

export const label = (value: Value | undefined): string => valueText(value) || "–";
