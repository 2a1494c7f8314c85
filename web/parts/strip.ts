/*
 * The top strip: the product in three words. 目 SEE, 起 WAKE, 止 BRAKE, each with its state as icon and word and
 * its figures. Anything red here outranks everything else on the screen.
 */
import { useEffect } from "preact/hooks";
import { h } from "./h.ts";
import type { Child } from "./h.ts";
import { ApiError, api } from "../api.ts";
import type { Overview } from "../api.ts";
import { dateTime, duration, grouped, short, utc } from "./format.ts";
import { Text } from "./visible.ts";
import { Tightened } from "./tightened.ts";
import { hashFor, setState, useStore } from "../state.ts";
import type { PageName } from "../state.ts";
import { both, t, word } from "../i18n/text.ts";
import type { Key } from "../i18n/text.ts";

const EVERY_MS = 2000;
type Tone = "good" | "warn" | "bad" | "unknown";
const ICON: Record<Tone, string> = { good: "✓", warn: "▲", bad: "✕", unknown: "?" };

export function useOverview(): void {
  const signedIn = useStore((s) => !!s.user);
  useEffect(() => {
    if (!signedIn) return;
    let timer = 0;
    const abort = new AbortController();
    const turn = async () => {
      if (!document.hidden) {
        try {
          setState({ overview: await api.overview(abort.signal), reachable: true });
        } catch (error) {
          if (abort.signal.aborted) return;
          setState({ reachable: !(error instanceof ApiError) || (error.status > 0 && error.status < 500) });
        }
      }
      if (!abort.signal.aborted) timer = setTimeout(turn, EVERY_MS);
    };
    void turn();
    return () => { abort.abort(); clearTimeout(timer); };
  }, [signedIn]);
}

function seeTone(see: Overview["see"]): Tone {
  if (see.lost > 0 || (see.sources > 0 && see.sources_seen === 0)) return "bad";
  if (see.silent.length > 0 || see.quarantined > 0 || see.lag_ms > 10_000 || (see.disk_days !== null && see.disk_days < 7)) return "warn";
  return "good";
}

/* Who has each schedule now; null is nobody. */
const onCallNow = (wake: Overview["wake"]) => (wake.on_call ?? []).map((one) => ({ schedule: one.schedule, person: one.shifts[0]?.person ?? null }));

function wakeTone(wake: Overview["wake"]): Tone {
  if (wake.open > 0 || wake.running_pages > 0 || wake.pending_notifications > 0 || wake.last_drill?.drills[0]?.outcome === "missed") return "bad";
  const now = onCallNow(wake);
  return now.length === 0 || now.some((one) => one.person === null) || wake.acknowledged > 0 ? "warn" : "good";
}

export function brakeTone(brake: Overview["brake"]): Tone {
  if (!brake.healthy || brake.tightened) return "bad";
  return brake.held > 0 || brake.mode !== "enforce" ? "warn" : "good";
}

function Figure(props: { label: string; tone?: Tone; title?: string; children?: Child }) {
  return h("span.figure", { class: props.tone ?? "", title: props.title }, h("span.figure-label", null, props.label), h("b", null, props.children));
}

function Block(props: { glyph: string; name: Key; other: Key; page: PageName; tone: Tone; children?: Child }) {
  return h("a.strip-block", { class: props.tone, href: hashFor(props.page) },
    h("span.glyph", { "aria-hidden": true, lang: "ja" }, props.glyph),
    h("span.strip-name", null, h("b", null, t(props.name)), h("small", null, t(props.other))),
    h("span.strip-state", null, h("i", { "aria-hidden": true }, ICON[props.tone]), " ", t(`tone.${props.tone}` as Key)),
    h("span.figures", null, props.children));
}

