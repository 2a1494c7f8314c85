/* Swaps and absences: arranged for a time, with a reason; they end by themselves or when somebody ends them. */
import { useState } from "preact/hooks";
import { h } from "./h.ts";
import { SureButton, needs, useAct } from "./act.ts";
import { Text } from "./visible.ts";
import { dayTime, localInput, toMillis, utc } from "./format.ts";
import { api } from "../api.ts";
import type { StandIn, StandInWish } from "../api.ts";
import { getState, may, useStore } from "../state.ts";
import { t } from "../i18n/text.ts";

const DAY_MS = 86_400_000;

export function StandIns(props: { people: string[]; schedules: string[]; stand_ins: StandIn[]; onChanged: () => void }) {
  useStore((s) => s.language);
  const { busy, run } = useAct();
  const end = async (id: number) => { if (await run(() => api.endStandIn(id), t("wake.stand_in_ended"))) props.onChanged(); };
  return h("section.stand-ins", null,
    h("h2", null, t("wake.stand_ins"), " ", h("span.count", null, props.stand_ins.length)),
    props.stand_ins.length === 0 ? h("p.dim", null, t("wake.no_stand_ins"))
      : h("ul.plain-list", null, props.stand_ins.map((one) => h("li", { key: one.id },
        h("span", null, h("b", null, what(one)), (toMillis(one.from) ?? 0) > Date.now() ? h("span.tag", null, t("wake.later")) : h("span.tag", null, t("wake.in_force"))),
        h("span", { title: `${utc(one.from)} – ${utc(one.to)}` }, dayTime(one.from), " – ", dayTime(one.to)),
        h("span.dim", null, h(Text, { text: one.reason }), " · ", h(Text, { text: one.added_by })),
        h("span.spring", null),
        h(SureButton, { label: t("wake.end"), sure: t("wake.end_sure"), ...needs("responder", busy), onSure: () => void end(one.id) })))),
    may("responder") && props.people.length > 0 && h(AddStandIn, { ...props, busy, onAdd: (wish) => run(() => api.addStandIn(wish), t("wake.stand_in_added")) }));
}

function what(one: StandIn): string {
  const schedule = one.schedule ?? "", away = one.away ?? "", instead = one.instead ?? "";
  if (one.schedule && one.away) return t("wake.has_for", { instead, schedule, away });
  if (one.schedule) return t("wake.has", { instead, schedule });
  return one.instead ? t("wake.away_for", { away, instead }) : t("wake.away", { away });
}

interface AddProps { people: string[]; schedules: string[]; busy: boolean; onAdd: (wish: StandInWish) => Promise<boolean>; onChanged: () => void }

function AddStandIn(props: AddProps) {
  const me = getState().user?.name ?? "";
  const away = props.people.includes(me) ? me : props.people[0] ?? "";
  const other = props.people.find((name) => name !== away) ?? "";
  const [swap, setSwap] = useState(true);
  const [wrong, setWrong] = useState("");
  const choose = (label: string, name: string, options: string[], chosen: string, none?: string) => h("label.field", null, h("span", null, label),
    h("select", { name, defaultValue: chosen }, none !== undefined && h("option", { value: "" }, none), options.map((one) => h("option", { key: one, value: one, selected: one === chosen }, one))));
  const submit = async (event: Event) => {
    event.preventDefault();
    const form = event.target as HTMLFormElement;
    const data = new FormData(form);
    const read = (name: string) => String(data.get(name) ?? "").trim();
    const from = Date.parse(read("from")), to = Date.parse(read("to"));
    if (Number.isNaN(from) || Number.isNaN(to)) return setWrong(t("time.need_both"));
    if (to <= from) return setWrong(t("time.order"));
    if (!read("reason")) return setWrong(t("wake.need_reason"));
    setWrong("");
    const wish: StandInWish = { from: new Date(from).toISOString(), to: new Date(to).toISOString(), reason: read("reason") };
    for (const key of ["schedule", "away", "instead"] as const) if (read(key)) wish[key] = read(key);
    if (await props.onAdd(wish)) { form.reset(); props.onChanged(); }
  };
  return h("form.stand-in-form", { onSubmit: submit },
    h("div.segmented", { role: "group", "aria-label": t("wake.stand_ins") },
      h("button", { "aria-pressed": swap, onClick: () => setSwap(true) }, t("wake.swap")),
      h("button", { "aria-pressed": !swap, onClick: () => setSwap(false) }, t("wake.absence"))),
    h("div.row-form", { key: String(swap) },
      swap && choose(t("wake.schedule"), "schedule", props.schedules, props.schedules[0] ?? ""),
      choose(t("wake.who_is_away"), "away", props.people, away),
      choose(t("wake.instead"), "instead", props.people, swap ? other : "", swap ? undefined : t("wake.next_in_turn")),
      h("label.field", null, h("span", null, t("wake.from")), h("input", { type: "datetime-local", name: "from", defaultValue: localInput(Date.now()) })),
      h("label.field", null, h("span", null, t("wake.to")), h("input", { type: "datetime-local", name: "to", defaultValue: localInput(Date.now() + DAY_MS) })),
      h("label.field", null, h("span", null, t("wake.reason")), h("input", { name: "reason", autocomplete: "off" })),
      h("button", { type: "submit", disabled: props.busy }, t("wake.arrange"))),
    wrong && h("p.error-text", { role: "alert" }, wrong));
}
