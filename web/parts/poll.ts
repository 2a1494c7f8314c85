/* usePoll: fetch now, again every so often while the tab is visible, and whenever a dependency changes. */
import { useCallback, useEffect, useRef, useState } from "preact/hooks";
import { ApiError } from "../api.ts";
import { t } from "../i18n/text.ts";

export interface Polled<T> { data: T | null; error: string | null; reload: () => void }

export function errorText(error: unknown): string {
  if (error instanceof ApiError) return error.status === 0 ? t("error.unreachable") : error.body.message;
  return error instanceof Error ? error.message : String(error);
}

export function usePoll<T>(fetch: () => Promise<T>, every_ms: number, dependencies: unknown[]): Polled<T> {
  const [data, setData] = useState<T | null>(null);
  const [error, setError] = useState<string | null>(null);
  const [count, setCount] = useState(0);
  const newest = useRef(0);
  useEffect(() => {
    let timer = 0;
    let stopped = false;
    const turn = async () => {
      const mine = ++newest.current;
      try {
        const answer = await fetch();
        if (stopped || mine !== newest.current) return;
        setData(answer);
        setError(null);
      } catch (problem) {
        if (stopped || mine !== newest.current) return;
        setError(errorText(problem));
      }
      if (every_ms > 0) timer = setTimeout(next, every_ms);
    };
    // A hidden tab does not ask; it asks at once when shown again.
    const next = () => { if (!document.hidden) void turn(); else timer = setTimeout(next, 1000); };
    const shown = () => { if (!document.hidden) { clearTimeout(timer); void turn(); } };
    document.addEventListener("visibilitychange", shown);
    void turn();
    return () => { stopped = true; clearTimeout(timer); document.removeEventListener("visibilitychange", shown); };
  }, [...dependencies, count]);
  const reload = useCallback(() => setCount((n) => n + 1), []);
  return { data, error, reload };
}
