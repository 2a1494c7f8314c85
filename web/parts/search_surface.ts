/*
 * Searching, wherever it stands: the bar, the histogram while it runs, fields, events or a table. The address of the page holds query and
 * range, and a change of it runs the search; `keep` is what else of the address stays. `first` is asked while the address asks nothing.
 */
import { useEffect, useRef, useState } from "preact/hooks";
import { h } from "./h.ts";
import type { Child } from "./h.ts";
import { EventList } from "./event_list.ts";
import { FieldList } from "./field_list.ts";
import { Histogram } from "./histogram.ts";
import { LiveSearch } from "./live_search.ts";
import { SearchJob } from "./search_job.ts";
import { SearchBar } from "./search_bar.ts";
import { SaveMenu } from "./save_menu.ts";
import { SearchEmpty } from "./search_empty.ts";
import { baseSearch, term } from "./spl_edit.ts";
import { TableView } from "./table_view.ts";
import { visible } from "./visible.ts";
import { duration, grouped } from "./format.ts";
import type { Range } from "./time_picker.ts";
import { PANELS, PANEL_KINDS, bestKind } from "../panels.ts";
import type { Mark, PanelKindName } from "../panels.ts";
import { api } from "../api.ts";
import { navigate, useStore } from "../state.ts";
import type { PageName, Route } from "../state.ts";
import { t, word } from "../i18n/text.ts";

const DRAWN_ROWS = 5000;
const NO_MARKS: Mark[] = [];
const DEFAULT: Range = { from: "-24h", to: "now" };

export function SearchSurface(props: { page: PageName; keep?: string[]; first?: string }) {
  const route = useStore((s) => s.route);
  const language = useStore((s) => s.language);
  const params = route.params;
  const asked = params.get("q") ?? props.first ?? null;
  const kept = Object.fromEntries((props.keep ?? []).map((name) => [name, params.get(name) ?? undefined]));
  const to = (change: Record<string, string | undefined>) => navigate(props.page, { ...kept, ...change });
  const range: Range = { from: params.get("from") ?? DEFAULT.from, to: params.get("to") ?? DEFAULT.to };
  const live = params.get("live") === "1";
  const [job, setJob] = useState<SearchJob | null>(null);
  const [tail, setTail] = useState<LiveSearch | null>(null);
  const [, redraw] = useState(0);
  const text = useRef(asked ?? "");

  // Every navigation to this page with a query is a run, also to the same address; what is kept of the address may change beside it.
  const key = useRunKey(route, [asked, range.from, range.to, live ? "1" : ""].join("\0"), [...Object.values(kept), params.get("view")].join("\0"));
  useEffect(() => {
    if (route.page !== props.page) return;
    setJob(null);
    setTail(null);
    if (asked === null) return;
    let waiting = false;
    const changed = () => {
      if (waiting) return;
      waiting = true;
      requestAnimationFrame(() => { waiting = false; redraw((n) => n + 1); });
    };
    if (live) {
      const following = new LiveSearch(asked || "*", changed);
      setTail(following);
      void following.start();
      return () => following.stop();
    }
    const next = new SearchJob(asked || "*", range.from, range.to, changed);
    setJob(next);
    void next.start();
    return () => next.stop();
  }, [key]);

  const go = (query: string, over: Range = range) => to({ q: query.trim() || "*", from: over.from, to: over.to, live: live ? "1" : undefined });
  const setLive = (on: boolean) => to({ q: text.current.trim() || "*", from: range.from, to: range.to, live: on ? "1" : undefined });
  const actions = { query: asked ?? "", run: (query: string) => go(query) };
  const page = job?.latest ?? null;
  // A cancelled search is gone on the server: what was read is all there is.
  const total = !page ? 0 : job!.cancelled ? Math.min(page.total, page.rows.length) : page.total;
  const wished = params.get("view") as PanelKindName | null;
  const isTable = page?.kind === "table" && total > 0;
  const kinds = isTable ? PANEL_KINDS.filter((kind) => kind !== "events" && PANELS[kind].fits(page.columns, page.rows)) : [];
  const view = wished && kinds.includes(wished) ? wished : "table";
  if (view !== "table") job!.need(0, Math.min(total, DRAWN_ROWS) - 1);
  const rows = view === "table" ? [] : drawnRows(job!, Math.min(total, DRAWN_ROWS));
  const setView = (kind: PanelKindName) => to({ q: asked ?? undefined, from: params.get("from") ?? undefined, to: params.get("to") ?? undefined, view: kind === "table" ? undefined : kind });

  return h("div.search-surface", { "data-language": language },
    h(SearchBar, {
      focus: props.page === "search", asked: asked ?? "", range, job, text, live, failure: job?.failure ?? tail?.failure ?? null, onLive: setLive,
      onRun: (query: string) => go(query), onRange: (over: Range) => (asked === null && !text.current.trim() ? to({ from: over.from, to: over.to }) : go(text.current, over)),
    }),
    tail && h(LiveLine, { tail }),
    tail && h("div.results", null, h(EventList, { job: tail, total: tail.total, actions })),
    job && h(StatusLine, { job, kinds, view, setView, save: h(SaveMenu, { query: asked ?? "*", range, kind: view !== "table" || !isTable ? (isTable ? view : "events") : bestKind(page.columns, page.rows) }) }),
    page?.messages?.map((message, i) => h("p.message", { key: i, class: message.level, role: "status" },
      h("b", null, message.level === "error" ? "✕ " : message.level === "warning" ? "▲ " : "ℹ "), visible(message.text))),
    page?.histogram && page.histogram.counts.length > 0 && h(Histogram, {
      data: page.histogram, running: job!.running, onSelect: (from, to) => go(asked ?? "*", { from, to }),
    }),
    job && page && total > 0 && h("div.results", null,
      page.kind === "events" && page.fields && page.fields.length > 0 && h(FieldList, { fields: page.fields, matched: page.matched_rows, actions }),
      page.kind === "events" ? h(EventList, { job, total, actions })
        : view !== "table" ? h("div.view", null, h(PANELS[view].draw, {
            columns: page.columns, rows, total, kind: view, stacked: false, unit: "", marks: NO_MARKS,
            onZoom: (from, until) => go(asked ?? "*", { from, to: until }), onPick: (field, value) => go(`${baseSearch(asked ?? "*")} ${term(field, value)}`.trim()),
          }))
        : h(TableView, { job, columns: page.columns, total, actions })),
    !tail && (!job || (page && total === 0 && !job.running && !job.failure)) &&
      h(SearchEmpty, { searched: job !== null, onRun: go, query: asked ?? "", range }));
}

