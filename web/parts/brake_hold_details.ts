/* All that was asked in a held request, what the bytes under it would do, what the customer may be told, and who approved it so far. */
import { h } from "./h.ts";
import { usePoll } from "./poll.ts";
import { Failed } from "./act.ts";
import { Text } from "./visible.ts";
import { fact } from "./brake_decisions.ts";
import { HoldApproval } from "./brake_hold_approval.ts";
import { age, dateTime, grouped, utc } from "./format.ts";
import { api } from "../api.ts";
import type { GateRequest, HoldDetail } from "../api.ts";
import { hashFor, useStore } from "../state.ts";
import { both, t, word } from "../i18n/text.ts";

const EVERY_MS = 3000;

/* As it was asked, without its time: a question of now. */
export function requestOf(hold: { [name in keyof GateRequest]?: string | null }): GateRequest {
  const request: GateRequest = { request_id: hold.request_id ?? "", action: hold.action ?? "" };
  for (const name of ["account", "asset", "amount", "wallet", "destination", "payload"] as const) if (hold[name]) request[name] = hold[name]!;
  return request;
}

export function HoldDetails(props: { id: string; onChanged: () => void }) {
  useStore((s) => s.language);
  const { data, error, reload } = usePoll(() => api.hold(props.id), EVERY_MS, [props.id]);
  const changed = () => { reload(); props.onChanged(); };
  if (!data) return h(Failed, { error });
  return h("div.hold-details", null,
    h(Failed, { error }),
    h(Asked, { hold: data }), h(Payload, { hold: data }), h(Customer, { id: props.id }), h(HoldApproval, { hold: data, onChanged: changed }));
}

/* In groups of four, since the ends are what imitations copy. What is selected and copied has no gaps. */
function fours(text: string) {
  const signs = [...text];
  const groups = Array.from({ length: Math.ceil(signs.length / 4) }, (_, i) => signs.slice(i * 4, i * 4 + 4).join(""));
  return h("span.fours", null, groups.map((group, i) => h("span", { key: i }, h(Text, { text: group }))));
}

function Asked(props: { hold: HoldDetail }) {
  const { hold } = props;
  const moment = (name: string, time: string | null, none: string) =>
    h("div", { key: name }, h("dt", null, name), h("dd", { title: utc(time) }, time ? `${dateTime(time)} (${age(time)})` : none));
  return h("section.hold-asked", null, h("h3", null, t("hold.asked")),
    h("dl.facts", null,
      h("div", null, h("dt", null, t("col.amount")), h("dd.money", null, h("b", null, grouped(hold.amount), " ", h(Text, { text: hold.asset })))),
      fact(t("col.action"), word("action", hold.action), { mono: false }), fact(t("col.account"), hold.account), fact(t("hold.wallet"), hold.wallet), fact(t("col.request"), hold.request_id),
      h("div.whole", null, h("dt", null, t("col.destination")), h("dd.mono", null, hold.destination ? fours(hold.destination) : "–")),
      h(FirstSeen, { hold }),
      moment(t("hold.at"), hold.at, t("hold.not_said")), moment(t("hold.since"), hold.time, "–"),
      h("div", null, h("dt", null, t("hold.expiry")), h("dd", { title: utc(hold.expiry) }, hold.expiry ? [Date.parse(hold.expiry) < Date.now() && h("b.bad", null, "✕ ", t("hold.expired"), " "), dateTime(hold.expiry)] : t("hold.no_expiry"))),
      fact(t("hold.nonce"), hold.nonce), fact(t("col.decision_id"), hold.id)),
    h("p", null, h("a", { href: hashFor("brake", { tab: "policy", request: hold.request_id }) }, t("brake.each_row"))));
}

/* The policy looks it up when it judges new destinations; explaining tells what it read. */
function FirstSeen(props: { hold: HoldDetail }) {
  const { data } = usePoll(() => api.explain(requestOf(props.hold)), 0, [props.hold.id]);
  const read = data?.rows.flatMap((row) => row.reads).find((one) => one.name.startsWith("state(address,") && one.name.endsWith("first_seen)"));
  if (!read) return null;
  const time = read.value === null ? null : Number(read.value);
  return h("div", null, h("dt", null, t("hold.first_seen")),
    h("dd", null, time === null || Number.isNaN(time) ? h("b.warn", null, "▲ ", t("hold.never_seen")) : `${dateTime(time)} (${age(new Date(time * 1000).toISOString())})`));
}

function Payload(props: { hold: HoldDetail }) {
  const { payload, payload_effects } = props.hold;
  return h("section", null, h("h3", null, t("hold.payload")),
    payload ? [
      h("ul.effects", { key: "effects" }, payload_effects.map((effect, i) => h("li", { key: i }, h(Text, { text: effect })))),
      h("details", { key: "bytes" }, h("summary", null, t("hold.payload_bytes")), h("pre.sample", null, h(Text, { text: payload }))),
    ] : h("p.dim", null, t("hold.no_payload")));
}

function Customer(props: { id: string }) {
  const { data, error } = usePoll(() => api.support(props.id), 0, [props.id]);
  return h("section", null, h("h3", null, t("hold.customer")),
    h(Failed, { error }),
    data && h("blockquote.customer", null, h(Text, { text: both(data.text) })),
    data && h("p.dim", null, data.usual_minutes ? t(data.minutes_from === "policy" ? "hold.minutes_policy" : "hold.minutes_releases", { n: data.usual_minutes }) : t("hold.no_minutes")));
}
