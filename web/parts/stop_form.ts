/* Stopping withdrawals at once, of an account, asset, wallet, address, partner, or all; letting go again takes people (docs/gate.md). */
import { useState } from "preact/hooks";
import { h } from "./h.ts";
import { needs, useAct } from "./act.ts";
import { api } from "../api.ts";
import type { Entity, StopWish } from "../api.ts";
import { t, word } from "../i18n/text.ts";

export const SCOPES = ["account", "asset", "wallet", "address", "partner", "all"] as const;
type Scope = (typeof SCOPES)[number];
const OF_ENTITY: Record<string, Scope> = { user: "account", account: "account", asset: "asset", wallet: "wallet", address: "address", partner: "partner" };

/* What an incident would have stopped: the widest thing of money that it names. */
export function stopOf(entities: Entity[]): { scope: Scope; target: string } {
  for (const scope of ["asset", "wallet", "account", "address", "partner"] as const) {
    const found = entities.find((entity) => OF_ENTITY[entity.type] === scope);
    if (found) return { scope, target: found.value };
  }
  return { scope: "all", target: "" };
}

export function StopForm(props: { first: { scope: Scope; target: string }; reason: string; cancel: () => void; onMade: () => void }) {
  const { busy, run } = useAct();
  const [scope, setScope] = useState<Scope>(props.first.scope);
  const [target, setTarget] = useState(props.first.target);
  const [reason, setReason] = useState(props.reason);
  const [wrong, setWrong] = useState("");
  const submit = async (event: Event) => {
    event.preventDefault();
    if (scope !== "all" && !target.trim()) return setWrong(t("stop.need_target"));
    if (!reason.trim()) return setWrong(t("wake.need_reason"));
    setWrong("");
    const wish: StopWish = { scope, reason: reason.trim(), ...(scope === "all" ? {} : { target: target.trim() }) };
    if (await run(() => api.stop(wish), t("stop.made"))) props.onMade();
  };
  const text = (label: string, value: string, set: (text: string) => void, name: string) =>
    h("label.field", null, h("span", null, label), h("input", { name, autocomplete: "off", value, onInput: (e: Event) => set((e.target as HTMLInputElement).value) }));
  return h("form.inline-form.stop-form", { onSubmit: submit, onKeyDown: (e: KeyboardEvent) => { if (e.key === "Escape") { e.preventDefault(); props.cancel(); } } },
    h("label.field", null, h("span", null, t("stop.scope")), h("select", { name: "scope", value: scope, onChange: (e: Event) => setScope((e.target as HTMLSelectElement).value as Scope) },
      SCOPES.map((one) => h("option", { key: one, value: one }, word("stop_scope", one))))),
    scope !== "all" && text(t("stop.target"), target, setTarget, "target"),
    text(t("wake.reason"), reason, setReason, "reason"),
    h("p.dim", null, t("stop.about")),
    wrong && h("p.error-text", { role: "alert" }, wrong),
    h("div.actions", null, h("button.danger", { type: "submit", ...needs("responder", busy) }, t("stop.make")), h("button.quiet", { onClick: props.cancel }, t("form.cancel"))));
}
