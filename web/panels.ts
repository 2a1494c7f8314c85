/*
 * The kinds of panels: how the rows of a search are looked at. The search page offers those that fit what it found, dashboards all. A kind more
 * is a file in panels/ and a line here.
 */
import type { FunctionComponent } from "preact";
import { TimePanel } from "./panels/time.ts";
import { BarPanel } from "./panels/bars.ts";
import { SinglePanel } from "./panels/single.ts";
import { RowsPanel } from "./panels/rows.ts";
import { HeatPanel } from "./panels/heat.ts";
import { PiePanel } from "./panels/pie.ts";
import { MapPanel } from "./panels/map.ts";
import { lazy } from "./parts/lazy.ts";
import { EventsPanel } from "./panels/events.ts";
import { isPlace, isStep, isTimed, labelColumn, numericColumns } from "./panels/columns.ts";
import type { Value } from "./api.ts";

export interface Mark { time: number; text: string } // moments worth a line, in seconds
export interface PanelProps {
  columns: string[]; rows: Value[][]; total: number; kind: PanelKindName; stacked: boolean; unit: string; marks: Mark[];
  onZoom?: ((from: string, to: string) => void) | undefined;
  onPick?: ((field: string, value: string) => void) | undefined;
}
export type PanelKindName = "line" | "area" | "column" | "bar" | "single" | "table" | "heat" | "pie" | "map" | "flow" | "events";
interface PanelKind { draw: FunctionComponent<PanelProps>; fits: (columns: string[], rows: Value[][]) => boolean }

const FlowPanel = lazy<PanelProps>(() => import("./panels/flow.ts").then((made) => made.FlowPanel));

const labelled = (columns: string[], rows: Value[][]) => !isTimed(columns) && labelColumn(columns, rows) >= 0 && numericColumns(columns, rows).length > 0;

export const PANELS: Record<PanelKindName, PanelKind> = {
  table: { draw: RowsPanel, fits: () => true },
  line: { draw: TimePanel, fits: isTimed }, area: { draw: TimePanel, fits: isTimed }, column: { draw: TimePanel, fits: isTimed },
  bar: { draw: BarPanel, fits: labelled }, pie: { draw: PiePanel, fits: labelled },
  single: { draw: SinglePanel, fits: (columns, rows) => numericColumns(columns, rows).length > 0 && (rows.length === 1 || isTimed(columns)) },
  heat: { draw: HeatPanel, fits: (columns, rows) => columns.length > 2 && numericColumns(columns, rows).length > 1 },
  map: { draw: MapPanel, fits: isPlace }, flow: { draw: FlowPanel, fits: isStep },
  events: { draw: EventsPanel, fits: (columns) => columns.includes("_raw") },
};
export const PANEL_KINDS = Object.keys(PANELS) as PanelKindName[];

/* What a result is best looked at as, when nobody has said. */
export function bestKind(columns: string[], rows: Value[][]): PanelKindName {
  for (const kind of ["map", "flow", "single", "line", "bar"] as const)
    if (PANELS[kind].fits(columns, rows) && !(kind === "single" && isTimed(columns))) return kind;
  return "table";
}
