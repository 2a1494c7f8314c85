/* Pages: calls that run or ran, whom they woke by which contact, and what came back. */
import { useState } from "preact/hooks";
import { h } from "./h.ts";
import { Severity } from "./badges.ts";
import { RuleName } from "./rule_name.ts";
import { Text } from "./visible.ts";
import { dateTime, duration, toMillis, utc } from "./format.ts";
import type { WakePage, Waking } from "../api.ts";
import { hashFor } from "../state.ts";
import { t, word } from "../i18n/text.ts";

const SHOWN = 5;
const STATE: Record<string, [icon: string, tone: string]> = { running: ["☏", "bad"], answered: ["✓", "good"], ended: ["○", ""] };

/* From the call to the answer, or to now while it runs. Null when it never began or has no answer. */
export function answerMs(page: WakePage, now: number): number | null {
  const begun = toMillis(page.begun), end = page.state === "running" ? now : toMillis(page.answered);
  return begun === null || end === null ? null : Math.max(0, end - begun);
}

export function PageState(props: { page: WakePage }) {
  const [icon, tone] = STATE[props.page.state] ?? ["○", ""];
  return h("span.state", { class: tone }, h("i", { "aria-hidden": true }, icon), " ", word("page_state", props.page.state));
}

export function WakePages(props: { pages: WakePage[] }) {
  const [all, setAll] = useState(false);
  const shown = all ? props.pages : props.pages.filter((page, i) => i < SHOWN || page.state === "running");
  const now = Date.now();
  return h("section.wake-pages", null,
    h("h2", null, t("wake.pages"), " ", h("span.live", null, h("i", { "aria-hidden": true }, "●"), " ", t("live"))),
    props.pages.length === 0 ? h("p.dim", null, t("wake.no_pages"))
      : h("ul.page-cards", null, shown.map((page) => h(Card, { key: page.id, page, now }))),
    props.pages.length > shown.length && h("button", { onClick: () => setAll(true) }, t("wake.show_all", { n: props.pages.length })));
}

function Card(props: { page: WakePage; now: number }) {
  const { page } = props;
  const ms = answerMs(page, props.now);
  const held = page.state === "running" && page.held_until !== null && (toMillis(page.held_until) ?? 0) > props.now;
  return h("li.page-card", { class: page.state },
    h("div.page-line", null,
      h(PageState, { page }), h(Severity, { level: page.severity }),
      h("a.mono", { href: hashFor("incidents", { id: page.incident }) }, page.incident),
      page.kind !== "page" && h("span.tag", null, word("page_kind", page.kind)),
      page.rule && h("span.clip.wide", null, h(RuleName, { rule: page.rule })),
      h("span.spring", null),
      h("time.dim", { title: utc(page.begun) }, dateTime(page.begun))),
    h("p", null, page.state === "running"
      ? held ? t("wake.held_until", { time: dateTime(page.held_until) }) : t(page.kind === "test" ? "wake.runs_test" : "wake.runs", { time: ms === null ? "–" : duration(ms), round: page.round, step: page.next_step })
      : page.answered_by ? [t("wake.answered", { how: word("answered_how", page.answered_how), time: ms === null ? "–" : duration(ms) }), " ", h("b", null, h(Text, { text: page.answered_by }))]
        : t("wake.ended"),
      page.unanswered && [" ", h("b.bad", null, "✕ ", t("wake.unanswered", { time: dateTime(page.unanswered) }))]),
    h(Wakings, { page }));
}

function outcome(waking: Waking): [icon: string, tone: string, text: string] {
  if (waking.received) return ["✓", "good", t("wake.received", { time: duration(Math.max(0, (toMillis(waking.received) ?? 0) - (toMillis(waking.made) ?? 0))) })];
  if (waking.failed) return ["✕", "bad", t("wake.failed")];
  return ["…", "", t("wake.waiting")];
}

export function Wakings(props: { page: WakePage }) {
  const { page } = props;
  return h("ul.wakings", null,
    page.waking_count > page.wakings.length && h("li.dim", null, t("wake.earlier", { n: page.waking_count - page.wakings.length })),
    page.wakings.map((waking, i) => {
      const [icon, tone, text] = outcome(waking);
      return h("li", { key: i },
        h("b", null, h(Text, { text: waking.person })), h("span.tag", null, h(Text, { text: waking.notifier })),
        waking.address && h("span.mono.clip", { title: waking.address }, h(Text, { text: waking.address })),
        h("span.state", { class: tone, title: utc(waking.received ?? waking.made) }, h("i", { "aria-hidden": true }, icon), " ", text),
        (waking.failed ?? waking.receipt) && h("small.dim.receipt", null, h(Text, { text: waking.failed ?? waking.receipt })));
    }));
}
