/* Steps from one thing to the next, as `process case= activity=` gives them: boxes and arrows, thicker where more went. */
import dagre from "@dagrejs/dagre";
import { h as svg } from "preact";
import { useMemo } from "preact/hooks";
import { h } from "../parts/h.ts";
import { grouped, short } from "../parts/format.ts";
import { visibleText } from "../parts/visible.ts";
import { numberOf, numericColumns, label, stepFrom, stepTo } from "./columns.ts";
import type { PanelProps } from "../panels.ts";
import { t } from "../i18n/text.ts";

const STEPS_MAX = 120;
const NAME_MAX = 28;
const BOX_HEIGHT = 30;

interface Step { from: string; to: string; count: number; title: string }

function layout(steps: Step[]) {
  const graph = new dagre.graphlib.Graph();
  graph.setGraph({ rankdir: "LR", nodesep: 18, ranksep: 70, marginx: 8, marginy: 8 });
  graph.setDefaultEdgeLabel(() => ({}));
  for (const name of new Set(steps.flatMap((step) => [step.from, step.to]))) graph.setNode(name, { width: Math.min(NAME_MAX, name.length) * 7.6 + 22, height: BOX_HEIGHT });
  for (const step of steps) graph.setEdge(step.from, step.to, { width: 40, height: 14 });
  dagre.layout(graph);
  return graph;
}

export function FlowPanel(props: PanelProps) {
  const { columns, rows } = props;
  const from = stepFrom(columns), to = stepTo(columns), numeric = numericColumns(columns, rows);
  const count = columns.indexOf("count") >= 0 ? columns.indexOf("count") : numeric[0] ?? -1;
  const steps = useMemo(() => rows.slice(0, STEPS_MAX).map((row): Step => ({
    from: visibleText(label(row[from])), to: visibleText(label(row[to])), count: numberOf(row[count]) ?? 1, title: columns.map((name, i) => visibleText(`${name}: ${label(row[i])}`)).join("\n"),
  })), [rows]);
  const graph = useMemo(() => layout(steps), [steps]);
  const most = Math.max(1, ...steps.map((step) => step.count));
  const { width = 100, height = 100 } = graph.graph();
  return h("div.flow-panel", { tabIndex: 0 },
    svg("svg", { viewBox: `0 0 ${width} ${height}`, width, height, role: "img", "aria-label": t("panel.steps", { n: steps.length }) },
      svg("defs", null, svg("marker", { id: "arrow", viewBox: "0 0 8 8", refX: 7, refY: 4, markerWidth: 7, markerHeight: 7, markerUnits: "userSpaceOnUse", orient: "auto" }, svg("path", { d: "M0 0L8 4L0 8Z", class: "arrow" }))),
      steps.map((step, i) => {
        const edge = graph.edge(step.from, step.to);
        return edge?.points && svg("g", { key: i, class: "step" },
          svg("path", { d: "M" + edge.points.map((point: { x: number; y: number }) => `${point.x} ${point.y}`).join("L"), "stroke-width": 1 + (4 * step.count) / most, "marker-end": "url(#arrow)" }),
          svg("text", { x: edge.x, y: (edge.y ?? 0) - 3 }, short(step.count)), svg("title", null, step.title));
      }),
      graph.nodes().map((name: string) => {
        const node = graph.node(name);
        return svg("g", { key: name, class: "activity" },
          svg("rect", { x: node.x - node.width / 2, y: node.y - node.height / 2, width: node.width, height: node.height, rx: 6 }),
          svg("text", { x: node.x, y: node.y + 4 }, name.length > NAME_MAX ? name.slice(0, NAME_MAX - 1) + "…" : name), svg("title", null, name));
      })),
    h("table.hidden-text", null, h("tbody", null, steps.slice(0, 20).map((step, i) => h("tr", { key: i }, h("td", null, step.from), h("td", null, step.to), h("td", null, grouped(step.count)))))));
}
