/* Which row would decide: a request is taken from what was asked, or written, and each row of the policy says what it makes of it. */
import { useEffect, useState } from "preact/hooks";
import { h } from "./h.ts";
import { usePoll } from "./poll.ts";
import { Failed, useAct } from "./act.ts";
import { Text } from "./visible.ts";
import { DecisionWord } from "./badges.ts";
import { requestOf } from "./brake_hold_details.ts";
import { reasonsOf } from "./brake_decisions.ts";
import { dateTime } from "./format.ts";
import { api } from "../api.ts";
import type { Explained, GateRequest } from "../api.ts";
import { hashFor, useStore } from "../state.ts";
import { t, word } from "../i18n/text.ts";

const EARLIER = 100;
const ACTIONS = ["withdrawal", "order", "address_add", "api_key_create", "mfa_reset", "config_change", "login"];
const FIELDS = ["account", "asset", "amount", "wallet", "destination"] as const;
const NEW: GateRequest = { request_id: "?", action: "withdrawal" };

export function Explain(props: { onExplained: (explained: Explained | null) => void }) {
  useStore((s) => s.language);
  const wanted = useStore((s) => s.route.params).get("request");
  const asked = usePoll(async () => {
    const [decisions, holds] = await Promise.all([api.decisions(EARLIER), api.holds()]);
    const known = new Set(decisions.decisions.map((one) => one.request_id));
    return [...decisions.decisions, ...holds.holds.filter((one) => !known.has(one.request_id))];
  }, 0, []);
  const [request, setRequest] = useState(NEW);
  const [explained, setExplained] = useState<Explained | null>(null);
  const { busy, run } = useAct();
  const show = (found: Explained | null) => { setExplained(found); props.onExplained(found); };
  const explain = (wish: GateRequest) => run(async () => show(await api.explain(wish)));
  const take = (id: string) => {
    const one = asked.data?.find((other) => other.request_id === id);
    if (!one) { setRequest(NEW); return show(null); }
    setRequest(requestOf(one));
    void explain(requestOf(one));
  };
  useEffect(() => { if (wanted && asked.data) take(wanted); }, [wanted, asked.data !== null]);
  const change = (name: keyof GateRequest, value: string) => { setRequest({ ...request, request_id: "?", [name]: value }); show(null); };
  const submit = (event: Event) => { event.preventDefault(); void explain(requestOf(request)); };
  return h("section.explain", null,
    h("h2", null, t("explain.title")), h("p.dim.about", null, t("explain.about")),
    h(Failed, { error: asked.error }),
    h("form.row-form", { onSubmit: submit },
      h("label.field.earlier", null, h("span", null, t("explain.earlier")),
        h("select", { name: "earlier", value: request.request_id, onChange: (e: Event) => take((e.target as HTMLSelectElement).value) },
          h("option", { value: "?" }, t("explain.new")),
          (asked.data ?? []).map((one) => h("option", { key: one.request_id, value: one.request_id }, `${one.request_id} · ${word("decision", one.decision)} · ${one.amount ?? ""} ${one.asset ?? ""} · ${dateTime(one.time)}`)))),
      h("label.field", null, h("span", null, t("col.action")),
        h("select", { name: "action", value: request.action, onChange: (e: Event) => change("action", (e.target as HTMLSelectElement).value) },
          [...new Set([...ACTIONS, request.action])].map((one) => h("option", { key: one, value: one }, word("action", one))))),
      FIELDS.map((name) => h("label.field", { key: name }, h("span", null, name === "wallet" ? t("hold.wallet") : t(`col.${name}`)),
        h("input", { name, autocomplete: "off", spellcheck: false, value: request[name] ?? "", inputMode: name === "amount" ? "decimal" : undefined, onInput: (e: Event) => change(name, (e.target as HTMLInputElement).value.trim()) }))),
      h("button.primary", { type: "submit", disabled: busy }, t("explain.ask"))),
    explained && h(Outcome, { explained }));
}

function Outcome(props: { explained: Explained }) {
  const { explained } = props;
  const ofTheGate = !explained.rows.some((row) => row.decides && row.name === explained.row);
  return h("div.outcome", { class: explained.decision, role: "status" },
    h("p", null, h(DecisionWord, { decision: explained.decision }), " ", h("span.tag", null, h(Text, { text: explained.row })), " ", reasonsOf(explained).map((reason, i) => h("span", { key: i }, h(Text, { text: reason }), " "))),
    explained.shadow && h("p", null, "▲ ", t("brake.shadow_about")),
    ofTheGate && h("p", null, "▲ ", t("explain.doubt")),
    explained.decided_before && h("p.dim", null, t("explain.before")),
    explained.incident && h("p", null, h("a", { href: hashFor("incidents", { id: explained.incident }) }, t("brake.incident", { id: explained.incident }))));
}
