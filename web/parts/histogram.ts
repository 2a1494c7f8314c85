/* Events over time. Dragging over bars selects a time range; the table of numbers is there for screen readers. */
import uPlot from "uplot";
import { useEffect, useRef } from "preact/hooks";
import { h } from "./h.ts";
import { dateTime, duration, grouped, short, tick } from "./format.ts";
import { isDark, useStore } from "../state.ts";
import { t } from "../i18n/text.ts";
import type { Histogram as Data } from "../api.ts";

export function cssColour(name: string): string {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

export function axes(dark: boolean): uPlot.Axis[] {
  void dark; // a new theme means new axes
  const common = { stroke: cssColour("--ink-3"), font: "11px " + cssColour("--sans"), ticks: { show: false } };
  return [
    { ...common, grid: { show: false }, size: 22, gap: 4, space: 80, values: (_, splits, __, ___, step) => splits.map((s) => tick(s, step)) },
    { ...common, grid: { stroke: cssColour("--line"), width: 1 }, size: 46, gap: 4, space: 28, values: (_, splits) => splits.map((v) => (v === null ? "" : short(v))) },
  ];
}

export function Histogram(props: { data: Data; running: boolean; onSelect: (from: string, to: string) => void }) {
  const host = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | null>(null);
  const readout = useRef<HTMLSpanElement>(null);
  const latest = useRef(props);
  latest.current = props;
  const dark = useStore(isDark);
  const language = useStore((s) => s.language);
  const start = Date.parse(props.data.start) / 1000;
  const span = props.data.span_ms / 1000;
  const values = () => [props.data.counts.map((_, i) => start + i * span), props.data.counts] as uPlot.AlignedData;

  useEffect(() => {
    const element = host.current!;
    const instance = new uPlot({
      width: element.clientWidth || 600, height: 96, padding: [6, 8, 0, 0],
      legend: { show: false },
      cursor: { y: false, points: { show: false }, drag: { x: true, y: false, setScale: false } },
      scales: { x: { time: true, range: () => range(latest.current.data) }, y: { range: (_, __, max) => [0, Math.max(1, max * 1.05)] } },
      axes: axes(dark),
      series: [{}, {
        fill: cssColour("--bar"), stroke: cssColour("--bar"), width: 0, points: { show: false },
        paths: uPlot.paths.bars!({ size: [0.86, 60], align: 1, radius: 0.06 }),
      }],
      hooks: {
        setCursor: [(u) => showCursor(u, latest.current.data, readout.current)],
        setSelect: [(u) => {
          if (u.select.width < 3) return;
          const { data, onSelect } = latest.current;
          const [from, to] = [u.posToVal(u.select.left, "x"), u.posToVal(u.select.left + u.select.width, "x")];
          const origin = Date.parse(data.start), step = data.span_ms;
          // Whole bars: what is touched is selected.
          const first = origin + Math.floor((from * 1000 - origin) / step) * step;
          const last = origin + Math.ceil((to * 1000 - origin) / step) * step;
          u.setSelect({ left: 0, width: 0, top: 0, height: 0 }, false);
          onSelect(new Date(first).toISOString(), new Date(last).toISOString());
        }],
      },
    }, values(), element);
    plot.current = instance;
    const observer = new ResizeObserver(() => instance.setSize({ width: element.clientWidth, height: 96 }));
    observer.observe(element);
    return () => { observer.disconnect(); instance.destroy(); };
  }, [dark, language]);

  useEffect(() => { plot.current?.setData(values()); }, [props.data]);

  const total = props.data.counts.reduce((a, b) => a + b, 0);
  return h("section.histogram", { "aria-label": t("histogram.label", { n: grouped(total), span: duration(props.data.span_ms) }) },
    h("div.histogram-head", null,
      h("span.readout", { ref: readout }, ""),
      h("span.dim", null, t("histogram.hint", { span: duration(props.data.span_ms) }))),
    h("div.plot", { ref: host, "aria-hidden": true }));
}

function range(data: Data): [number, number] {
  const start = Date.parse(data.start) / 1000;
  return [start, start + Math.max(1, data.counts.length) * (data.span_ms / 1000)];
}

/* Straight into the text node: hovering must not re-render the page. */
function showCursor(u: uPlot, data: Data, out: HTMLElement | null): void {
  if (!out) return;
  const left = u.cursor.left ?? -1;
  const index = left < 0 ? -1 : Math.floor((u.posToVal(left, "x") * 1000 - Date.parse(data.start)) / data.span_ms);
  const count = data.counts[index];
  out.textContent = count === undefined ? "" : `${dateTime((Date.parse(data.start) + index * data.span_ms) / 1000)}  ${t("histogram.count", { n: grouped(count) })}`;
}