/* A number that changes with every navigation, save one that changed only what is kept. */
function useRunKey(route: Route, asked: string, kept: string): number {
  const last = useRef({ count: -1, asked, kept, key: 0 });
  const now = last.current;
  if (route.count !== now.count) {
    const same = now.count >= 0 && now.asked === asked && now.kept !== kept;
    last.current = { count: route.count, asked, kept, key: same ? now.key : now.key + 1 };
  }
  return last.current.key;
}

function LiveLine(props: { tail: LiveSearch }) {
  const { tail } = props;
  return h("div.status-line", null,
    h("span.search-state", { class: tail.ended ? "warn" : "busy", role: "status" }, h("i", { "aria-hidden": true }, tail.ended ? "▲" : "●"), " ", tail.ended ? t("search.live_ended") : t("search.live_on")),
    h("span", null, t("search.events", { n: grouped(tail.count) })),
    tail.count > tail.total && h("span.dim", null, t("search.live_newest", { n: grouped(tail.total) })),
    tail.skipped > 0 && h("b", null, "▲ ", t("search.live_skipped", { n: grouped(tail.skipped) })));
}

function drawnRows(job: SearchJob, count: number) {
  const rows = [];
  for (let i = 0; i < count; i++) {
    const found = job.row(i);
    if (found) rows.push(found.row);
  }
  return rows;
}

function StatusLine(props: { job: SearchJob; kinds: PanelKindName[]; view: PanelKindName; setView: (kind: PanelKindName) => void; save: Child }) {
  const { job, kinds, view, setView } = props;
  const page = job.latest;
  const done = page && !job.running;
  const state = job.failure ? t("search.failed") : job.cancelled || page?.state === "cancelled" ? t("search.cancelled")
    : !page || job.running ? t("search.running") : page.complete ? t("search.complete") : t("search.incomplete");
  const icon = job.failure ? "✕" : job.running ? "◌" : page?.complete && !job.cancelled ? "✓" : "▲";
  const tone = job.failure ? "bad" : job.running ? "busy" : page?.complete && !job.cancelled ? "good" : "warn";
  return h("div.status-line", null,
    h("span.search-state", { class: tone, role: "status" }, h("i", { "aria-hidden": true }, icon), " ", state),
    page && h("span", null, page.kind === "events" ? t("search.events", { n: grouped(page.total) }) : t("search.rows", { n: grouped(page.total) })),
    page && h("span.dim", null, t("search.scanned", { matched: grouped(page.matched_rows), scanned: grouped(page.scanned_rows), time: duration(page.elapsed_ms) })),
    h("span.spring", null),
    kinds.length > 1 && h("div.segmented.views", { role: "group", "aria-label": t("search.view") },
      kinds.map((kind) => h("button", { key: kind, "aria-pressed": view === kind, onClick: () => setView(kind) }, word("panel_kind", kind)))),
    done && !job.failure && props.save,
    done && job.id && !job.cancelled && !job.failure && page.total > 0 && [
      h("a.button.small", { key: "csv", href: api.exportUrl(job.id, "csv"), download: "hinomi.csv" }, t("search.export", { format: "CSV" })),
      h("a.button.small", { key: "json", href: api.exportUrl(job.id, "json"), download: "hinomi.json" }, t("search.export", { format: "JSON" })),
    ]);
}
