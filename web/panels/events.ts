/* The newest events, a line each. */
import { h } from "../parts/h.ts";
import { dateTime, utc } from "../parts/format.ts";
import { valueText, visible } from "../parts/visible.ts";
import type { PanelProps } from "../panels.ts";

const LINES_MAX = 100;
const LINE_BYTES = 400;

export function EventsPanel(props: PanelProps) {
  const at = (name: string) => props.columns.indexOf(name);
  return h("ol.events-panel", { tabIndex: 0 }, props.rows.slice(0, LINES_MAX).map((row, i) => h("li", { key: i },
    h("time", { title: utc(valueText(row[at("_time")])) }, dateTime(valueText(row[at("_time")]))),
    h("span", null, h("bdi", null, visible(valueText(row[at("_raw")]).slice(0, LINE_BYTES)))))));
}
