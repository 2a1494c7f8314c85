/* Lines, areas or columns over time: every numeric column is a series. Marks (deploys, incidents) are lines across; dragging zooms. */
import uPlot from "uplot";
import { useEffect, useRef } from "preact/hooks";
import { h } from "../parts/h.ts";
import { axes, cssColour } from "../parts/histogram.ts";
import { visible } from "../parts/visible.ts";
import { dateTime, grouped, toMillis } from "../parts/format.ts";
import { numberOf, numericColumns } from "./columns.ts";
import type { Mark, PanelProps } from "../panels.ts";
import { isDark, useStore } from "../state.ts";
import { t } from "../i18n/text.ts";
import type { Value } from "../api.ts";

const SERIES_MAX = 8; // as many as there are colours that are told apart
const DASHES = [[], [], [], [], [6, 3], [6, 3], [6, 3], [6, 3]];
const POINTS_SHOWN = 60;

interface Built { names: string[]; real: uPlot.AlignedData; drawn: uPlot.AlignedData; left_out: number }

/* Stacked series are drawn as sums of those before; what the pointer reads is the real value. */
function build(columns: string[], rows: Value[][], stacked: boolean): Built {
  const points = rows
    .map((row) => ({ time: toMillis(row[0]), row }))
    .filter((point): point is { time: number; row: Value[] } => point.time !== null)
    .sort((a, b) => a.time - b.time);
  const numeric = numericColumns(columns, rows).filter((i) => i > 0);
  const shown = numeric.slice(0, SERIES_MAX);
  const series = shown.map((i) => points.map((point) => numberOf(point.row[i])));
  const drawn: (number | null)[][] = [];
  series.forEach((values, i) => drawn.push(stacked && i > 0 ? values.map((value, k) => (value ?? 0) + (drawn[i - 1]![k] ?? 0)) : values));
  const times = points.map((point) => point.time / 1000);
  return { names: shown.map((i) => columns[i]!), left_out: numeric.length - shown.length, real: [times, ...series] as uPlot.AlignedData, drawn: [times, ...drawn] as uPlot.AlignedData };
}

function drawMarks(u: uPlot, marks: Mark[]): void {
  const { ctx, bbox } = u;
  ctx.save();
  ctx.strokeStyle = cssColour("--warn");
  ctx.setLineDash([4, 3]);
  for (const mark of marks) {
    const x = Math.round(u.valToPos(mark.time, "x", true));
    if (x < bbox.left || x > bbox.left + bbox.width) continue;
    ctx.beginPath();
    ctx.moveTo(x, bbox.top);
    ctx.lineTo(x, bbox.top + bbox.height);
    ctx.stroke();
  }
  ctx.restore();
}

export function TimePanel(props: PanelProps) {
  const host = useRef<HTMLDivElement>(null);
  const legend = useRef<HTMLUListElement>(null);
  const dark = useStore(isDark);
  const language = useStore((s) => s.language);
  const { kind, marks } = props;
  const stacked = props.stacked || kind === "area";
  const built = build(props.columns, props.rows, stacked);
  const latest = useRef({ props, built });
  latest.current = { props, built };
  const colour = (i: number) => cssColour(`--series-${i + 1}`);

  useEffect(() => {
    const element = host.current!;
    const width = () => element.clientWidth || 600;
    const height = () => Math.max(90, element.clientHeight);
    const bars = kind === "column";
    const filled = bars || kind === "area";
    const count = built.names.length;
    const order = stacked ? [...built.names.keys()].reverse() : [...built.names.keys()]; // the highest first, so that those below stay seen
    const data = [built.drawn[0], ...order.map((i) => built.drawn[i + 1])] as uPlot.AlignedData;
    const plot = new uPlot({
      width: width(), height: height(), padding: [10, 22, 0, 0], legend: { show: false },
      cursor: { y: false, points: { show: !filled }, drag: { x: true, y: false, setScale: false } },
      scales: { y: { range: (_, min, max) => [Math.min(0, min ?? 0), Math.max(1, (max ?? 1) * 1.05)] } },
      axes: axes(dark),
      hooks: {
        draw: [(u) => drawMarks(u, latest.current.props.marks)],
        setCursor: [(u) => showValues(u, latest.current.built, legend.current, latest.current.props.marks)],
        setSelect: [(u) => {
          const zoom = latest.current.props.onZoom;
          if (u.select.width < 3 || !zoom) return;
          const at = (left: number) => new Date(u.posToVal(left, "x") * 1000).toISOString();
          const [from, to] = [at(u.select.left), at(u.select.left + u.select.width)];
          u.setSelect({ left: 0, width: 0, top: 0, height: 0 }, false);
          zoom(from, to);
        }],
      },
      series: [{}, ...order.map((i) => ({
        label: built.names[i], stroke: colour(i), width: bars ? 0 : 1.75, dash: filled ? [] : DASHES[i]!, fill: filled ? colour(i) : undefined,
        points: { show: !filled && props.rows.length < POINTS_SHOWN, size: 5 },
        paths: bars ? uPlot.paths.bars!({ size: [stacked ? 0.85 : 0.8 / count, 60], align: 1 }) : undefined!,
      }) as uPlot.Series)],
    }, data, element);
    const observer = new ResizeObserver(() => plot.setSize({ width: width(), height: height() }));
    observer.observe(element);
    return () => { observer.disconnect(); plot.destroy(); };
  }, [dark, language, kind, stacked, props.rows, props.columns, marks]);

  return h("div.time-panel", null,
    h("ul.legend", { ref: legend }, h("li", { key: "" }, h("time.readout", null)), built.names.map((name, i) => h("li", { key: name },
      h("i", { class: i >= 4 && kind === "line" ? "dashed" : "", style: { borderColor: colour(i) } }), h("bdi", null, visible(name)), h("b.readout", null))),
      built.left_out > 0 && h("li.dim", null, t("chart.left_out", { n: built.left_out })), h("li.mark-text", null)),
    h("div.plot", { ref: host }));
}

/* The moment, the values and the mark under the pointer, written without re-rendering the page. */
function showValues(u: uPlot, built: Built, legend: HTMLElement | null, marks: Mark[]): void {
  const at = u.cursor.idx;
  legend?.querySelectorAll(".readout").forEach((out, i) => {
    const value = at === null || at === undefined ? null : built.real[i]?.[at];
    out.textContent = value === null || value === undefined ? "" : i === 0 ? dateTime(value) : " " + grouped(value);
  });
  const left = u.cursor.left ?? -1;
  const near = left < 0 ? undefined : marks.find((mark) => Math.abs(u.valToPos(mark.time, "x") - left) < 5);
  const out = legend?.querySelector(".mark-text");
  if (out) out.textContent = near ? `▲ ${near.text}` : "";
}
