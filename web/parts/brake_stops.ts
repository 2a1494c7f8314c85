/* What is stopped now, why, and how far it is reopened: 1 %, 10 %, 100 %, each step by as many people as it needs. */
import { useState } from "preact/hooks";
import { h } from "./h.ts";
import { usePoll } from "./poll.ts";
import { Failed, SureButton, needs, useAct } from "./act.ts";
import { Text } from "./visible.ts";
import { StopForm } from "./stop_form.ts";
import { Signed } from "./brake_hold_approval.ts";
import { useCursor } from "./tabs.ts";
import { age, dateTime, utc } from "./format.ts";
import { api } from "../api.ts";
import type { SignedApproval, Stop } from "../api.ts";
import { notify, useStore } from "../state.ts";
import { t, word } from "../i18n/text.ts";

const EVERY_MS = 3000;
const STEPS = [0, 0.01, 0.1, 1];
const percent = (share: string | number) => `${Math.round(Number(share) * 10_000) / 100} %`;

export function Stops() {
  useStore((s) => s.language);
  const { data, error, reload } = usePoll(() => api.stops(), EVERY_MS, []);
  const [making, setMaking] = useState(false);
  const [open, setOpen] = useState<string | null>(null);
  const stops = data?.stops ?? [];
  const toggle = (id: string) => setOpen(open === id ? null : id);
  const cursor = useCursor("stop", stops.map((one) => one.id), toggle, () => setOpen(null));
  return h("section.stops", null,
    h("div.section-head", null, h("h2", null, t("stops.title"), " ", h("span.count", null, stops.length)),
      h("button", { "aria-expanded": making, ...needs("responder"), onClick: () => setMaking(!making) }, t("stops.make"))),
    h("p.dim.about", null, t("stops.about")),
    making && h(StopForm, { first: { scope: "account", target: "" }, reason: "", cancel: () => setMaking(false), onMade: () => { setMaking(false); reload(); } }),
    h(Failed, { error }),
    data && stops.length === 0 && h("p.good", null, "✓ ", t("stops.none")),
    h("ul.holds", null, stops.map((stop) => h(StopCard, { key: stop.id, stop, open: open === stop.id, cursor: cursor === stop.id, toggle, onChanged: reload }))));
}

function StopCard(props: { stop: Stop; open: boolean; cursor: boolean; toggle: (id: string) => void; onChanged: () => void }) {
  const { stop } = props;
  const shut = Number(stop.share) === 0;
  return h("li.hold-card.stop-card", { id: "stop-" + stop.id, class: `${shut ? "shut" : ""} ${props.cursor ? "cursor" : ""}` },
    h("div.hold-main", null,
      h("b", { class: shut ? "bad" : "warn" }, shut ? ["✕ ", t("money.stopped")] : ["◐ ", t("stops.passes", { share: percent(stop.share) })]),
      h("b.stop-what", null, word("stop_scope", stop.scope), stop.target && [" ", h("span.mono", null, h(Text, { text: stop.target }))]),
      h("span.spring", null),
      h("time.dim", { title: utc(stop.since) }, t("brake.since", { time: dateTime(stop.since) })),
      h("button", { "aria-expanded": props.open, onClick: () => props.toggle(stop.id) }, t(props.open ? "hold.less" : "stops.reopen"))),
    h("p", null, h(Text, { text: stop.reason }), " ", h("span.dim", null, "· ", h(Text, { text: stop.by ?? "" }))),
    h(Staircase, { stop }),
    props.open && h(Reopen, { stop, onChanged: props.onChanged }));
}

/* The steps, done and to come; where it stands is said in words, too. */
function Staircase(props: { stop: Stop }) {
  const { stop } = props, share = Number(stop.share);
  return h("ol.staircase", { "aria-label": t("stops.steps") }, STEPS.map((step) =>
    h("li", { key: step, class: step < share ? "past" : step === share ? "here" : "", "aria-current": step === share ? "step" : undefined },
      h("b", null, percent(step)), step === share && h("small", null, t("stops.here")),
      step === Number(stop.next_share) && step !== share && h("small", null, t("brake.approvals", { n: stop.approvals, m: stop.approvals_needed })))));
}

function Reopen(props: { stop: Stop; onChanged: () => void }) {
  const { stop } = props, next = Number(stop.next_share);
  const { busy, run } = useAct();
  const said = (now: Stop) => {
    notify("ok", Number(now.share) === next ? t("stops.reopened", { share: percent(next) }) : t("brake.approval_accepted"));
    props.onChanged();
  };
  const reopen = () => run(async () => said(await api.reopenStop(stop.id, next)));
  const carry = (approval: SignedApproval) => run(async () => said(await api.approveStop(stop.id, approval)));
  return h("div.hold-details", null,
    h("dl.facts", null,
      h("div", null, h("dt", null, t("stops.changed")), h("dd", { title: utc(stop.changed) }, `${dateTime(stop.changed)} (${age(stop.changed)})`)),
      h("div", null, h("dt", null, t("stops.finding")), h("dd.mono", null, stop.finding ? h(Text, { text: stop.finding }) : "–")),
      h("div", null, h("dt", null, t("stops.id")), h("dd.mono", null, h(Text, { text: stop.id })))),
    h("p", null, t("brake.approvals", { n: stop.approvals, m: stop.approvals_needed }), stop.approvers.length > 0 && ": ",
      stop.approvers.map((name) => h("span.tag", { key: name }, "✓ ", h(Text, { text: name })))),
    h("p", null, h(SureButton, { label: t("stops.reopen_to", { share: percent(next) }), sure: t(next === 1 ? "stops.end_sure" : "stops.reopen_sure", { share: percent(next) }), ...needs("approver", busy), onSure: () => void reopen() }),
      " ", h("span.dim", null, t("stops.reopen_about"))),
    h(Signed, { about: "stop", id: stop.id, url: api.stopUrl(stop.id), busy, onCarry: carry }));
}
