/* "Wake me now": calls every contact as in an emergency, and shows what came back and how long the answer took. */
import { useEffect, useState } from "preact/hooks";
import { h } from "./h.ts";
import { useAct } from "./act.ts";
import { errorText } from "./poll.ts";
import { PageState, Wakings, answerMs } from "./wake_pages.ts";
import { Text } from "./visible.ts";
import { api } from "../api.ts";
import type { WakePage } from "../api.ts";
import { hashFor } from "../state.ts";
import { t, word } from "../i18n/text.ts";

const EVERY_MS = 1000;
const PAGES = 20;

export function WakeTest(props: { person: string; own: boolean; ready: boolean; onDone: () => void }) {
  const { busy, run } = useAct();
  const [incident, setIncident] = useState<string | null>(null);
  const start = () => run(async () => setIncident((await api.wakeNow(props.person)).incident));
  return h("div.wake-test", null,
    h("button.wake-now", { disabled: busy || !props.ready, title: props.ready ? undefined : t("wake.no_contacts"), onClick: () => void start() },
      h("i", { "aria-hidden": true }, "☏ "), props.own ? t("wake.now") : t("wake.now_person", { person: props.person })),
    h("p.dim", null, t("wake.now_about")),
    incident && h(Running, { key: incident, incident, onDone: props.onDone }));
}

function Running(props: { incident: string; onDone: () => void }) {
  const [page, setPage] = useState<WakePage | null>(null);
  const [error, setError] = useState("");
  const [now, setNow] = useState(Date.now());
  useEffect(() => {
    let timer = 0, stopped = false;
    const turn = async () => {
      let found: WakePage | undefined;
      try {
        found = (await api.waking(PAGES)).pages.find((one) => one.incident === props.incident);
        if (stopped) return;
        setError("");
        if (found) setPage(found);
        setNow(Date.now());
      } catch (problem) {
        if (stopped) return;
        setError(errorText(problem));
      }
      if (found && found.state !== "running") props.onDone();
      else timer = setTimeout(turn, EVERY_MS);
    };
    void turn();
    return () => { stopped = true; clearTimeout(timer); };
  }, []);
  const ms = page && answerMs(page, now);
  return h("div.test-result", { role: "status", class: page?.state ?? "running" },
    h("p.page-line", null,
      h("a.mono", { href: hashFor("incidents", { id: props.incident }) }, props.incident),
      page && h(PageState, { page }),
      ms !== null && h("b.test-seconds", null, t("wake.seconds", { n: Math.floor(ms / 1000) }))),
    error && h("p.error-text", null, error),
    page?.state === "running" && h("p", null, t("wake.answer_now")),
    page?.answered_by && h("p", null, t("wake.answered", { how: word("answered_how", page.answered_how), time: t("wake.seconds", { n: ((ms ?? 0) / 1000).toFixed(1) }) }), " ", h("b", null, h(Text, { text: page.answered_by }))),
    page && h(Wakings, { page }));
}
