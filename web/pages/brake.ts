/* The brake: does it work, what does it hold, what did it decide and why. */
import { useEffect, useState } from "preact/hooks";
import { h } from "../parts/h.ts";
import { errorText, usePoll } from "../parts/poll.ts";
import { useListKeys } from "../parts/keys.ts";
import { Text } from "../parts/visible.ts";
import { brakeTone } from "../parts/strip.ts";
import { DecisionWord } from "../parts/badges.ts";
import { MoneyTable } from "../parts/money_table.ts";
import { CommentForm } from "../parts/comment_form.ts";
import { dateTime, grouped, utc } from "../parts/format.ts";
import { api } from "../api.ts";
import type { Decision, Hold } from "../api.ts";
import { getState, hashFor, may, navigate, notify, useStore } from "../state.ts";
import { both, t, word } from "../i18n/text.ts";

const EVERY_MS = 2000;
const DECISIONS = 200;

export function BrakePage() {
  useStore((s) => s.language);
  const overview = useStore((s) => s.overview);
  const wanted = useStore((s) => s.route.params).get("request");
  const holds = usePoll(() => api.holds(), EVERY_MS, []);
  const decisions = usePoll(() => api.decisions(DECISIONS), EVERY_MS, []);
  const [cursor, setCursor] = useState(-1);
  const [open, setOpen] = useState<string | null>(null);
  const list = decisions.data?.decisions ?? [];
  const held = holds.data?.holds ?? [];
  const brake = overview?.brake;
  useEffect(() => {
    const one = wanted && list.find((decision) => decision.request_id === wanted);
    if (one) { setOpen(one.id); document.getElementById("decision-" + one.id)?.scrollIntoView({ block: "center" }); }
  }, [wanted, list.length > 0]);

  useListKeys({
    move: (by) => {
      const next = Math.max(0, Math.min(list.length - 1, cursor + by));
      setCursor(next);
      document.getElementById("decision-" + list[next]?.id)?.scrollIntoView({ block: "nearest" });
    },
    open: () => { const one = list[cursor]; if (one) setOpen(open === one.id ? null : one.id); },
    close: () => { setOpen(null); if (wanted) navigate("brake"); },
  });

  return h("main.page", null,
    h("div.page-head", null, h("h1", null, t("nav.brake"))),
    brake && h("section.brake-state", { class: brakeTone(brake), role: "status" },
      h("div.big", null, h("small", null, t("brake.mode")), h("b", null, word("mode", brake.mode)), h("span", null, word("mode_about", brake.mode))),
      h("div.big", null, h("small", null, t("brake.health")), h("b", null, h("i", { "aria-hidden": true }, brake.healthy ? "✓ " : "✕ "), t(brake.healthy ? "brake.healthy" : "brake.unhealthy")),
        both(brake.reason) ? h("span", null, h(Text, { text: both(brake.reason) })) : h("span", null, t(brake.healthy ? "brake.healthy_about" : "brake.unhealthy_about"))),
      h("div.big", null, h("small", null, t("brake.held")), h("b", null, grouped(brake.held)), h("span", null, t("brake.of_decisions", { n: grouped(brake.decisions) })))),
    h(MoneyTable, {}),
    h("section", null,
      h("h2", null, t("brake.holds"), " ", h("span.count", null, held.length)),
      holds.error && h("p.message.error", { role: "alert" }, h("b", null, "✕ "), holds.error),
      holds.data && held.length === 0 ? h("p.dim", null, t("brake.no_holds"))
        : h("ul.holds", null, held.map((one) => h(HoldCard, { key: one.id, hold: one, onChanged: holds.reload })))),
    h("section", null,
      h("h2", null, t("brake.decisions_title"), " ", h("span.live", null, h("i", { "aria-hidden": true }, "●"), " ", t("live"))),
      decisions.error && h("p.message.error", { role: "alert" }, h("b", null, "✕ "), decisions.error),
      decisions.data && list.length === 0 && h("div.empty", null, h("h3", null, t("brake.no_decisions")), h("p", null, t("brake.no_decisions_next"))),
      list.length > 0 && h("div.scroll-x", null, h("table.grid.decisions", null,
        h("thead", null, h("tr", null, [t("col.time"), t("col.decision"), t("col.action"), t("col.amount"), t("col.account"), t("col.destination"), t("col.row"), t("col.reason")].map((name, i) => h("th", { key: name, scope: "col", class: i === 3 ? "numeric" : "" }, name)))),
        h("tbody", null, list.map((one, i) => [
          h("tr", { key: one.id, id: "decision-" + one.id, class: i === cursor ? "selected" : "", onClick: () => { setCursor(i); setOpen(open === one.id ? null : one.id); } },
            h("td", null, h("button.twist", { "aria-expanded": open === one.id, "aria-label": t("brake.why", { id: one.request_id }), onClick: (e: Event) => { e.stopPropagation(); setOpen(open === one.id ? null : one.id); } }, open === one.id ? "▾" : "▸"), h("time", { title: utc(one.time) }, dateTime(one.time, true))),
            h("td", null, h(DecisionWord, { decision: one.decision }), one.shadow && h("span.tag", { title: t("brake.shadow_about") }, t("brake.shadow"))),
            h("td", null, word("action", one.action)),
            h("td.numeric.money", null, grouped(one.amount), " ", h(Text, { text: one.asset })),
            h("td", null, h(Text, { text: one.account })),
            h("td.mono.clip", { title: one.destination }, h(Text, { text: one.destination })),
            h("td", null, h("span.tag", null, h(Text, { text: one.row }))),
            h("td.clip.wide", null, h(Text, { text: reasons(one)[0] ?? "" }))),
          open === one.id && h("tr.detail", { key: one.id + "d" }, h("td", { colSpan: 8 }, h(Why, { decision: one }))),
        ]))))));
}

