/* An exception or a mute: what fits is kept quiet for a reason and until a day; first what it would have hidden. */
import { useState } from "preact/hooks";
import { h } from "./h.ts";
import { needs, useAct } from "./act.ts";
import { Text } from "./visible.ts";
import { dateTime, grouped } from "./format.ts";
import { api } from "../api.ts";
import type { Entity, ExceptionPreview, ExceptionWish } from "../api.ts";
import { t, word } from "../i18n/text.ts";

const DAYS = 30;
const LASTS = ["+1d", "+7d", "+30d", "+90d"];

export function ExceptionForm(props: { rule: string; entities: Entity[]; cancel?: () => void; onMade: () => void }) {
  const { busy, run } = useAct();
  const [kind, setKind] = useState<"exception" | "mute">("exception");
  const [rule, setRule] = useState(props.rule);
  const [left, setLeft] = useState<Set<number>>(new Set()); // entities that need not fit
  const [reason, setReason] = useState("");
  const [expires, setExpires] = useState("+30d");
  const [wrong, setWrong] = useState("");
  const [preview, setPreview] = useState<ExceptionPreview | null>(null);
  const wish = (): ExceptionWish => {
    const entities = props.entities.filter((_, i) => !left.has(i));
    return { kind, reason: reason.trim(), expires, ...(rule.trim() ? { rule: rule.trim() } : {}), ...(entities.length ? { entities } : {}) };
  };
  const look = () => void run(async () => setPreview(await api.previewException({ ...wish(), reason: reason.trim() || "-" }, DAYS)));
  const submit = async (event: Event) => {
    event.preventDefault();
    if (!reason.trim()) return setWrong(t("wake.need_reason"));
    setWrong("");
    if (await run(() => api.addException(wish()), t("exception.made"))) props.onMade();
  };
  const toggle = (i: number) => { const now = new Set(left); if (!now.delete(i)) now.add(i); setLeft(now); setPreview(null); };
  return h("form.inline-form.exception-form", { onSubmit: submit },
    h("div.segmented", { role: "group", "aria-label": t("exception.kind") },
      (["exception", "mute"] as const).map((one) => h("button", { key: one, "aria-pressed": kind === one, onClick: () => { setKind(one); setPreview(null); } }, word("exception_kind", one)))),
    h("p.dim", null, t(kind === "mute" ? "exception.about_mute" : "exception.about")),
    h("label.field", null, h("span", null, t("col.rule")), h("input", { name: "rule", autocomplete: "off", value: rule, onInput: (e: Event) => { setRule((e.target as HTMLInputElement).value); setPreview(null); } })),
    props.entities.length > 0 && h("fieldset.terms", null, h("legend", null, t("exception.entities")), props.entities.map((entity, i) =>
      h("label", { key: i }, h("input", { type: "checkbox", checked: !left.has(i), onChange: () => toggle(i) }), " ", h("small", null, word("entity", entity.type)), " ", h(Text, { text: entity.value })))),
    h("label.field", null, h("span", null, t("wake.reason")), h("input", { name: "reason", autocomplete: "off", value: reason, onInput: (e: Event) => setReason((e.target as HTMLInputElement).value) })),
    h("label.field", null, h("span", null, t("exception.lasts")), h("select", { name: "expires", value: expires, onChange: (e: Event) => setExpires((e.target as HTMLSelectElement).value) },
      LASTS.map((one) => h("option", { key: one, value: one }, t("exception.days", { n: one.slice(1, -1) }))))),
    wrong && h("p.error-text", { role: "alert" }, wrong),
    preview && h("div.preview", { role: "status" },
      h("p", null, h("b", null, t("exception.would", { days: preview.days, findings: grouped(preview.findings), incidents: grouped(preview.incidents), pages: grouped(preview.pages) }))),
      !preview.complete && h("p.warn", null, "▲ ", t("exception.not_all", { time: dateTime(preview.complete_from) })),
      h("ul", null, preview.sample.slice(0, 5).map((one) => h("li.dim", { key: one.id }, dateTime(one.time), " ", one.entities.map((entity) => entity.value).slice(0, 3).map((value, i) => h("span.tag", { key: i }, h(Text, { text: value }))))))),
    h("div.actions", null,
      h("button", { ...needs("analyst", busy), onClick: look }, t("exception.preview", { n: DAYS })),
      h("button.primary", { type: "submit", ...needs("responder", busy) }, t("exception.make")),
      props.cancel && h("button.quiet", { onClick: props.cancel }, t("form.cancel"))));
}
