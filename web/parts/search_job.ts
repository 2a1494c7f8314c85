/*
 * One search on the server: start it, follow it, fetch pages of its result on demand, forget it.
 * Asks quickly at first (most searches are done in a moment), then slower. Pages are kept up to PAGES_MAX.
 */
import { ApiError, api } from "../api.ts";
import type { ErrorBody, SearchPage, Value } from "../api.ts";

export const PAGE_ROWS = 200;
const PAGES_MAX = 100;
const WAIT_FIRST_MS = 50;
const WAIT_MAX_MS = 500;
const RETRY_MS = 3000;

export interface Page { columns: string[]; rows: Value[][] }

export class SearchJob {
  latest: SearchPage | null = null;
  failure: ErrorBody | null = null;
  id: string | null = null;
  cancelled = false;
  private pages = new Map<number, Page>();
  private asked = new Set<number>();
  private stopped = false;
  private abort = new AbortController();

  constructor(readonly query: string, readonly from: string, readonly to: string, private changed: () => void) {}

  get running(): boolean {
    return !this.failure && !this.cancelled && (!this.latest || this.latest.state === "running");
  }

  async start(): Promise<void> {
    try {
      const { id } = await api.startSearch(this.query, this.from, this.to);
      this.id = id;
      if (this.stopped) { void api.forgetSearch(id).catch(() => {}); return; }
      await this.follow(id);
    } catch (error) {
      if (this.stopped) return;
      this.failure = error instanceof ApiError ? error.body : { code: "client", message: String(error) };
      this.changed();
    }
  }

  private async follow(id: string): Promise<void> {
    for (let wait = WAIT_FIRST_MS; !this.stopped; wait = Math.min(WAIT_MAX_MS, wait * 1.5)) {
      const page = await api.searchPage(id, 0, PAGE_ROWS, this.abort.signal);
      if (this.stopped) return;
      // Rows move while the search runs (newest first), so only the page just read is sure.
      this.pages.clear();
      this.asked.clear();
      this.keep(0, page);
      this.latest = page;
      if (page.error) this.failure = page.error;
      this.changed();
      if (page.state !== "running") return;
      await new Promise((resolve) => setTimeout(resolve, wait));
    }
  }

  private keep(number: number, page: SearchPage): void {
    this.pages.delete(number);
    this.pages.set(number, { columns: page.columns, rows: page.rows });
    if (this.pages.size > PAGES_MAX) this.pages.delete(this.pages.keys().next().value!);
  }

  /* Undefined when the row is not here yet; need() fetches it. */
  row(index: number): { columns: string[]; row: Value[] } | undefined {
    const page = this.pages.get(Math.floor(index / PAGE_ROWS));
    const row = page?.rows[index % PAGE_ROWS];
    return page && row ? { columns: page.columns, row } : undefined;
  }

  need(first: number, last: number): void {
    if (!this.id || this.stopped) return;
    for (let number = Math.floor(first / PAGE_ROWS); number <= Math.floor(last / PAGE_ROWS); number++)
      if (!this.pages.has(number) && !this.asked.has(number)) void this.fetch(number);
  }

  private async fetch(number: number): Promise<void> {
    this.asked.add(number);
    try {
      const page = await api.searchPage(this.id!, number * PAGE_ROWS, PAGE_ROWS, this.abort.signal);
      if (this.stopped) return;
      this.keep(number, page);
      this.asked.delete(number);
    } catch (error) {
      if (this.stopped) return;
      if (error instanceof ApiError && error.status > 0) this.failure = error.body;
      // Rendering asks again for what is missing: without a pause a refusal would become a storm.
      setTimeout(() => { this.asked.delete(number); if (!this.failure) this.changed(); }, RETRY_MS);
    }
    this.changed();
  }

  /* Ends the search on the server but keeps what is on the screen. */
  async cancel(): Promise<void> {
    this.cancelled = true;
    this.stop();
    this.changed();
  }

  stop(): void {
    if (this.stopped) return;
    this.stopped = true;
    this.abort.abort();
    if (this.id) void api.forgetSearch(this.id).catch(() => {});
  }
}
