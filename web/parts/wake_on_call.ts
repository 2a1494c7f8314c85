/* Who is on call now, and the shifts of the next two weeks: a row a person, and the same as a table. */
import { h as svg } from "preact";
import { h } from "./h.ts";
import { usePoll } from "./poll.ts";
import { Failed } from "./act.ts";
import { dayTime, toMillis, utc } from "./format.ts";
import { Text } from "./visible.ts";
import { api } from "../api.ts";
import type { Schedule, Shift, StandIn } from "../api.ts";
import { useStore } from "../state.ts";
import { t } from "../i18n/text.ts";

const DAYS = 14;
const DAY_MS = 86_400_000;
const EVERY_MS = 60_000;
const COLOURS = 8;

export function OnCall(props: { stand_ins: StandIn[] }) {
  useStore((s) => s.language);
  const arranged = props.stand_ins.map((one) => one.id).join();
  const { data, error } = usePoll(() => api.shifts(DAYS), EVERY_MS, [arranged]);
  const people = [...new Set((data ?? []).flatMap((one) => one.shifts.map((shift) => shift.person)).filter((name) => name !== null))].sort();
  return h("section.on-call", null,
    h("h2", null, t("wake.on_call_now")),
    h(Failed, { error }),
    data && data.length === 0 && h("p.dim", null, t("wake.no_schedule")),
    h("div.on-call-now", null, (data ?? []).map((one) => h(Now, { key: one.schedule, schedule: one }))),
    (data ?? []).map((one) => h(Shifts, { key: one.schedule, schedule: one, people })));
}

function Now(props: { schedule: Schedule }) {
  const shift = props.schedule.shifts[0];
  return h("div.on-call-card", { class: shift?.person ? "" : "nobody" },
    h("small", null, h(Text, { text: props.schedule.schedule })),
    h("b", null, shift?.person ? h(Text, { text: shift.person }) : t("wake.nobody")),
    shift && h("span.dim", { title: utc(shift.to) }, t("wake.until", { time: dayTime(shift.to) })),
    shift?.arranged && h("span.tag", null, t("wake.arranged")));
}

function Shifts(props: { schedule: Schedule; people: string[] }) {
  const { schedule, people } = props;
  const from = toMillis(schedule.shifts[0]?.from) ?? Date.now();
  const mine = people.filter((person) => schedule.shifts.some((shift) => shift.person === person));
  const gaps = schedule.shifts.filter((shift) => shift.person === null);
  const row = (name: string | null, shifts: Shift[], colour: number) => h("div.shift-row", { key: name ?? "" },
    h("span.shift-name", null, name === null ? t("wake.nobody") : h(Text, { text: name })), bar(shifts, from, colour));
  return h("div.shifts", null,
    h("h3", null, h(Text, { text: schedule.schedule }), " ", h("span.count", null, t("wake.next_days", { n: DAYS }))),
    h("div.shift-bars", { "aria-hidden": true },
      h("div.shift-row", null, h("span", null), axis(from)),
      mine.map((person) => row(person, schedule.shifts.filter((shift) => shift.person === person), people.indexOf(person) % COLOURS)),
      gaps.length > 0 && row(null, gaps, -1)),
    h("details", null, h("summary", null, t("wake.as_table")),
      h("table.grid", null,
        h("thead", null, h("tr", null, [t("wake.person"), t("wake.from"), t("wake.to")].map((name) => h("th", { key: name, scope: "col" }, name)))),
        h("tbody", null, schedule.shifts.map((shift, i) => h("tr", { key: i },
          h("th", { scope: "row" }, shift.person === null ? h("span.bad", null, t("wake.nobody")) : h(Text, { text: shift.person }), shift.arranged && h("span.tag", null, t("wake.arranged"))),
          h("td", { title: utc(shift.from) }, dayTime(shift.from)), h("td", { title: utc(shift.to) }, dayTime(shift.to))))))),
    schedule.more && h("p.dim", null, t("wake.more_shifts")));
}

const percent = (time: number, from: number) => Math.max(0, Math.min(100, ((time - from) / (DAYS * DAY_MS)) * 100));

function bar(shifts: Shift[], from: number, colour: number) {
  return svg("svg", { class: `shift-track person-${colour}`, width: "100%", height: 18 }, shifts.map((shift, i) => {
    const begin = percent(toMillis(shift.from) ?? from, from), end = percent(toMillis(shift.to) ?? from, from);
    return svg("rect", { key: i, class: shift.arranged ? "arranged" : undefined, x: `${begin}%`, y: 2, width: `${Math.max(0.3, end - begin - 0.2)}%`, height: 14, rx: 3 });
  }));
}

/* Local midnights, every second one named. */
function axis(from: number) {
  const first = new Date(from);
  first.setHours(24, 0, 0, 0);
  const days = Array.from({ length: DAYS }, (_, i) => new Date(first.getFullYear(), first.getMonth(), first.getDate() + i));
  return svg("svg", { class: "shift-axis", width: "100%", height: 16 }, days.map((day, i) => {
    const x = `${percent(day.getTime(), from)}%`;
    return [svg("line", { key: "l" + i, x1: x, x2: x, y1: 11, y2: 16 }), i % 2 === 0 && svg("text", { key: i, x, y: 10, dx: 2 }, `${day.getMonth() + 1}/${day.getDate()}`)];
  }));
}
