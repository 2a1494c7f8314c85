/* What is not understood yet: of each source how much is, and what the rest looks like, with what to do about it. */
import { h as svg } from "preact";
import { h } from "../parts/h.ts";
import type { Child } from "../parts/h.ts";
import { usePoll } from "../parts/poll.ts";
import { Text, scalarText, visible } from "../parts/visible.ts";
import { copy } from "../parts/value_menu.ts";
import { age, dateTime, grouped, utc } from "../parts/format.ts";
import { term } from "../parts/spl_edit.ts";
import { api } from "../api.ts";
import type { Scalar, Share, UnknownPlace, UnknownQuery, UnknownTemplate } from "../api.ts";
import { hashFor, navigate, useStore } from "../state.ts";
import { t, word } from "../i18n/text.ts";
import type { Key } from "../i18n/text.ts";

/* No end: an event whose stamp names no zone may lie ahead. */
const SINCE: [from: string, name: Key][] = [["-1h", "time.1h"], ["-4h", "time.4h"], ["-24h", "time.24h"], ["-7d", "time.7d"], ["-30d", "time.30d"], ["0", "time.all"]];
const SOURCES_SHOWN = 100;

export function UnknownPage() {
  useStore((s) => s.language);
  const params = useStore((s) => s.route).params;
  const query: UnknownQuery = { from: params.get("from") ?? "-24h", of: params.get("of") === "in_part" ? "in_part" : "nobody" };
  for (const name of ["source", "sender", "path"] as const) if (params.has(name)) query[name] = params.get(name)!;
  const { from } = query;
  const shares = usePoll(async () => ({ ...await api.understood(from), asked: from }), 0, [from]);
  const settled = shares.data?.asked === from || shares.error !== null; // the templates after that: the server takes few looks at once
  return h("main.page.unknown", null,
    h("div.intro", null, h("div.page-head", null,
      h("a", { href: hashFor("sources") }, "← ", t("nav.sources")),
      h("h1", null, t("nav.unknown")),
      h("span.spring", null),
      h("select", { "aria-label": t("time.pick"), value: query.from, onChange: (e: Event) => go({ ...query, from: (e.target as HTMLSelectElement).value }) },
        SINCE.map(([from, name]) => h("option", { key: from, value: from, selected: from === query.from }, t(name)))),
      h("button", { onClick: shares.reload }, t("unknown.again"))),
      h("p.dim.lead", null, t("unknown.lead"))),
    h(Shares, { shares: shares.data?.sources ?? null, more: shares.data?.more_sources ?? 0, complete: shares.data?.complete ?? true, error: shares.error, query }),
    settled && shares.data?.sources.length !== 0 && h(Templates, { query, turn: shares.data }));
}

function go(query: UnknownQuery): void {
  navigate("unknown", { ...query });
}

/* ---- shares ---- */

/* In this page's address for a sender or file that there is none of: an empty text would be left out of it. */
const NONE = "(none)";
const named = (value: Scalar) => (value === null ? NONE : scalarText(value));
const isChosen = (share: Share, query: UnknownQuery) =>
  query.source === named(share.source) && query.sender === named(share.sender) && query.path === named(share.path);

function Shares(props: { shares: Share[] | null; more: number; complete: boolean; error: string | null; query: UnknownQuery }) {
  const { shares, query } = props;
  const list = (shares ?? []).slice(0, SOURCES_SHOWN);
  const left = (shares?.length ?? 0) - list.length + props.more;
  return h("section", null,
    h("h2", null, t("unknown.shares"), " ", shares && h("span.count", null, shares.length + props.more)),
    props.error && h("p.message.error", { role: "alert" }, h("b", null, "✕ "), props.error),
    !props.complete && h("p.message.warning", null, t("unknown.incomplete")),
    shares?.length === 0 && h("p.dim", null, t("unknown.no_events")),
    list.length > 0 && h("div.scroll-x", null, h("table.grid.shares", null,
      h("thead", null, h("tr", null,
        [t("col.source"), t("unknown.share")].map((name) => h("th", { key: name, scope: "col" }, name)),
        [t("unknown.events"), t("unknown.in_part"), t("unknown.not"), t("unknown.not_finished")].map((name) => h("th.numeric", { key: name, scope: "col" }, name)),
        [t("unknown.decoders"), t("col.last_event")].map((name) => h("th", { key: name, scope: "col" }, name)))),
      h("tbody", null, list.map((share, i) => h(ShareRow, { key: i, share, query }))))),
    left > 0 && h("p.dim", null, t("unknown.more_sources", { n: grouped(left) })));
}

