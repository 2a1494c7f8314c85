/* The rows of a search that a part of a page shows, again every so often; the answer before stays until the next is whole. */
import { useEffect, useState } from "preact/hooks";
import { SearchJob } from "./search_job.ts";
import { api } from "../api.ts";
import type { Range } from "./time_picker.ts";
import type { Message, Value } from "../api.ts";

export interface Found { columns: string[]; rows: Value[][]; total: number; running: boolean; failure: string | null; messages: Message[] }
/* Panels take turns: the server runs a few searches a person at a time, and one that a person waits for must find a place. */
const AT_ONCE = 4;
let asking = 0;
const waiting: (() => void)[] = [];
function take(start: () => void): () => void {
  let state: "waits" | "runs" | "done" = "waits";
  const begin = () => { state = "runs"; asking++; start(); };
  if (asking < AT_ONCE) begin();
  else waiting.push(begin);
  return () => { // gives the turn to the next; calling it twice is fine
    if (state === "waits") waiting.splice(waiting.indexOf(begin), 1);
    if (state === "runs") { asking--; waiting.shift()?.(); }
    state = "done";
  };
}

const NOTHING: Found = { columns: [], rows: [], total: 0, running: true, failure: null, messages: [] };

/* count: a change asks at once. query "": nothing is asked. */
export function useSearchRows(query: string, range: Range, every_ms: number, rows_max = 200, count = 0): Found {
  const [found, setFound] = useState<Found>(NOTHING);
  useEffect(() => {
    let job: SearchJob | null = null;
    let timer = 0;
    let whole = false;
    let give = () => {};
    let stopped = false;
    /* What is behind the first page, up to rows_max; then the server may forget the search. */
    const finish = async (mine: SearchJob) => {
      const page = mine.latest;
      if (page && mine.id && page.total > page.rows.length && page.rows.length < rows_max) {
        const more = await api.searchPage(mine.id, 0, rows_max).catch(() => null);
        if (more && !stopped) setFound((before) => ({ ...before, columns: more.columns, rows: more.rows, total: more.total }));
      }
      mine.stop();
    };
    const ask = () => {
      if (document.hidden) { timer = setTimeout(ask, 1000); return; }
      const mine = new SearchJob(query, range.from, range.to, () => {
        const page = mine.latest;
        if (stopped) return;
        if (mine.failure) setFound((before) => ({ ...before, running: false, failure: mine.failure!.message }));
        // The first answer is shown as it grows.
        else if (page && (!mine.running || !whole)) setFound({ columns: page.columns, rows: page.rows, total: page.total, running: mine.running, failure: null, messages: page.messages ?? [] });
        if (mine.running) return;
        whole = true;
        give();
        void finish(mine);
        if (every_ms > 0) timer = setTimeout(ask, every_ms);
      });
      job = mine;
      give = take(() => void mine.start());
    };
    if (query) ask();
    return () => { stopped = true; clearTimeout(timer); job?.stop(); give(); };
  }, [query, range.from, range.to, every_ms, rows_max, count]);
  return found;
}
