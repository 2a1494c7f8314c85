/* Sources: does every log arrive. */
import { h } from "../parts/h.ts";
import { usePoll } from "../parts/poll.ts";
import { Text } from "../parts/visible.ts";
import { age, grouped, utc } from "../parts/format.ts";
import { term } from "../parts/spl_edit.ts";
import { api } from "../api.ts";
import { Senders } from "./senders.ts";
import { hashFor, useStore } from "../state.ts";
import { t } from "../i18n/text.ts";
import type { Key } from "../i18n/text.ts";

const SOURCES_EVERY_MS = 3000;

const INPUT_FIGURES: [Key, Key | null][] = [
  ["col.received", null], ["col.stored", null], ["col.quarantined", null],
  ["col.lost_kernel", "sources.about_kernel"], ["col.lost_queue", "sources.about_queue"], ["col.lost_parse", "sources.about_parse"],
  ["col.gaps", "sources.about_gaps"], ["col.missing", "sources.about_missing"],
];

export function SourcesPage() {
  useStore((s) => s.language);
  return h("main.page", null,
    h("div.page-head", null, h("h1", null, t("nav.sources"))),
    h(Sources, {}), h(Senders, {}));
}

function Sources() {
  const { data, error } = usePoll(() => api.inputs(), SOURCES_EVERY_MS, []);
  const sources = [...(data?.sources ?? [])].sort((a, b) => Number(b.silent) - Number(a.silent) || (a.name < b.name ? -1 : 1));
  return h("section", null,
    h("div.section-head", null,
      h("h2", null, t("sources.title"), " ", h("span.count", null, sources.length)),
      h("a.button", { href: hashFor("unknown") }, t("nav.unknown"), " →")),
    error && h("p.message.error", { role: "alert" }, h("b", null, "✕ "), error),
    data && sources.length === 0 && h("div.empty", null,
      h("h3", null, t("sources.none")), h("p", null, t("sources.none_next")),
      h("pre.sample", null, `curl http://${location.hostname}:7180/services/collector/event \\\n  -H "Authorization: Splunk TOKEN" \\\n  -d '{"event": {"action": "login", "user": "sato"}}'\n\nlogger --server ${location.hostname} --port 5514 --tcp "hello"`)),
    sources.length > 0 && h("div.scroll-x", null, h("table.grid", null,
      h("thead", null, h("tr", null,
        [t("col.source"), t("col.dataset"), t("col.state"), t("col.last_event")].map((name) => h("th", { key: name, scope: "col" }, name)),
        INPUT_FIGURES.map(([name, about]) => h("th.numeric", { key: name, scope: "col", title: about ? t(about) : "" }, t(name))))),
      h("tbody", null, sources.map((source) => {
        const lost = source.lost.kernel + source.lost.queue + source.lost.parse;
        const missing = source.received - source.stored - source.quarantined - lost;
        return h("tr", { key: source.name },
          h("th", { scope: "row" }, h("a", { href: hashFor("search", { q: term("hinomi.source", source.name) }), title: t("sources.search") }, h(Text, { text: source.name }))),
          h("td", null, h(Text, { text: source.dataset })),
          h("td", null, source.silent ? h("span.state.warn", null, h("i", { "aria-hidden": true }, "▲ "), t("sources.silent")) : h("span.state.good", null, h("i", { "aria-hidden": true }, "✓ "), t("sources.speaking"))),
          h("td", { title: utc(source.last_event) }, age(source.last_event)),
          h("td.numeric", null, grouped(source.received)), h("td.numeric", null, grouped(source.stored)),
          h("td.numeric", { class: source.quarantined ? "warn" : "" }, grouped(source.quarantined)),
          [source.lost.kernel, source.lost.queue, source.lost.parse, source.gaps?.missing ?? 0].map((n, i) =>
            h("td.numeric", { key: i, class: n ? "bad" : "" }, n ? ["▲ ", grouped(n)] : "0")),
          h("td.numeric", { class: missing > 0 ? "bad" : "" }, missing > 0 ? ["▲ ", grouped(missing)] : "0"));
      })))));
}
