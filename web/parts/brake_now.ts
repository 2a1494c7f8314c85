/* How the brake stands, what waits for people, and what it decided last. */
import { useEffect, useState } from "preact/hooks";
import { h } from "./h.ts";
import type { Child } from "./h.ts";
import { usePoll } from "./poll.ts";
import { Failed } from "./act.ts";
import { Text } from "./visible.ts";
import { useCursor } from "./tabs.ts";
import { brakeTone } from "./strip.ts";
import { MoneyTable } from "./money_table.ts";
import { Holds } from "./brake_holds.ts";
import { Decisions } from "./brake_decisions.ts";
import { grouped } from "./format.ts";
import { api } from "../api.ts";
import type { Overview } from "../api.ts";
import { navigate, useStore } from "../state.ts";
import { both, t, word } from "../i18n/text.ts";

const EVERY_MS = 2000;
const DECISIONS = 200;

export function BrakeNow() {
  useStore((s) => s.language);
  const brake = useStore((s) => s.overview)?.brake;
  const wanted = useStore((s) => s.route.params).get("request");
  const holds = usePoll(() => api.holds(), EVERY_MS, []);
  const decisions = usePoll(() => api.decisions(DECISIONS), EVERY_MS, []);
  const [open, setOpen] = useState<string | null>(null); // h-ID of a hold, d-ID of a decision: one that is held is in both lists
  const held = holds.data?.holds ?? [], list = decisions.data?.decisions ?? [];
  const toggle = (id: string) => setOpen((now) => (now === id ? null : id));
  const close = () => { setOpen(null); if (wanted) navigate("brake"); };
  const cursor = useCursor("brake", [...held.map((one) => "h-" + one.id), ...list.map((one) => "d-" + one.id)], toggle, close);
  useEffect(() => {
    const one = wanted && list.find((decision) => decision.request_id === wanted);
    if (one) { setOpen("d-" + one.id); document.getElementById("brake-d-" + one.id)?.scrollIntoView({ block: "center" }); }
  }, [wanted, list.length > 0]);
  const shared = { cursor, open, toggle };
  return h("div.tab-body", null,
    brake && h(State, { brake }),
    h(MoneyTable, {}),
    h("section.brake-holds", null,
      h("h2", null, t("brake.holds"), " ", h("span.count", null, held.length)),
      h(Failed, { error: holds.error }),
      holds.data && h(Holds, { ...shared, holds: held, onChanged: holds.reload })),
    h("section", null,
      h("h2", null, t("brake.decisions_title"), " ", h("span.live", null, h("i", { "aria-hidden": true }, "●"), " ", t("live"))),
      h(Failed, { error: decisions.error }),
      decisions.data && h(Decisions, { ...shared, decisions: list })));
}

function State(props: { brake: Overview["brake"] }) {
  const { brake } = props;
  const big = (name: string, figure: Child, about: Child) => h("div.big", null, h("small", null, name), h("b", null, figure), h("span", null, about));
  return h("section.brake-state", { class: brakeTone(brake), role: "status" },
    big(t("brake.mode"), word("mode", brake.mode), word("mode_about", brake.mode)),
    big(t("brake.health"), [h("i", { "aria-hidden": true }, brake.healthy ? "✓ " : "✕ "), t(brake.healthy ? "brake.healthy" : "brake.unhealthy")],
      both(brake.reason) ? h(Text, { text: both(brake.reason) }) : t(brake.healthy ? "brake.healthy_about" : "brake.unhealthy_about")),
    big(t("brake.held"), grouped(brake.held), t("brake.of_decisions", { n: grouped(brake.decisions) })));
}