function ShareRow(props: { share: Share; query: UnknownQuery }) {
  const { share, query } = props;
  const chosen = isChosen(share, query);
  const without = share.not_understood + share.quarantined;
  const choose = () => go(chosen ? { from: query.from, of: query.of }
    : { from: query.from, of: query.of, source: named(share.source), sender: named(share.sender), path: named(share.path) });
  return h("tr", { class: chosen ? "selected" : "" },
    h("th", { scope: "row" },
      h("button.link", { "aria-pressed": chosen, title: t(chosen ? "unknown.all_sources" : "unknown.only_this"), onClick: choose }, h(Place, { place: share }))),
    h("td.share", null, h(Bar, { share })),
    h("td.numeric", null, grouped(share.events)), h("td.numeric", null, grouped(share.in_part)),
    h("td.numeric", { class: without ? "warn" : "" }, without ? ["▲ ", grouped(without)] : "0"),
    h("td.numeric", { class: share.not_finished ? "warn" : "" }, grouped(share.not_finished)),
    h("td", null, share.decoders.slice(0, 3).map((one) => h("span.tag", { key: one.name, title: grouped(one.events) }, h(Text, { text: one.name }))),
      share.decoders.length > 3 && h("small.dim", null, `+${share.decoders.length - 3}`),
      share.zone && h("p.zone", null, h("i", { "aria-hidden": true }, "◷ "),
        t("unknown.zone", { offset: share.zone.offset, agree: share.zone.agree, looked: share.zone.looked_at, decoder: share.zone.decoder }))),
    h("td", { title: utc(share.last) }, age(share.last)));
}

const percent = (part: number, whole: number) => (whole ? (100 * part) / whole : 100);

/* Never rounded up to all of them. */
const percentText = (n: number) => `${n > 99.9 && n < 100 ? "99.9" : n.toFixed(n > 0 && n < 100 ? 1 : 0)} %`;

function Bar(props: { share: Share }) {
  const { share } = props;
  const good = percent(share.understood, share.events);
  const part = percent(share.in_part, share.events);
  const name = t("unknown.bar", { good: percentText(good), part: percentText(share.events ? part : 0) });
  return h("span.share-bar", { title: name },
    svg("svg", { width: 96, height: 10, role: "img", "aria-label": name },
      svg("rect", { class: "bar-not", width: 96, height: 10, rx: 2 }),
      svg("rect", { class: "bar-part", width: 0.96 * Math.min(100, good + part), height: 10, rx: 2 }),
      svg("rect", { class: "bar-good", width: 0.96 * good, height: 10, rx: 2 })),
    h("b", null, percentText(100 * share.share)));
}

function Place(props: { place: { source: Scalar; sender: Scalar; path: Scalar } }) {
  const { source, sender, path } = props.place;
  const parts = [sender, path].filter((part) => part !== null).map(scalarText);
  return h("span.place", null, h(Text, { text: scalarText(source) || "–" }),
    parts.map((part, i) => h("small.mono.dim", { key: i }, h(Text, { text: part }))));
}

/* ---- templates ---- */

function Templates(props: { query: UnknownQuery; turn: unknown }) {
  const { query } = props;
  const asked: UnknownQuery = { ...query };
  for (const name of ["source", "sender", "path"] as const) if (asked[name] === NONE) asked[name] = "";
  const { data, error } = usePoll(() => api.notUnderstood(asked), 0, [JSON.stringify(query), props.turn]);
  const one = (of: UnknownQuery["of"], name: Key) =>
    h("button", { "aria-pressed": query.of === of, onClick: () => go({ ...query, of }) }, t(name));
  return h("section", null,
    h("div.section-head", null,
      h("h2", null, t("unknown.templates"), " ", data && h("span.count", null, t("unknown.count", { n: grouped(data.templates_found), events: grouped(data.events) }))),
      h("div.segmented", { role: "group", "aria-label": t("unknown.which") }, one("nobody", "unknown.of_nobody"), one("in_part", "unknown.of_in_part")),
      query.source !== undefined && h("button", { onClick: () => go({ from: query.from, of: query.of }) }, t("unknown.all_sources"))),
    error && h("p.message.error", { role: "alert" }, h("b", null, "✕ "), error),
    !data && !error && h("p.dim", null, t("strip.loading")),
    data && !data.complete && h("p.message.warning", null, t("unknown.incomplete")),
    data?.complete && data.templates.length === 0 && h("div.empty", null, h("h3", null, h("i", { "aria-hidden": true }, "✓ "), t(query.of === "nobody" ? "unknown.none" : "unknown.none_in_part")),
      h("p", null, t("unknown.none_next"))),
    data && h("ol.templates", null, data.templates.map((template, i) => h(Template, { key: i, template, of: query.of }))),
    data && data.templates_found > data.templates.length && h("p.dim", null, t("unknown.more_templates", { n: grouped(data.templates_found - data.templates.length) })));
}

