/* What another policy would have held of what is stored: asked for, followed, ended, and its answer. Nothing of it reaches the gate. */
import { useState } from "preact/hooks";
import { h } from "./h.ts";
import { usePoll } from "./poll.ts";
import { Failed, SureButton, needs, useAct } from "./act.ts";
import { Text } from "./visible.ts";
import { useCursor } from "./tabs.ts";
import { WhatifForm } from "./brake_whatif_form.ts";
import { WhatifResult } from "./brake_whatif_result.ts";
import { dateTime, grouped, toMillis, utc } from "./format.ts";
import { api } from "../api.ts";
import type { Whatif } from "../api.ts";
import { may, useStore } from "../state.ts";
import { t, word } from "../i18n/text.ts";

const EVERY_MS = 1500;

export function WhatifTab() {
  useStore((s) => s.language);
  if (!may("analyst")) return h("div.empty", null, h("h3", null, t("whatif.title")), h("p", null, t("role.needed", { role: word("role", "analyst") })));
  return h(Whatifs, {});
}

function Whatifs() {
  const { data, error, reload } = usePoll(() => api.whatifs(), EVERY_MS, []);
  const [open, setOpen] = useState<string | null>(null);
  const list = data?.whatifs ?? [], running = list.some((one) => one.state === "running");
  const toggle = (id: string) => setOpen(open === id ? null : id);
  const cursor = useCursor("whatif", list.map((one) => one.id), toggle, () => setOpen(null));
  return h("div.tab-body", null,
    h("section", null, h("h2", null, t("whatif.title")), h("p.dim.about", null, t("whatif.about")),
      h(WhatifForm, { running, onStarted: (id) => { setOpen(id); reload(); } })),
    h("section.whatifs", null,
      h("h2", null, t("whatif.asked"), " ", h("span.count", null, list.length)),
      h(Failed, { error }),
      data && list.length === 0 && h("p.dim", null, t("whatif.none")),
      h("ul.holds", null, list.map((one) => h(Card, { key: one.id, one, open: open === one.id, cursor: cursor === one.id, toggle, onChanged: reload })))));
}

const ICON: Record<string, string> = { running: "◌", done: "✓", failed: "✕", cancelled: "–" };
const TONE: Record<string, string> = { running: "acknowledged", done: "good", failed: "bad", cancelled: "closed" };

function Card(props: { one: Whatif; open: boolean; cursor: boolean; toggle: (id: string) => void; onChanged: () => void }) {
  const { one } = props, going = one.state === "running";
  const { busy, run } = useAct();
  const end = async () => { if (await run(() => api.endWhatif(one.id), t(going ? "whatif.cancelled" : "whatif.forgotten"))) props.onChanged(); };
  return h("li.hold-card.whatif-card", { id: "whatif-" + one.id, class: props.cursor ? "cursor" : "" },
    h("div.hold-main", null,
      h("span.state", { class: TONE[one.state] }, h("i", { "aria-hidden": true }, ICON[one.state]), " ", word("whatif_state", one.state)),
      h("b", { title: `${utc(one.from)} – ${utc(one.to)}` }, one.from ? dateTime(one.from) : t("whatif.first"), " – ", one.to ? dateTime(one.to) : t("whatif.last")),
      h("span.dim", null, h(Text, { text: one.by }), " · ", h("time", { title: utc(one.started) }, dateTime(one.started))),
      h("span.spring", null),
      h("span.dim", null, t("search.events", { n: grouped(one.events) })),
      one.state === "done" && h("button", { "aria-expanded": props.open, onClick: () => props.toggle(one.id) }, t(props.open ? "hold.less" : "whatif.show")),
      going ? h(SureButton, { label: t("search.cancel"), sure: t("whatif.cancel_sure"), ...needs("analyst", busy), onSure: () => void end() })
        : h("button.quiet.small", { ...needs("analyst", busy), onClick: () => void end() }, t("whatif.forget"))),
    going && h(Progress, { one }),
    one.error && h("p.error-text", null, h(Text, { text: one.error })),
    one.unreadable > 0 && h("p.warn", null, "▲ ", t("whatif.unreadable", { n: one.unreadable })),
    props.open && one.state === "done" && h(WhatifResult, { id: one.id }));
}

/* How far it is in the history; before `from` it only learns. Without both ends there is no saying how much is left. */
function Progress(props: { one: Whatif }) {
  const from = toMillis(props.one.from), to = toMillis(props.one.to) ?? Date.now(), reached = toMillis(props.one.reached);
  const learning = reached === null || (from !== null && reached < from);
  const share = learning || from === null || to <= from ? undefined : Math.min(1, (reached - from) / (to - from));
  return h("p.whatif-progress", { role: "status" }, h("progress", { max: 1, value: share, "aria-label": t("whatif_state.running") }), " ",
    learning ? t("whatif.learning") : t("whatif.reached", { time: dateTime(props.one.reached) }));
}
