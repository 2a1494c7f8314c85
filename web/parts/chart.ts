/* A line or bar chart of a table whose first column is _time; every numeric column is a series. */
import uPlot from "uplot";
import { useEffect, useRef, useState } from "preact/hooks";
import { h } from "./h.ts";
import { axes, cssColour } from "./histogram.ts";
import { scalarText, visible } from "./visible.ts";
import { dateTime, grouped, toMillis } from "./format.ts";
import { isDark, useStore } from "../state.ts";
import { t } from "../i18n/text.ts";
import type { Scalar, Value } from "../api.ts";

const SERIES_MAX = 8; // as many as there are colours that are told apart
const DASHES = [[], [], [], [], [6, 3], [6, 3], [6, 3], [6, 3]];

export function chartable(columns: string[]): boolean {
  return columns[0] === "_time" && columns.length > 1;
}

function number(value: Value | undefined): number | null {
  if (value === null || value === undefined || Array.isArray(value)) return null;
  const text = scalarText(value as Scalar);
  return text !== "" && Number.isFinite(Number(text)) ? Number(text) : null;
}

function build(columns: string[], rows: Value[][]): { names: string[]; data: uPlot.AlignedData; left_out: number } {
  const points = rows
    .map((row) => ({ time: toMillis(row[0]), row }))
    .filter((point): point is { time: number; row: Value[] } => point.time !== null)
    .sort((a, b) => a.time - b.time);
  const numeric: { name: string; values: (number | null)[] }[] = [];
  for (let i = 1; i < columns.length; i++) {
    if (columns[i]!.startsWith("_")) continue;
    const values = points.map((point) => number(point.row[i]));
    if (values.some((value) => value !== null)) numeric.push({ name: columns[i]!, values });
  }
  const shown = numeric.slice(0, SERIES_MAX);
  return {
    names: shown.map((one) => one.name), left_out: numeric.length - shown.length,
    data: [points.map((point) => point.time / 1000), ...shown.map((one) => one.values)] as uPlot.AlignedData,
  };
}

export function Chart(props: { columns: string[]; rows: Value[][]; total: number }) {
  const host = useRef<HTMLDivElement>(null);
  const legend = useRef<HTMLUListElement>(null);
  const [bars, setBars] = useState(false);
  const dark = useStore(isDark);
  const language = useStore((s) => s.language);
  const built = build(props.columns, props.rows);
  const colour = (i: number) => cssColour(`--series-${i + 1}`);

  useEffect(() => {
    const element = host.current!;
    const width = () => element.clientWidth || 600;
    const height = () => Math.max(200, element.clientHeight - 8);
    const count = built.names.length;
    const plot = new uPlot({
      width: width(), height: height(), padding: [12, 12, 0, 0], legend: { show: false },
      cursor: { y: false, drag: { x: true, y: false } },
      scales: { y: { range: (_, min, max) => [Math.min(0, min ?? 0), Math.max(1, (max ?? 1) * 1.05)] } },
      axes: axes(dark),
      hooks: { setCursor: [(u) => showValues(u, legend.current)] },
      series: [{}, ...built.names.map((label, i) => ({
        label, stroke: colour(i), width: bars ? 0 : 1.75, dash: bars ? [] : DASHES[i]!, fill: bars ? colour(i) : undefined,
        points: { show: !bars && props.rows.length < 60, size: 5 },
        paths: bars ? uPlot.paths.bars!({ size: [0.8 / count, 60], align: 1 }) : undefined!,
      }) as uPlot.Series)],
    }, built.data, element);
    const observer = new ResizeObserver(() => plot.setSize({ width: width(), height: height() }));
    observer.observe(element);
    return () => { observer.disconnect(); plot.destroy(); };
  }, [dark, language, bars, props.rows, props.columns]);

  return h("section.chart", null,
    h("div.chart-head", null,
      h("div.segmented", { role: "group", "aria-label": t("chart.kind") },
        h("button", { "aria-pressed": !bars, onClick: () => setBars(false) }, t("chart.line")),
        h("button", { "aria-pressed": bars, onClick: () => setBars(true) }, t("chart.bar"))),
      h("ul.legend", { ref: legend }, h("li", { key: "" }, h("time.readout", null)), built.names.map((name, i) => h("li", { key: name },
        h("i", { class: i >= 4 && !bars ? "dashed" : "", style: { borderColor: colour(i) } }), h("bdi", null, visible(name)), h("b.readout", null)))),
      built.left_out > 0 && h("span.dim", null, t("chart.left_out", { n: built.left_out })),
      props.total > props.rows.length && h("span.dim", null, t("chart.first_rows", { n: props.rows.length }))),
    h("div.plot.tall", { ref: host }));
}

/* The moment and the values under the pointer, written into the legend without re-rendering the page. */
function showValues(u: uPlot, legend: HTMLElement | null): void {
  const at = u.cursor.idx;
  legend?.querySelectorAll(".readout").forEach((out, i) => {
    const value = at === null || at === undefined ? null : u.data[i]?.[at];
    out.textContent = value === null || value === undefined ? "" : i === 0 ? dateTime(value) : " " + grouped(value);
  });
}
