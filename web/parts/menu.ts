/* A small menu or panel under a button. Closes on Esc, outside click and focus leaving; arrows move through a menu. */
import { useEffect, useRef, useState } from "preact/hooks";
import { h } from "./h.ts";
import type { Child } from "./h.ts";

export function Popover(props: {
  label: Child; title?: string; class?: string; panelClass?: string; menu?: boolean; icon?: boolean; // icon: the label is no text
  children: (close: () => void) => Child;
}) {
  const [open, setOpen] = useState(false);
  const root = useRef<HTMLElement>(null);
  const panel = useRef<HTMLElement>(null);
  const close = () => { setOpen(false); root.current?.querySelector("button")?.focus(); };

  useEffect(() => {
    if (!open) return;
    // The top layer: neither clipped by scrolling parents nor moved by their transforms.
    panel.current!.showPopover();
    place(root.current!, panel.current!);
    const outside = (event: Event) => { if (!root.current?.contains(event.target as Node)) setOpen(false); };
    const moved = (event: Event) => { if (!panel.current?.contains(event.target as Node)) setOpen(false); };
    document.addEventListener("pointerdown", outside);
    document.addEventListener("focusin", outside);
    document.addEventListener("scroll", moved, true);
    panel.current?.querySelector<HTMLElement>("button,input,a")?.focus({ preventScroll: true });
    return () => {
      document.removeEventListener("pointerdown", outside);
      document.removeEventListener("focusin", outside);
      document.removeEventListener("scroll", moved, true);
    };
  }, [open]);

  const onKeyDown = (event: KeyboardEvent) => {
    if (!open) return;
    if (event.key === "Escape") { event.preventDefault(); event.stopPropagation(); close(); return; }
    if (!props.menu || (event.key !== "ArrowDown" && event.key !== "ArrowUp")) return;
    event.preventDefault();
    const items = [...panel.current!.querySelectorAll<HTMLElement>("button,a")];
    const at = items.indexOf(document.activeElement as HTMLElement);
    items[(at + (event.key === "ArrowDown" ? 1 : items.length - 1)) % items.length]?.focus();
  };

  return h("span.popover", { ref: root, onKeyDown },
    h("button", { class: props.class, title: props.title, "aria-label": props.icon ? props.title : undefined, "aria-haspopup": props.menu ? "menu" : "dialog", "aria-expanded": open, onClick: () => setOpen(!open) }, props.label),
    open && h("div.popover-panel", { ref: panel, popover: "manual", class: props.panelClass, role: props.menu ? "menu" : "dialog", "aria-label": props.title }, props.children(close)));
}

/* Under its button, or above where there is no room; always on the screen. */
function place(root: HTMLElement, panel: HTMLElement): void {
  const button = root.getBoundingClientRect();
  const size = panel.getBoundingClientRect();
  const left = Math.max(8, Math.min(button.left, innerWidth - size.width - 8));
  const below = button.bottom + 4;
  const top = below + size.height > innerHeight - 8 ? Math.max(8, button.top - size.height - 4) : below;
  panel.style.left = `${left}px`;
  panel.style.top = `${top}px`;
}

export function MenuItem(props: { onClick: () => void; children?: Child }) {
  return h("button.menu-item", { role: "menuitem", onClick: props.onClick }, props.children);
}
