/* What is done outside about an incident: an action on its entities, tried dry first; orders that wait, hold, are taken back. */
import { useRef, useState } from "preact/hooks";
import { h } from "./h.ts";
import { usePoll } from "./poll.ts";
import { Failed, SureButton, needs, useAct } from "./act.ts";
import { Text, visible } from "./visible.ts";
import { duration, grouped, utc } from "./format.ts";
import { api } from "../api.ts";
import type { Action, ActionWish, DryRun, IncidentDetail, Order } from "../api.ts";
import { may } from "../state.ts";
import { t, word } from "../i18n/text.ts";

const EVERY_MS = 4000;
const ICON: Record<string, [icon: string, tone: string]> = {
  waiting: ["▲", "warn"], working: ["…", ""], undoing: ["…", ""], done: ["✓", "good"], undone: ["↺", ""], failed: ["✕", "bad"], cancelled: ["○", ""],
};

export function Actions(props: { incident: IncidentDetail }) {
  const { incident } = props;
  const { data, error, reload } = usePoll(() => api.actions(incident.id), EVERY_MS, []);
  const usable = (data?.actions ?? []).filter((action) => incident.entities.some((entity) => action.takes.includes(entity.type)));
  if (data && usable.length === 0 && data.orders.length === 0) return null;
  return h("section.doing", null,
    h("h3", null, t("doing.title")),
    h(Failed, { error }),
    h("ul.order-list", null, (data?.orders ?? []).map((order) => h(OrderRow, { key: order.id, order, action: data?.actions.find((one) => one.name === order.action), onChanged: reload }))),
    incident.state !== "closed" && usable.length > 0 && h(Ask, { incident, actions: usable, onAsked: reload }));
}

function OrderRow(props: { order: Order; action: Action | undefined; onChanged: () => void }) {
  const { order, action } = props;
  const { busy, run } = useAct();
  const [icon, tone] = ICON[order.state] ?? ["○", ""];
  const change = async (work: () => Promise<unknown>, done: string) => { if (await run(work, done)) props.onChanged(); };
  return h("li", null,
    h("span.mono", null, order.id), h("b", null, h(Text, { text: order.action })),
    h("span.state", { class: tone }, h("i", { "aria-hidden": true }, icon), " ", word("order", order.state)),
    order.stuck > 0 && h("span.state.bad", null, "✕ ", t("doing.stuck", { n: order.stuck })),
    h("span.dim", null, t("doing.of", { done: grouped(order.done), n: grouped(order.deed_count) })),
    order.approvals_needed > 0 && h("span.tag", null, t("brake.approvals", { n: order.approvals.length, m: order.approvals_needed })),
    order.over_cap > 0 && h("span.warn", null, "▲ ", t("doing.over_cap", { n: grouped(order.over_cap) })),
    h("span.dim", { title: utc(order.asked_at) }, h(Text, { text: order.by }), " · ", h(Text, { text: order.reason })),
    h("span.spring", null),
    order.state === "waiting" && h("button.small", { ...needs(action?.approver_role ?? "approver", busy), onClick: () => void change(() => api.approveAction(order.id), t("doing.approved")) }, t("doing.approve")),
    (order.state === "done" || order.state === "waiting" || order.state === "working") && may(action?.role ?? "responder") &&
      h(SureButton, { label: t("doing.undo"), sure: t("doing.undo_sure"), disabled: busy, onSure: () => void change(() => api.undoAction(order.id), t("doing.undone")) }));
}

function Ask(props: { incident: IncidentDetail; actions: Action[]; onAsked: () => void }) {
  const { incident } = props;
  const { busy, run } = useAct();
  const [name, setName] = useState(props.actions[0]!.name);
  const [left, setLeft] = useState<Set<string>>(new Set());
  const [reason, setReason] = useState("");
  const [wrong, setWrong] = useState("");
  const [dry, setDry] = useState<DryRun | null>(null);
  const key = useRef(crypto.getRandomValues(new Uint32Array(4)).join("-")); // of what is being asked: pressed twice, it is done once
  const action = props.actions.find((one) => one.name === name) ?? props.actions[0]!;
  const entities = incident.entities.filter((entity) => action.takes.includes(entity.type));
  const chosen = entities.filter((entity) => !left.has(entity.value));
  const wish = (): ActionWish => ({ action: action.name, reason: reason.trim(), entities: chosen, incident: incident.id });
  const changed = () => { setDry(null); key.current = crypto.getRandomValues(new Uint32Array(4)).join("-"); };
  const look = () => {
    if (!reason.trim()) return setWrong(t("wake.need_reason"));
    setWrong("");
    void run(async () => setDry(await api.dryRun(wish())));
  };
  const ask = async () => {
    if (await run(() => api.act(wish(), key.current), t("doing.asked"))) { changed(); setReason(""); props.onAsked(); }
  };
  return h("div.inline-form", null,
    h("label.field", null, h("span", null, t("doing.action")),
      h("select", { name: "action", value: action.name, onChange: (e: Event) => { setName((e.target as HTMLSelectElement).value); changed(); } }, props.actions.map((one) => h("option", { key: one.name, value: one.name }, one.name)))),
    h("fieldset.terms", null, h("legend", null, t("doing.on")), entities.map((entity) => h("label", { key: entity.type + entity.value },
      h("input", { type: "checkbox", checked: !left.has(entity.value), onChange: () => { const now = new Set(left); if (!now.delete(entity.value)) now.add(entity.value); setLeft(now); changed(); } }),
      " ", h("small", null, word("entity", entity.type)), " ", h(Text, { text: entity.value })))),
    h("label.field", null, h("span", null, t("wake.reason")), h("input", { name: "action-reason", autocomplete: "off", value: reason, onInput: (e: Event) => { setReason((e.target as HTMLInputElement).value); changed(); } })),
    wrong && h("p.error-text", { role: "alert" }, wrong),
    dry && h("div.preview", { role: "status" },
      h("p", null, h("b", null, t("doing.would", { n: grouped(dry.would_do), time: dry.lasts_s ? duration(dry.lasts_s * 1000) : t("doing.forever"), approvals: dry.approvals_needed }))),
      dry.over_cap > 0 && h("p.warn", null, "▲ ", t("doing.over_cap", { n: grouped(dry.over_cap) })),
      dry.already > 0 && h("p.dim", null, t("doing.already", { n: grouped(dry.already) })),
      h("ul", null, dry.deeds.map((deed, i) => h("li", { key: i }, h("b", null, h(Text, { text: deed.value })),
        h("pre.dry", null, visible(JSON.stringify(deed.do, null, 1), true)), h("small.dim", null, t("doing.and_undo")), h("pre.dry", null, visible(JSON.stringify(deed.undo, null, 1), true)))))),
    h("div.actions", null,
      h("button", { ...needs(action.role, busy || chosen.length === 0), onClick: look }, t("doing.dry_run")),
      h("button.danger", { ...needs(action.role, busy || !dry || chosen.length === 0), onClick: () => void ask() }, t("doing.do"))));
}
