/* Retention holds: events that must stay however old they get. Two administrators end one; the disk's figures say what it costs. */
import { useState } from "preact/hooks";
import { h } from "./h.ts";
import { usePoll } from "./poll.ts";
import { Failed, needs, useAct } from "./act.ts";
import { CommentForm } from "./comment_form.ts";
import { Text } from "./visible.ts";
import { focusButton, useCursor } from "./tabs.ts";
import { read, text } from "./settings_fields.ts";
import { age, dateTime, grouped, localInput, size, utc } from "./format.ts";
import { api } from "../api.ts";
import type { Keep, KeepWish, Retention } from "../api.ts";
import { getState, may, notify, useStore } from "../state.ts";
import { t } from "../i18n/text.ts";

const EVERY_MS = 5000;
const DAY_MS = 86_400_000;

export function Keeps() {
  useStore((s) => s.language);
  const [all, setAll] = useState(false);
  const { data, error, reload } = usePoll(() => api.keeps(all), EVERY_MS, [all]);
  const keeps = data?.keeps ?? [];
  const cursor = useCursor("keep", keeps.map((one) => one.name), focusButton("keep"), () => {});
  return h("div.tab-body", null,
    h("section.keeps", null,
      h("div.section-head", null, h("h2", null, t("settings.keeps"), " ", h("span.count", null, keeps.length)),
        h("div.segmented", { role: "group", "aria-label": t("exception.which") },
          h("button", { "aria-pressed": !all, onClick: () => setAll(false) }, t("exception.active")), h("button", { "aria-pressed": all, onClick: () => setAll(true) }, t("exception.all")))),
      h("p.dim.about", null, t("settings.about_keeps")),
      h(Failed, { error }),
      data && keeps.length === 0 && h("p.dim", null, t("keeps.none")),
      h("ul.holds", null, keeps.map((keep) => h(Card, { key: keep.name + keep.added, keep, cursor: cursor === keep.name, onChanged: reload }))),
      may("admin") ? h(Add, { onAdded: reload }) : h("p.dim", null, t("keeps.admin"))),
    data && h(Figures, { retention: data.retention }));
}

function Card(props: { keep: Keep; cursor: boolean; onChanged: () => void }) {
  const { keep } = props, wish = keep.end_wished;
  const [ending, setEnding] = useState(false);
  const { busy, run } = useAct();
  const mine = wish?.by === getState().user?.name;
  const end = (reason: string) => run(async () => {
    const { ended } = await api.endKeep(keep.name, reason);
    notify("ok", t(ended ? "keeps.ended" : "keeps.wished"));
    setEnding(false);
    props.onChanged();
  });
  const state = keep.ended ? h("span.state.closed", null, "– ", t("exception.over")) : keep.in_force ? h("span.state.good", null, "✓ ", t("wake.in_force")) : h("span.state.warn", null, "◌ ", t("keeps.not_yet"));
  return h("li.hold-card.keep-card", { id: "keep-" + keep.name, class: `${keep.ended ? "over" : ""} ${props.cursor ? "cursor" : ""}` },
    h("div.hold-main", null, state, h("b", null, h(Text, { text: keep.name })),
      h("span", null, keep.stream === "*" ? t("keeps.all_streams") : [t("access.stream"), " ", h("span.mono", null, h(Text, { text: keep.stream }))]),
      h("span", { title: `${utc(keep.from)} – ${utc(keep.to)}` }, dateTime(keep.from), " – ", dateTime(keep.to)),
      h("span.spring", null),
      !keep.ended && h("button", { "aria-expanded": ending, ...needs("admin", busy || mine), onClick: () => setEnding(!ending) }, t(wish ? "keeps.end_second" : "keeps.end"))),
    h("p", null, h(Text, { text: keep.reason }), " ", h("span.dim", null, "· ", h(Text, { text: keep.added_by }), " · ", h("time", { title: utc(keep.added) }, age(keep.added)))),
    wish && h("p.warn", { role: "status" }, "▲ ", t("keeps.wished_by", { time: dateTime(wish.at) }), " ", h(Text, { text: wish.by }), ": ", h(Text, { text: wish.reason }), mine && ` ${t("keeps.mine")}`),
    keep.ended && h("p.dim", { title: utc(keep.ended) }, t("keeps.ended_at", { time: dateTime(keep.ended) }), " ", h(Text, { text: keep.ended_by ?? "" })),
    ending && h(CommentForm, { label: t("keeps.end_why"), submit: t(wish ? "keeps.end_second" : "keeps.end_submit"), required: true, busy, cancel: () => setEnding(false), onSubmit: end }));
}

function Add(props: { onAdded: () => void }) {
  const { busy, run } = useAct();
  const [wrong, setWrong] = useState("");
  const submit = async (event: Event) => {
    event.preventDefault();
    const form = event.target as HTMLFormElement;
    const from = Date.parse(read(form, "from")), to = Date.parse(read(form, "to"));
    if (!read(form, "name")) return setWrong(t("access.need_name"));
    if (Number.isNaN(from) || Number.isNaN(to)) return setWrong(t("time.need_both"));
    if (to <= from) return setWrong(t("time.order"));
    if (!read(form, "reason")) return setWrong(t("wake.need_reason"));
    setWrong("");
    const wish: KeepWish = { name: read(form, "name"), from: new Date(from).toISOString(), to: new Date(to).toISOString(), reason: read(form, "reason") };
    if (read(form, "stream")) wish.stream = read(form, "stream");
    if (await run(() => api.addKeep(wish), t("keeps.added"))) { form.reset(); props.onAdded(); }
  };
  return h("form.keep-form", { onSubmit: submit },
    h("h3", null, t("keeps.add")),
    h("div.row-form", null,
      text(t("access.name"), "name", { placeholder: "case-7" }), text(t("access.stream"), "stream", { placeholder: t("keeps.all_streams") }),
      text(t("wake.from"), "from", { type: "datetime-local", defaultValue: localInput(Date.now() - 7 * DAY_MS) }), text(t("wake.to"), "to", { type: "datetime-local", defaultValue: localInput(Date.now()) }),
      text(t("wake.reason"), "reason"), h("button.primary", { type: "submit", disabled: busy }, t("keeps.make"))),
    wrong && h("p.error-text", { role: "alert" }, wrong));
}

function Figures(props: { retention: Retention }) {
  const r = props.retention;
  const item = (name: string, figure: string, about: string, tone = "") => h("div", { key: name }, h("dt", null, name), h("dd", { class: tone }, tone && "▲ ", figure), h("dd.dim", null, about));
  return h("section.retention", null, h("h2", null, t("keeps.disk")),
    h("dl.figure-list", null,
      item(t("keeps.stored"), size(r.bytes), t("keeps.segments", { n: grouped(r.segments) })),
      item(t("keeps.cold"), size(r.cold_bytes), t("keeps.segments", { n: grouped(r.cold_segments) })),
      item(t("keeps.held"), size(r.held_bytes), t("keeps.held_about", { n: grouped(r.held_segments) })),
      item(t("keeps.dropped"), grouped(r.dropped_events), t("keeps.dropped_about", { n: grouped(r.dropped_segments) })),
      item(t("keeps.short"), size(r.short_bytes), t(r.short_bytes > 0 ? "keeps.short_about" : "keeps.short_none"), r.short_bytes > 0 ? "bad" : "")));
}