function reasons(decision: Decision): string[] {
  return decision.reasons?.[getState().language] ?? decision.reasons?.en ?? [];
}

function Why(props: { decision: Decision }) {
  const { decision } = props;
  return h("div.why", null,
    h("p", null, t("brake.decided_by"), " ", h("span.tag", null, h(Text, { text: decision.row })), decision.shadow ? " " + t("brake.shadow_about") : ""),
    h("ul", null, reasons(decision).map((reason, i) => h("li", { key: i }, h(Text, { text: reason })))),
    h("dl.facts", null,
      fact(t("col.request"), decision.request_id), fact(t("col.decision_id"), decision.id), fact(t("col.destination"), decision.destination)),
    decision.incident && h("p", null, h("a", { href: hashFor("incidents", { id: decision.incident }) }, t("brake.incident", { id: decision.incident }))));
}

function fact(name: string, value: string) {
  return h("div", { key: name }, h("dt", null, name), h("dd.mono", null, h(Text, { text: value })));
}

function HoldCard(props: { hold: Hold; onChanged: () => void }) {
  const { hold } = props;
  const [releasing, setReleasing] = useState(false);
  const [busy, setBusy] = useState(false);
  const release = async (approval: string) => {
    setBusy(true);
    try {
      await api.release(hold.id, approval);
      notify("ok", t("brake.approval_accepted"));
      props.onChanged();
      return true;
    } catch (error) {
      notify("bad", errorText(error));
      return false;
    } finally {
      setBusy(false);
    }
  };
  return h("li.hold-card", null,
    h("div.hold-main", null,
      h(DecisionWord, { decision: "hold" }),
      h("b.money", null, grouped(hold.amount), " ", h(Text, { text: hold.asset })),
      h("span", null, word("action", hold.action), " · ", h(Text, { text: hold.account }), " → ", h("span.mono", null, h(Text, { text: hold.destination }))),
      h("span.spring", null),
      h("time.dim", { title: utc(hold.time) }, dateTime(hold.time)),
      hold.approvals_needed ? h("span.tag", null, t("brake.approvals", { n: hold.approvals ?? 0, m: hold.approvals_needed })) : null,
      h("button", { "aria-expanded": releasing, disabled: !may("approver"), title: may("approver") ? undefined : t("role.needed", { role: word("role", "approver") }), onClick: () => setReleasing(!releasing) }, t("brake.release"))),
    h("p.dim", null, h("span.tag", null, h(Text, { text: hold.row })), " ", h("span.mono", null, h(Text, { text: hold.request_id })), " · ", h(Text, { text: reasons(hold).join(" ") }),
      hold.incident && [" · ", h("a", { href: hashFor("incidents", { id: hold.incident }) }, hold.incident)]),
    releasing && h("div", null, h("p.dim", null, t("brake.release_how")),
      h(CommentForm, { label: t("brake.approval"), submit: t("brake.release_submit"), required: true, busy, cancel: () => setReleasing(false), onSubmit: release })));
}
