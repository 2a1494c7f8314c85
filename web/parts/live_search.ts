/*
 * A live search: what the server stores from now on, newest first. The newest ROWS_MAX are kept; what the server had to skip is
 * counted. It goes on until stop(), or until the server ends it.
 */
import { ApiError, api } from "../api.ts";
import type { ErrorBody, Value } from "../api.ts";

export const ROWS_MAX = 500;

interface Row { columns: string[]; row: Value[] }
interface Line { event?: Record<string, Value>; skipped?: { events: number }; end?: ErrorBody }

export class LiveSearch {
  failure: ErrorBody | null = null;
  ended = false;
  count = 0;
  skipped = 0;
  private rows: Row[] = [];
  private abort = new AbortController();

  constructor(readonly query: string, private changed: () => void) {}

  get total(): number { return this.rows.length; }

  async start(): Promise<void> {
    try {
      const reader = (await api.tail(this.query, this.abort.signal)).pipeThrough(new TextDecoderStream()).getReader();
      let rest = "";
      for (;;) {
        const { done, value } = await reader.read();
        if (done) break;
        const lines = (rest + value).split("\n");
        rest = lines.pop() ?? "";
        for (const line of lines) this.take(JSON.parse(line) as Line);
        this.changed();
      }
    } catch (error) {
      if (this.abort.signal.aborted) return;
      this.failure = error instanceof ApiError ? error.body : { code: "unreachable", message: String(error) };
    }
    this.ended = true;
    this.changed();
  }

  private take(line: Line): void {
    if (line.skipped) this.skipped += line.skipped.events;
    if (line.end) this.failure = line.end;
    if (!line.event) return;
    const { _time, ...more } = line.event;
    const at = typeof _time === "number" ? new Date(_time * 1000).toISOString() : (_time ?? null);
    this.rows.unshift({ columns: ["_time", ...Object.keys(more)], row: [at, ...Object.values(more)] });
    this.rows.length = Math.min(this.rows.length, ROWS_MAX);
    this.count++;
  }

  row(index: number): Row | undefined { return this.rows[index]; }
  need(): void { /* all of them are here */ }
  stop(): void { this.abort.abort(); }
}
