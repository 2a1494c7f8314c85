/* A tiny bar chart within a line of text or a cell. */
import { h as svg } from "preact";
import { h } from "./h.ts";

const HEIGHT = 16;
const STEP = 5;

export function Spark(props: { values: (number | null)[]; label: string }) {
  const most = Math.max(1, ...props.values.map((value) => value ?? 0));
  return h("span.spark", { role: "img", "aria-label": props.label, title: props.label },
    svg("svg", { width: props.values.length * STEP, height: HEIGHT, "aria-hidden": true }, props.values.map((value, i) => {
      const high = value ? Math.max(1.5, (value / most) * HEIGHT) : 0.75;
      return svg("rect", { key: i, x: i * STEP, y: HEIGHT - high, width: STEP - 1, height: high });
    })));
}
