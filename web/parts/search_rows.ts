/* The rows of a search that a part of a page shows, again every so often; the answer before stays until the next is whole. */
import { useEffect, useState } from "preact/hooks";
import { SearchJob } from "./search_job.ts";
import type { Range } from "./time_picker.ts";
import type { Message, Value } from "../api.ts";

export interface Found { columns: string[]; rows: Value[][]; total: number; running: boolean; failure: string | null; messages: Message[] }
const NOTHING: Found = { columns: [], rows: [], total: 0, running: true, failure: null, messages: [] };

export function useSearchRows(query: string, range: Range, every_ms: number): Found {
  const [found, setFound] = useState<Found>(NOTHING);
  useEffect(() => {
    let job: SearchJob | null = null;
    let timer = 0;
    let whole = false;
    const ask = () => {
      if (document.hidden) { timer = setTimeout(ask, 1000); return; }
      const mine = new SearchJob(query, range.from, range.to, () => {
        const page = mine.latest;
        if (mine.failure) setFound((before) => ({ ...before, running: false, failure: mine.failure!.message }));
        // The first answer is shown as it grows.
        else if (page && (!mine.running || !whole)) setFound({ columns: page.columns, rows: page.rows, total: page.total, running: mine.running, failure: null, messages: page.messages ?? [] });
        if (mine.running) return;
        whole = true;
        mine.stop();
        if (every_ms > 0) timer = setTimeout(ask, every_ms);
      });
      job = mine;
      void mine.start();
    };
    ask();
    return () => { clearTimeout(timer); job?.stop(); };
  }, [query, range.from, range.to, every_ms]);
  return found;
}
