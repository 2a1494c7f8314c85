/*
 * A list of any length that keeps only the visible rows in the document. Rows have one fixed height; a few may be
 * expanded by a panel below them, whose height is measured. Browsers limit the height of an element, so beyond
 * HEIGHT_MAX the scrollbar is scaled: positions are counted in real pixels and translated at the end.
 */
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import { h } from "./h.ts";
import type { Child } from "./h.ts";

const HEIGHT_MAX = 8_000_000;
const OVERSCAN = 8;

export interface VirtualProps {
  total: number;
  rowHeight: number;
  class?: string;
  header?: Child;
  label: string;
  row: (index: number) => Child;
  expanded?: ReadonlySet<number>;
  detail?: (index: number) => Child;
  onRange?: (first: number, last: number) => void;
  scrollTo?: { index: number } | null; // a new object scrolls the row into view
  resetKey?: unknown; // a new value goes back to the top
}

export function VirtualList(props: VirtualProps) {
  const { total, rowHeight } = props;
  const scroller = useRef<HTMLDivElement>(null);
  const heights = useRef(new Map<number, number>());
  const [, redraw] = useState(0);
  const [view, setView] = useState({ top: 0, height: 400 });

  const open = [...(props.expanded ?? [])].sort((a, b) => a - b);
  const extra = (index: number) => heights.current.get(index) ?? 240;
  const extraBefore = (index: number) => {
    let sum = 0;
    for (const at of open) { if (at >= index) break; sum += extra(at); }
    return sum;
  };
  const real = total * rowHeight + extraBefore(total);
  const shown = Math.min(real, HEIGHT_MAX);
  const factor = shown > view.height ? (real - view.height) / (shown - view.height) : 1;
  const position = view.top * factor;

  const rowTop = (index: number) => index * rowHeight + extraBefore(index);
  const rowAt = (y: number) => {
    let index = Math.floor(y / rowHeight);
    for (const at of open) {
      const end = rowTop(at) + rowHeight + extra(at);
      if (y < rowTop(at)) break;
      index = y < end ? at : at + 1 + Math.floor((y - end) / rowHeight);
    }
    return Math.max(0, Math.min(total - 1, index));
  };

  useLayoutEffect(() => {
    const element = scroller.current!;
    const measure = () => setView({ top: element.scrollTop, height: element.clientHeight });
    const observer = new ResizeObserver(measure);
    observer.observe(element);
    element.addEventListener("scroll", measure, { passive: true });
    measure();
    return () => { observer.disconnect(); element.removeEventListener("scroll", measure); };
  }, []);

  useLayoutEffect(() => {
    heights.current.clear();
    scroller.current!.scrollTop = 0;
  }, [props.resetKey]);

  useEffect(() => {
    if (!props.scrollTo) return;
    const top = rowTop(props.scrollTo.index);
    const element = scroller.current!;
    if (top < position) element.scrollTop = top / factor;
    else if (top + rowHeight > position + view.height - rowHeight) element.scrollTop = (top + rowHeight * 2 - view.height) / factor;
  }, [props.scrollTo]);

  const first = total ? Math.max(0, rowAt(position) - OVERSCAN) : 0;
  const last = total ? Math.min(total - 1, rowAt(position + view.height) + OVERSCAN) : -1;
  useEffect(() => { if (last >= first) props.onRange?.(first, last); });

  const measured = (index: number) => (element: HTMLElement | null) => {
    if (!element) return;
    const height = element.offsetHeight;
    if (height && heights.current.get(index) !== height) {
      heights.current.set(index, height);
      redraw((n) => n + 1);
    }
  };

  const rows: Child[] = [];
  for (let index = first; index <= last; index++) {
    const top = rowTop(index) - position + view.top;
    rows.push(h("div.virtual-row", { key: index, style: { transform: `translateY(${top}px)`, height: `${rowHeight}px` }, role: "row", "aria-rowindex": index + 1 }, props.row(index)));
    if (props.expanded?.has(index) && props.detail)
      rows.push(h("div.virtual-detail", { key: "d" + index, style: { transform: `translateY(${top + rowHeight}px)` } },
        h("div", { ref: measured(index) }, props.detail(index))));
  }
  return h("div.virtual", { class: props.class, ref: scroller, tabIndex: 0, role: "table", "aria-label": props.label, "aria-rowcount": total },
    props.header,
    h("div.virtual-body", { style: { height: `${shown}px` } }, rows));
}
