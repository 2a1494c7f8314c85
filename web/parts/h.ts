/*
 * A hyperscript over Preact's h: h("button.primary", { onClick }, "Save").
 * Classes are written after the tag. Children are nodes or text; text always becomes a text node, never markup.
 */
import { h as create } from "preact";
import type { ComponentChildren, FunctionComponent, VNode, AllHTMLAttributes } from "preact";

export type Child = ComponentChildren;
export type Props = AllHTMLAttributes<any> & {
  key?: string | number;
  ref?: unknown;
  [data: `data-${string}`]: string | number | undefined;
};

const parsed = new Map<string, [tag: string, classes: string]>();

function parse(selector: string): [string, string] {
  let known = parsed.get(selector);
  if (!known) {
    const [tag, ...classes] = selector.split(".");
    parsed.set(selector, (known = [tag || "div", classes.join(" ")]));
  }
  return known;
}

export function h(selector: string, props?: Props | null, ...children: Child[]): VNode;
export function h<P extends object>(component: FunctionComponent<P>, props: P & { key?: string | number }, ...children: Child[]): VNode;
export function h(type: string | FunctionComponent<any>, props?: any, ...children: Child[]): VNode {
  if (typeof type !== "string") return create(type, props, ...children);
  const [tag, classes] = parse(type);
  const all = { ...props };
  const more = all.class;
  if (classes || more) all.class = classes && more ? `${classes} ${more}` : classes || more;
  if (tag === "button" && !all.type) all.type = "button";
  return create(tag as any, all, ...children) as VNode;
}
