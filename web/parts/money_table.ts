/*
 * The money, an asset a row: what is held, what leaves against what usually leaves, what the gate lets through, and whether what protects it is
 * still heard. Where no wallet is known, as with brokers: sign-ins, orders and changes of accounts.
 */
import { h } from "./h.ts";
import { DecisionWord } from "./badges.ts";
import { Text } from "./visible.ts";
import { age, dateTime, grouped } from "./format.ts";
import { useSearchRows } from "./search_rows.ts";
import { usePoll } from "./poll.ts";
import { api } from "../api.ts";
import type { AssetState, Stop } from "../api.ts";
import { hashFor, useStore } from "../state.ts";
import { t, word } from "../i18n/text.ts";

const STOPS_EVERY_MS = 5000;
const ACCOUNTS_EVERY_MS = 60_000;
const SIGHT_S = 15 * 60; // as in the policy that is shipped
const ACCOUNTS = 'event.dataset IN (exchange.auth, exchange.order, exchange.trade, exchange.account, exchange.bank) '
  + '| eval recent=if(_time >= relative_time(now(), "-1h"), 1, 0) | stats sum(recent) as last_hour count as day dc(user.id) as accounts by event.dataset | sort event.dataset';

export function MoneyTable() {
  useStore((s) => s.language);
  const assets = useStore((s) => s.overview)?.brake.assets;
  const { data } = usePoll(() => api.stops(), STOPS_EVERY_MS, []);
  if (!assets) return h("section.money-row", { "aria-busy": true });
  return h("section.money-row", { "aria-label": t("money.title") }, assets.length > 0 ? h(Assets, { assets, stops: data?.stops ?? [] }) : h(Accounts, {}));
}

const heads = (names: string[], numericFrom: number, numericTo: number) => h("thead", null, h("tr", null, names.map((name, i) => h("th", { key: name, scope: "col", class: i >= numericFrom && i <= numericTo ? "numeric" : "" }, name))));

/* A ratio for the eye only; the exact figures stand beside it. */
const timesUsual = (asset: AssetState) => (Number(asset.usual_1h) > 0 ? Number(asset.outflow_1h) / Number(asset.usual_1h) : null);

function Assets(props: { assets: AssetState[]; stops: Stop[] }) {
  const now = Date.now() / 1000;
  return h("div.scroll-x", null, h("table.grid.money-table", null,
    heads([t("col.asset"), t("col.balance"), t("col.outflow"), t("col.usual"), t("col.times_usual"), t("col.limit"), t("col.sight")], 1, 4),
    h("tbody", null, [...props.assets].sort((a, b) => (timesUsual(b) ?? 0) - (timesUsual(a) ?? 0)).map((asset) => {
      const ratio = timesUsual(asset);
      const tone = ratio === null ? "" : ratio >= 10 ? "bad" : ratio >= 3 ? "warn" : "";
      const share = Number(asset.balance) > 0 ? Math.min(1, Number(asset.outflow_1h ?? 0) / Number(asset.balance)) : 0;
      const stop = props.stops.find((one) => one.scope === "all" || (one.scope === "asset" && one.target === asset.asset));
      const unseen = asset.heard === null ? null : now - Number(asset.heard);
      return h("tr", { key: asset.asset },
        h("th", { scope: "row" }, h("a", { href: hashFor("search", { q: `exchange.asset="${asset.asset}" OR wallet.asset="${asset.asset}"` }) }, h(Text, { text: asset.asset }))),
        h("td.numeric.money", null, asset.balance === null ? "–" : grouped(asset.balance)),
        h("td.numeric.money", null, grouped(asset.outflow_1h ?? "0"), h("i.drain", { "aria-hidden": true }, h("i", { class: tone, style: { width: `${Math.round(share * 100)}%` } }))),
        h("td.numeric.money", null, asset.usual_1h === null ? "–" : grouped(asset.usual_1h)),
        h("td.numeric", { class: tone }, ratio === null ? "–" : [tone && h("i", { "aria-hidden": true }, "▲ "), t("brake.times", { n: ratio < 10 ? ratio.toFixed(1) : grouped(Math.round(ratio)) })]),
        h("td", null, stop ? h("b.bad", { title: stop.reason }, "✕ ", Number(stop.share) > 0 ? t("money.share", { n: Number(stop.share) * 100 }) : t("money.stopped")) : h(DecisionWord, { decision: asset.state })),
        h("td", null, unseen === null ? h("span.dim", null, t("money.never_heard")) : unseen > SIGHT_S
          ? h("b.warn", { title: dateTime(Number(asset.heard)) }, "▲ ", t("money.blind", { time: age(new Date(Number(asset.heard) * 1000).toISOString()) })) : h("span.good", { title: dateTime(Number(asset.heard)) }, "✓ ", t("money.seen"))));
    }))));
}

function Accounts() {
  const { rows, columns, failure } = useSearchRows(ACCOUNTS, { from: "-24h", to: "now" }, ACCOUNTS_EVERY_MS);
  const at = (row: unknown[], name: string) => String(row[columns.indexOf(name)] ?? "0");
  if (failure || rows.length === 0) return h("p.dim.pad", null, failure ?? t("money.none"));
  return h("table.grid.money-table", null,
    heads([t("money.what"), t("money.last_hour"), t("money.usual_hour"), t("col.times_usual"), t("money.accounts")], 1, 4),
    h("tbody", null, rows.map((row) => {
      const usual = Number(at(row, "day")) / 24, last = Number(at(row, "last_hour")), ratio = usual > 0 ? last / usual : 0;
      const tone = ratio >= 10 ? "bad" : ratio >= 3 ? "warn" : "";
      const dataset = at(row, "event.dataset");
      return h("tr", { key: dataset },
        h("th", { scope: "row" }, h("a", { href: hashFor("search", { q: `event.dataset=${dataset}` }) }, word("money_kind", dataset))),
        h("td.numeric", null, grouped(last)), h("td.numeric", null, usual < 10 ? usual.toFixed(1) : grouped(Math.round(usual))),
        h("td.numeric", { class: tone }, tone && h("i", { "aria-hidden": true }, "▲ "), t("brake.times", { n: ratio.toFixed(1) })), h("td.numeric", null, grouped(at(row, "accounts"))));
    })));
}
