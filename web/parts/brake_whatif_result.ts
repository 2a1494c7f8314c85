/* The answer of a what-if: the policy that was tried beside the one it is compared with. Money stays the exact decimal text that came. */
import { h } from "./h.ts";
import { usePoll } from "./poll.ts";
import { Failed } from "./act.ts";
import { Text } from "./visible.ts";
import { DecisionWord } from "./badges.ts";
import { duration, grouped } from "./format.ts";
import { api } from "../api.ts";
import type { WhatifSide } from "../api.ts";
import { useStore } from "../state.ts";
import { t } from "../i18n/text.ts";

type Line = [name: string, of: (side: WhatifSide) => string];

function lines(thefts: boolean): Line[] {
  const all: Line[] = [
    [t("whatif.requests"), (s) => grouped(s.requests)], [t("decision.allow"), (s) => grouped(s.allowed)], [t("decision.hold"), (s) => grouped(s.held)], [t("decision.deny"), (s) => grouped(s.denied)],
    [t("whatif.usd_held"), (s) => grouped(s.usd_held)], [t("whatif.customers"), (s) => grouped(s.customers_delayed)], [t("whatif.minutes"), (s) => duration(s.minutes_delayed * 60_000)],
  ];
  const ofThefts: Line[] = [
    [t("whatif.caught"), (s) => grouped(s.thefts_caught)], [t("whatif.missed"), (s) => grouped(s.thefts_missed)], [t("whatif.false_holds"), (s) => grouped(s.false_holds)],
  ];
  return thefts ? [...all, ...ofThefts] : all;
}

export function WhatifResult(props: { id: string }) {
  useStore((s) => s.language);
  const { data, error } = usePoll(() => api.whatif(props.id), 0, [props.id]);
  if (!data?.result) return h(Failed, { error });
  const { candidate, current } = data.result;
  const sides = current ? [candidate, current] : [candidate];
  const names = [t("whatif.candidate"), t("whatif.current")];
  const heads = (first: string) => h("thead", null, h("tr", null, h("th", { scope: "col" }, first),
    sides.map((side, i) => h("th.numeric", { key: i, scope: "col" }, names[i], " ", h("small", null, h(Text, { text: side.policy_version }))))));
  const thefts = candidate.thefts_caught !== undefined;
  return h("div.whatif-result", null,
    h("div.scroll-x", null, h("table.grid.whatif-sum", null, heads(t("whatif.what")),
      h("tbody", null, lines(thefts).map(([name, of]) => h("tr", { key: name }, h("th", { scope: "row" }, name),
        sides.map((side, i) => h("td.numeric", { key: i, class: i === 0 && current && of(side) !== of(current) ? "changed" : "" }, i === 0 && current && of(side) !== of(current) && h("i", { title: t("whatif.differs") }, "≠ "), of(side)))))))),
    h(Money, { sides, names, thefts }),
    h(ByRow, { sides, names }));
}

function Money(props: { sides: WhatifSide[]; names: string[]; thefts: boolean }) {
  const { sides, names, thefts } = props;
  const assets = [...new Set(sides.flatMap((side) => Object.keys(side.money)))].sort();
  const kinds = thefts ? (["held", "theft_saved", "theft_lost"] as const) : (["held"] as const);
  const columns = kinds.flatMap((kind) => sides.map((side, i) => ({ kind, side, name: sides.length > 1 ? `${t(`whatif.money_${kind}`)}: ${names[i]}` : t(`whatif.money_${kind}`) })));
  return h("div", null, h("h3", null, t("whatif.money")),
    assets.length === 0 ? h("p.dim", null, t("whatif.no_money"))
      : h("div.scroll-x", null, h("table.grid", null,
        h("thead", null, h("tr", null, h("th", { scope: "col" }, t("col.asset")), columns.map((column) => h("th.numeric", { key: column.name, scope: "col" }, column.name)))),
        h("tbody", null, assets.map((asset) => h("tr", { key: asset }, h("th", { scope: "row" }, h(Text, { text: asset })),
          columns.map((column) => h("td.numeric.money", { key: column.name }, grouped(column.side.money[asset]?.[column.kind] ?? "0")))))))));
}

function ByRow(props: { sides: WhatifSide[]; names: string[] }) {
  const { sides, names } = props;
  const keys = [...new Set(sides.flatMap((side) => side.rows.map((row) => JSON.stringify([row.row, row.decision]))))].map((key) => JSON.parse(key) as [string, string]);
  const of = (side: WhatifSide, [name, decision]: [string, string]) => side.rows.find((row) => row.row === name && row.decision === decision)?.requests ?? 0;
  return h("div", null, h("h3", null, t("whatif.by_row")),
    h("div.scroll-x", null, h("table.grid", null,
      h("thead", null, h("tr", null, h("th", { scope: "col" }, t("col.row")), h("th", { scope: "col" }, t("col.decision")), sides.map((_, i) => h("th.numeric", { key: i, scope: "col" }, names[i])))),
      h("tbody", null, keys.map((key) => h("tr", { key: key.join(" ") }, h("th", { scope: "row" }, h(Text, { text: key[0] })), h("td", null, h(DecisionWord, { decision: key[1] })),
        sides.map((side, i) => h("td.numeric", { key: i }, grouped(of(side, key))))))))));
}