function Template(props: { template: UnknownTemplate; of: UnknownQuery["of"] }) {
  const { template } = props;
  return h("li.template", null,
    h("div.template-head", null,
      h("b.numeric", { title: t("unknown.events") }, grouped(template.events)),
      h("code.template-text", null, template.others ? t("unknown.others") : visible(scalarText(template.template))),
      h("a.button.small", { href: hashFor("search", { q: searchFor(template, props.of), from: "0", to: "2200-01-01T00:00:00Z" }) }, t("unknown.search"))),
    h("dl.facts", null,
      fact("unknown.first", h("span", { title: utc(template.first) }, dateTime(template.first))),
      fact("unknown.last", h("span", { title: utc(template.last) }, dateTime(template.last))),
      fact("unknown.format", word("format", template.format)),
      template.dataset !== null && fact("col.dataset", h(Text, { text: scalarText(template.dataset) })),
      template.decoder !== null && fact("unknown.taken", h(Text, { text: scalarText(template.decoder) }))),
    h("ul.places", null, template.sources.map((place, i) => h("li", { key: i }, h(Place, { place }), " ", h("span.tag", { title: t("unknown.events") }, "× ", grouped(place.events)))),
      template.more_sources && h("li.dim", null, t("unknown.more_places"))),
    h(Samples, { template }),
    h("ul.advice", null, adviceOf(template).map((line, i) => h("li", { key: i }, line))),
    h(Command, { template }),
    template.decoder_to_begin_with !== null && h(Beginning, { text: scalarText(template.decoder_to_begin_with) }));
}

const fact = (name: Key, value: Child) => h("div", { key: name }, h("dt", null, t(name)), h("dd", null, value));

function Samples(props: { template: UnknownTemplate }) {
  const { samples } = props.template;
  return h("div.samples", null,
    h("div.samples-head", null, h("h3", null, t("unknown.samples")),
      h("button.small", { onClick: () => save(samples.map((sample) => sample.raw)) }, t("unknown.save"))),
    samples.map((sample, i) => h("pre.sample", { key: i, title: utc(sample.time) }, h("bdi", null, visible(scalarText(sample.raw), true)),
      sample.cut && h("small.dim", null, " … ", t("unknown.cut")))));
}

/* What is known about them, each a sentence. */
function adviceOf(template: UnknownTemplate): Child[] {
  const { nearest } = template;
  const out: Child[] = [];
  if (template.error !== null) out.push([t("unknown.error"), " ", h(Text, { text: scalarText(template.error) })]);
  if (template.taken_now !== null) out.push(t("unknown.taken_now", { decoder: scalarText(template.taken_now) }));
  if (nearest) out.push([
    t("unknown.nearest", { decoder: scalarText(nearest.decoder), met: nearest.met, asked: nearest.asked }), " ",
    word("lacks", nearest.lacks), " ", h("code", null, visible(scalarText(nearest.what))),
    scalarText(nearest.summary) && h("small.dim.block", null, h(Text, { text: scalarText(nearest.summary) }))]);
  else if (template.taken_now === null) out.push(t("unknown.no_nearest"));
  return out;
}

function Command(props: { template: UnknownTemplate }) {
  const { command } = props.template;
  return h("div.command", null, h("span", null, t("unknown.try")), h("code", null, visible(command)),
    h("button.small", { onClick: () => void copy(command) }, t("value.copy")));
}

function Beginning(props: { text: string }) {
  return h("details.beginning", null, h("summary", null, t("unknown.begin")),
    h("p.dim", null, t("unknown.begin_how")),
    h("pre.sample", null, visible(props.text, true)),
    h("button.small", { onClick: () => void copy(props.text) }, t("value.copy")));
}

/* Its sources' events of this kind: a template is not a search. */
function searchFor(template: UnknownTemplate, of: UnknownQuery["of"]): string {
  const what = of === "nobody" ? "tags=_not_understood" : term("hinomi.decoder", `${scalarText(template.decoder)}@`).replace(/"$/, '*"');
  const place: UnknownPlace | undefined = template.sources[0];
  if (!place || template.more_sources || template.sources.length > 1) return what;
  const terms = [["hinomi.source", place.source], ["log.source.address", place.sender], ["log.file.path", place.path]] as [string, Scalar][];
  return [what, ...terms.filter(([, value]) => value !== null).map(([field, value]) => term(field, value))].join(" ");
}

/* As they were sent, byte for byte, a line each. */
function save(samples: Scalar[]): void {
  const bytes = (value: Scalar): Uint8Array<ArrayBuffer> =>
    typeof value === "object" && value ? Uint8Array.from(atob(value.base64), (c) => c.charCodeAt(0)) : new TextEncoder().encode(String(value));
  const url = URL.createObjectURL(new Blob(samples.flatMap((one) => [bytes(one), "\n"]), { type: "text/plain" }));
  const link = document.createElement("a");
  link.href = url;
  link.download = "samples.log";
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}
