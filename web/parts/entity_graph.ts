/*
 * Who was seen with whom: entities that stand in the same events. A click (or Enter) on one asks for its neighbours and adds them; a second goes to
 * its page. Lines say in how many events both stand. Keys: Tab walks, Enter grows, o opens.
 */
import dagre from "@dagrejs/dagre";
import { h as svg } from "preact";
import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { h } from "./h.ts";
import { ENTITY_FIELDS, mentions } from "./entities.ts";
import { SearchJob } from "./search_job.ts";
import type { Range } from "./time_picker.ts";
import { valueText, visibleText } from "./visible.ts";
import { grouped, short } from "./format.ts";
import type { Entity } from "../api.ts";
import { navigate } from "../state.ts";
import { t, word } from "../i18n/text.ts";

const NODES_MAX = 60;
const NEIGHBOURS = 6; // the most frequent ones of an entity
const OF_A_KIND = 3;
const NAME_MAX = 22;
const BOX = { width: 176, height: 40 };

interface Node extends Entity { asked: boolean }
interface Edge { from: string; to: string; count: number }
const keyOf = (one: Entity) => `${one.type}\0${one.value}`;

/* The values of entity fields in the events that speak of it, from the summary of fields that comes with a search. */
function neighbours(value: string, range: Range, done: (found: { entity: Entity; count: number }[], failure: string | null) => void): () => void {
  const job = new SearchJob(mentions(value), range.from, range.to, () => {
    if (job.running) return;
    const seen = new Map<string, { entity: Entity; count: number }>();
    for (const [type, fields] of Object.entries(ENTITY_FIELDS)) {
      const values = (job.latest?.fields ?? []).filter((field) => fields.includes(field.name)).flatMap((field) => field.top)
        .map(([one, count]) => ({ entity: { type, value: valueText(one) }, count })).filter((one) => one.entity.value && one.entity.value !== value).sort((a, b) => b.count - a.count);
      for (const one of values.slice(0, OF_A_KIND)) if (!seen.has(keyOf(one.entity))) seen.set(keyOf(one.entity), one);
    }
    done([...seen.values()].sort((a, b) => b.count - a.count).slice(0, NEIGHBOURS), job.failure?.message ?? null);
    job.stop();
  });
  void job.start();
  return () => job.stop();
}

function layout(nodes: Node[], edges: Edge[]) {
  const graph = new dagre.graphlib.Graph();
  graph.setGraph({ rankdir: "LR", nodesep: 14, ranksep: 74, marginx: 6, marginy: 6 });
  graph.setDefaultEdgeLabel(() => ({}));
  for (const node of nodes) graph.setNode(keyOf(node), { ...BOX });
  for (const edge of edges) graph.setEdge(edge.from, edge.to, { width: 30, height: 12 });
  dagre.layout(graph);
  return graph;
}

export function EntityGraph(props: { first: Entity[]; range: Range; edges?: Edge[] }) {
  const { range } = props;
  const [nodes, setNodes] = useState<Node[]>(() => props.first.map((one) => ({ ...one, asked: false })));
  const [edges, setEdges] = useState<Edge[]>(props.edges ?? []);
  const [failure, setFailure] = useState<string | null>(null);
  const stops = useRef<(() => void)[]>([]);
  const grow = (node: Node) => {
    if (node.asked) return navigate("entity", { type: node.type, value: node.value });
    setNodes((before) => before.map((one) => (keyOf(one) === keyOf(node) ? { ...one, asked: true } : one)));
    stops.current.push(neighbours(node.value, range, (found, wrong) => {
      setFailure(wrong);
      setNodes((before) => {
        const known = new Set(before.map(keyOf));
        return [...before, ...found.filter((one) => !known.has(keyOf(one.entity))).map((one) => ({ ...one.entity, asked: false }))].slice(0, NODES_MAX);
      });
      setEdges((before) => [...before, ...found.filter((one) => !before.some((edge) => (edge.from === keyOf(node) && edge.to === keyOf(one.entity)) || (edge.to === keyOf(node) && edge.from === keyOf(one.entity))))
        .map((one) => ({ from: keyOf(node), to: keyOf(one.entity), count: one.count }))]);
    }));
  };
  useEffect(() => { if (props.first.length === 1) grow(nodes[0]!); return () => stops.current.forEach((stop) => stop()); }, []);
  const drawn = useMemo(() => { const known = new Set(nodes.map(keyOf)); return edges.filter((edge) => known.has(edge.from) && known.has(edge.to)); }, [nodes, edges]);
  const graph = useMemo(() => layout(nodes, drawn), [nodes.length, drawn]);
  const { width = 100, height = 60 } = graph.graph();
  const most = Math.max(1, ...drawn.map((edge) => edge.count));
  const onKeyDown = (node: Node) => (event: KeyboardEvent) => {
    if (event.key === "Enter" || event.key === " ") grow(node);
    else if (event.key === "o") navigate("entity", { type: node.type, value: node.value });
    else return;
    event.preventDefault();
    event.stopPropagation();
  };
  return h("section.entity-graph", { "aria-label": t("graph.title") },
    h("div.section-head", null, h("h2", null, t("graph.title")), h("span.dim", null, t("graph.how")), nodes.length >= NODES_MAX && h("b.warn", null, "▲ ", t("graph.full", { n: NODES_MAX }))),
    failure && h("p.message.error", { role: "alert" }, h("b", null, "✕ "), failure),
    h("div.graph-scroll", { tabIndex: 0 }, svg("svg", { width, height, viewBox: `0 0 ${width} ${height}`, role: "group", "aria-label": t("graph.title") },
      drawn.map((edge, i) => {
        const line = graph.edge(edge.from, edge.to);
        return line?.points && svg("g", { key: i, class: "graph-edge" }, svg("path", { d: "M" + line.points.map((point: { x: number; y: number }) => `${point.x} ${point.y}`).join("L"), "stroke-width": 1 + (3 * edge.count) / most }),
          svg("text", { x: line.x, y: (line.y ?? 0) - 2 }, short(edge.count)), svg("title", null, t("graph.edge", { n: grouped(edge.count) })));
      }),
      nodes.map((node) => {
        const place = graph.node(keyOf(node));
        const text = visibleText(node.value);
        return svg("g", { key: keyOf(node), class: `graph-node ${node.asked ? "asked" : ""}`, role: "button", tabindex: 0, transform: `translate(${place.x - BOX.width / 2} ${place.y - BOX.height / 2})`, onClick: () => grow(node), onKeyDown: onKeyDown(node) },
          svg("rect", { ...BOX, rx: 7 }), svg("text", { class: "kind", x: 10, y: 15 }, word("entity", node.type)), svg("text", { x: 10, y: 31 }, text.length > NAME_MAX ? text.slice(0, NAME_MAX - 1) + "…" : text), text.length > NAME_MAX && svg("title", null, text));
      }))));
}
