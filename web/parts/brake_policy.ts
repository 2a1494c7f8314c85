/* The policy in force, row by row: the first that applies decides. A request that is tried shows what each row makes of it. */
import { useState } from "preact/hooks";
import { h } from "./h.ts";
import { usePoll } from "./poll.ts";
import { Failed, SureButton, needs, useAct } from "./act.ts";
import { Text } from "./visible.ts";
import { DecisionWord } from "./badges.ts";
import { useCursor } from "./tabs.ts";
import { Explain } from "./brake_explain.ts";
import { dateTime, utc } from "./format.ts";
import { api } from "../api.ts";
import type { Explained, ExplainedRow, GateNow, Policy, PolicyRow } from "../api.ts";
import { useStore } from "../state.ts";
import { both, t, word } from "../i18n/text.ts";

const EVERY_MS = 10_000;

export function PolicyTab() {
  useStore((s) => s.language);
  const gate = usePoll(() => api.gate(), EVERY_MS, []);
  const policy = usePoll(() => api.policy(), 0, [gate.data?.policy.digest]);
  const [explained, setExplained] = useState<Explained | null>(null);
  return h("div.tab-body", null,
    h(Failed, { error: gate.error }),
    gate.data && h(InForce, { gate: gate.data, policy: policy.data, onReloaded: () => { setExplained(null); gate.reload(); policy.reload(); } }),
    gate.data?.policy.version === null ? h("p.message.error", { role: "status" }, h("b", null, "✕ "), t("policy.none")) : h(Failed, { error: policy.error }),
    policy.data && h(Explain, { onExplained: setExplained }),
    policy.data && h(Rows, { policy: policy.data, explained }),
    policy.data && h(Values, { policy: policy.data }));
}

function InForce(props: { gate: GateNow; policy: Policy | null; onReloaded: () => void }) {
  const { gate } = props, now = gate.policy;
  const { busy, run } = useAct();
  const reload = async () => { await run(() => api.reloadPolicy(), t("policy.reloaded")); props.onReloaded(); };
  const item = (name: string, value: unknown, title?: string) => h("div", null, h("dt", null, name), h("dd", { title }, value as string));
  return h("section.policy-in-force", null,
    h("div.section-head", null, h("h2", null, t("policy.title")),
      h(SureButton, { label: t("policy.reload"), sure: t("policy.reload_sure"), ...needs("admin", busy), onSure: () => void reload() })),
    now.refused && h("div.message.error", { role: "alert" }, h("b", null, "✕ "), t("policy.refused", { time: dateTime(now.refused_at) }), h("p.mono", null, h(Text, { text: now.refused }))),
    h("dl.facts", null,
      item(t("policy.version"), now.version === null ? "–" : h(Text, { text: now.version })),
      item(t("brake.mode"), [word("mode", gate.mode), " ", h("span.dim", { key: "by" }, t(gate.mode_set_by === "policy" ? "policy.mode_by_policy" : "policy.mode_by_config"))]),
      item(t("policy.loaded"), dateTime(now.loaded), utc(now.loaded)),
      item(t("policy.path"), h("span.mono", null, h(Text, { text: now.path }))),
      item(t("policy.digest"), h("span.mono.digest", null, now.digest ?? "–")),
      item(t("policy.approvers"), props.policy?.approvers.length ? props.policy.approvers.map((name) => h("span.tag", { key: name }, h(Text, { text: name }))) : t("policy.no_approvers"))));
}

const APPLIES = { true: ["✓", "good"], false: ["–", "dim"], null: ["?", "warn"] } as const;

function Applies(props: { row: ExplainedRow }) {
  const [icon, tone] = APPLIES[String(props.row.applies) as keyof typeof APPLIES];
  return h("span.applies", { class: tone }, h("i", { "aria-hidden": true }, icon, " "), t(`policy.applies_${String(props.row.applies)}` as "policy.applies_true"),
    props.row.decides && h("b.tag.decides", null, "◀ ", t("policy.decides")));
}

