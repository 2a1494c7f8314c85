/* Nothing searched yet, or nothing found: says the next step, with searches that work as they are. */
import { h } from "./h.ts";
import { ALL, rangeLabel } from "./time_picker.ts";
import type { Range } from "./time_picker.ts";
import { t } from "../i18n/text.ts";
import type { Key } from "../i18n/text.ts";

const EXAMPLES: { query: string; about: Key }[] = [
  { query: "* | stats count by event.dataset | sort -count", about: "example.datasets" },
  { query: "* | timechart count by event.dataset", about: "example.over_time" },
  { query: "event.outcome=failure | stats count by user.name, source.ip | sort -count", about: "example.failures" },
  { query: "event.action=withdrawal* | table _time user.name exchange.asset exchange.amount wallet.address", about: "example.withdrawals" },
  { query: "* | fieldsummary", about: "example.fields" },
];

export function SearchEmpty(props: { searched: boolean; query: string; range: Range; onRun: (query: string, range?: Range) => void }) {
  const { searched, range, onRun } = props;
  const everything = range.from === ALL.from && range.to === ALL.to;
  return h("section.empty", null,
    h("h2", null, searched ? t("empty.nothing") : t("empty.start")),
    h("p", null, searched ? t(everything ? "empty.all_searched" : "empty.range", { range: rangeLabel(range) }) : t("empty.how")),
    searched && !everything && h("button.primary", { onClick: () => onRun(props.query, ALL) }, t("empty.search_all")),
    h("ul.examples", null, EXAMPLES.map((example) =>
      h("li", { key: example.query },
        h("button.example", { onClick: () => onRun(example.query) },
          h("code", null, example.query), h("span", null, t(example.about)))))));
}