export function Strip() {
  const overview = useStore((s) => s.overview);
  const reachable = useStore((s) => s.reachable);
  useStore((s) => s.language);
  if (!overview || !reachable)
    return h("nav.strip", { "aria-label": t("strip.label") },
      reachable ? h("p.strip-wait", { role: "status" }, t("strip.loading"))
        : h("p.strip-lost", { role: "alert" }, h("b", null, "✕ ", t("strip.unreachable")), " ", overview ? t("strip.last", { time: dateTime(overview.time) }) : ""));
  const { see, wake, brake, actions } = overview;
  return h("nav.strip", { "aria-label": t("strip.label") },
    h(Block, { glyph: "目", name: "see.name", other: "see.other", page: "sources", tone: seeTone(see) },
      h(Figure, { label: t("see.sources") }, see.sources_seen, "/", see.sources),
      see.silent.length > 0 && h(Figure, { label: t("see.silent"), tone: "warn", title: see.silent.join("\n") }, "▲ ", h(Text, { text: see.silent[0]! }), see.silent.length > 1 ? ` +${see.silent.length - 1}` : ""),
      h(Figure, { label: t("see.lag"), tone: see.lag_ms > 10_000 ? "warn" : undefined }, duration(see.lag_ms)),
      h(Figure, { label: t("see.rate") }, short(see.events_per_second), "/s"),
      h(Figure, { label: t("see.lost"), tone: see.lost > 0 ? "bad" : undefined, title: t("see.ledger", { received: grouped(see.received), stored: grouped(see.stored), quarantined: grouped(see.quarantined) }) }, grouped(see.lost)),
      see.quarantined > 0 && h(Figure, { label: t("see.quarantined"), tone: "warn" }, grouped(see.quarantined)),
      h(Figure, { label: t("see.rules") }, grouped(see.rules), see.blind > 0 ? h("small", null, " ", t("see.blind", { n: see.blind })) : ""),
      see.disk_days !== null && h(Figure, { label: t("see.disk"), tone: see.disk_days < 7 ? "warn" : undefined }, t("see.days", { n: grouped(see.disk_days) }))),
    h(Block, { glyph: "起", name: "wake.name", other: "wake.other", page: "wake", tone: wakeTone(wake) },
      h(OnCallFigure, { wake }),
      wake.running_pages > 0 && h(Figure, { label: t("wake.running"), tone: "bad" }, "☏ ", grouped(wake.running_pages)),
      h(Figure, { label: t("wake.open"), tone: wake.open > 0 ? "bad" : undefined }, grouped(wake.open)),
      h(DrillFigure, { wake }),
      h(Figure, { label: t("wake.acknowledged") }, grouped(wake.acknowledged)),
      wake.pending_notifications > 0 && h(Figure, { label: t("wake.pending"), tone: "bad" }, grouped(wake.pending_notifications))),
    h(Block, { glyph: "止", name: "brake.name", other: "brake.other", page: "brake", tone: brakeTone(brake) },
      h(Figure, { label: t("brake.mode"), title: both(brake.reason) }, word("mode", brake.mode)),
      brake.tightened && h(Figure, { label: t("brake.tightened"), tone: "bad" }, "✕ ", t("brake.tightened_yes")),
      h(Figure, { label: t("brake.held"), tone: brake.held > 0 ? "warn" : undefined }, grouped(brake.held)),
      actions.stuck > 0 && h(Figure, { label: t("brake.actions_stuck"), tone: "bad" }, "✕ ", grouped(actions.stuck)),
      actions.waiting > 0 && h(Figure, { label: t("brake.actions_waiting"), tone: "warn" }, grouped(actions.waiting)),
      actions.in_effect > 0 && h(Figure, { label: t("brake.actions_in_effect") }, grouped(actions.in_effect)),
      h(Figure, { label: t("brake.decisions") }, short(brake.decisions))),
    brake.tightened && h(Tightened, {}));
}

function OnCallFigure(props: { wake: Overview["wake"] }) {
  const now = onCallNow(props.wake);
  const missing = now.length === 0 || now.some((one) => one.person === null);
  const title = now.map((one) => `${one.schedule}: ${one.person ?? t("wake.nobody")}`).join("\n");
  return h(Figure, { label: t("wake.on_call"), tone: missing ? "warn" : undefined, title },
    now.length === 0 ? t("wake.nobody") : [...new Set(now.map((one) => one.person))].map((person, i) => [i > 0 && " · ", person === null ? t("wake.nobody") : h(Text, { text: person })]));
}

function DrillFigure(props: { wake: Overview["wake"] }) {
  const drill = props.wake.last_drill?.drills[0];
  if (!drill) return h(Figure, { label: t("wake.drill") }, t("wake.no_drill"));
  const title = `${utc(drill.started)} ${both({ en: drill.detail_en ?? "", ja: drill.detail_ja ?? "" })}`;
  const tone = drill.outcome === "missed" ? "bad" : drill.outcome === "not_held" ? "warn" : undefined;
  return h(Figure, { label: t("wake.drill"), tone, title }, drill.outcome === "answered" ? t("wake.seconds", { n: (drill.answer_ms / 1000).toFixed(1) })
    : [drill.outcome === "missed" && "✕ ", word("drill", drill.outcome ?? "running")]);
}