function Rows(props: { policy: Policy; explained: Explained | null }) {
  const { policy, explained } = props;
  const [open, setOpen] = useState<string | null>(null);
  const toggle = (name: string) => setOpen((now) => (now === name ? null : name));
  const cursor = useCursor("policy", policy.rows.map((row) => row.name), toggle, () => setOpen(null));
  const heads = [t("policy.row"), ...(explained ? [t("policy.applies")] : []), t("policy.condition"), t("policy.effect"), t("col.reason")];
  return h("section.policy-rows", null,
    h("h2", null, t("policy.rows"), " ", h("span.count", null, policy.rows.length)),
    h("p.dim.about", null, t("policy.rows_about")),
    h("div.scroll-x", null, h("table.grid.policy-table", null,
      h("thead", null, h("tr", null, heads.map((name) => h("th", { key: name, scope: "col" }, name)))),
      h("tbody", null, policy.rows.map((row, i) => {
        const found = explained?.rows[i]?.name === row.name ? explained.rows[i] : undefined;
        return drawRow({ number: i + 1, row, found, explaining: explained !== null, cursor: cursor === row.name, open: open === row.name || (found?.decides ?? false), toggle });
      })))));
}

interface RowProps { number: number; row: PolicyRow; found: ExplainedRow | undefined; explaining: boolean; cursor: boolean; open: boolean; toggle: (name: string) => void }

function drawRow(props: RowProps) {
  const { row, found } = props;
  const because = both({ en: row.reason.en ?? "", ja: row.reason.ja ?? "" });
  return [
    h("tr", { key: row.name, id: "policy-" + row.name, class: `${props.cursor ? "selected" : ""} ${found?.decides ? "deciding" : ""}`, onClick: () => props.toggle(row.name) },
      h("th", { scope: "row" }, h("span.row-number", null, props.number), " ", found ? h("button.link", { "aria-expanded": props.open, onClick: (e: Event) => { e.stopPropagation(); props.toggle(row.name); } }, h(Text, { text: row.name })) : h(Text, { text: row.name })),
      props.explaining && h("td", null, found ? h(Applies, { row: found }) : "–"),
      h("td.condition", null, row.condition === null ? h("span.dim", null, t("policy.always")) : h("code", null, h(Text, { text: row.condition }))),
      h("td", null, h(DecisionWord, { decision: row.effect }), row.approvals ? h("small.block.dim", null, t("policy.people", { n: row.approvals })) : null),
      h("td.policy-reason", null, because ? h(Text, { text: because }) : "–")),
    props.open && found && h("tr.detail", { key: row.name + "+" }, h("td", { colSpan: 5 }, h(Reads, { row: found }))),
  ];
}

function Reads(props: { row: ExplainedRow }) {
  if (props.row.reads.length === 0) return h("p.dim.reads", null, t("policy.reads_nothing"));
  return h("div.reads", null, h("h3", null, t("policy.reads")),
    h("dl", null, props.row.reads.map((read, i) => h("div", { key: i }, h("dt.mono", null, h(Text, { text: read.name })),
      h("dd.mono", null, read.value === null ? h("b.warn", null, "? ", t("policy.unknown")) : h(Text, { text: read.value }))))));
}

function Values(props: { policy: Policy }) {
  const { limits, values, partners } = props.policy;
  const list = (rows: [name: string, text: string][]) => h("dl.policy-values", null, rows.map(([name, text]) => h("div", { key: name }, h("dt.mono", null, h(Text, { text: name })), h("dd.mono", null, h(Text, { text })))));
  return h("section", null,
    h("details", null, h("summary", null, t("policy.limits"), " ", h("span.count", null, limits.length)), list(limits.map((one) => [one.name, one.value]))),
    h("details", null, h("summary", null, t("policy.values"), " ", h("span.count", null, values.length)), list(values.map((one) => [one.name, one.expression]))),
    partners.length > 0 && h("details", null, h("summary", null, t("policy.partners"), " ", h("span.count", null, partners.length)), list(partners.map((one) => [one.name, one.destinations.join(" ")]))),
    h("details", null, h("summary", null, t("policy.file")), h("pre.sample", { tabIndex: 0 }, h(Text, { text: props.policy.text }))));
}
