/* Wake: who is called when something happens, whether the call arrives, and how often people are woken for nothing. */
import { h } from "../parts/h.ts";
import { usePoll } from "../parts/poll.ts";
import { Failed } from "../parts/act.ts";
import { OnCall } from "../parts/wake_on_call.ts";
import { WakePages } from "../parts/wake_pages.ts";
import { Contacts } from "../parts/wake_contacts.ts";
import { StandIns } from "../parts/wake_stand_ins.ts";
import { DrillList } from "../parts/wake_drills.ts";
import { InterruptionList } from "../parts/wake_interruptions.ts";
import { Plan } from "../parts/wake_plan.ts";
import { api } from "../api.ts";
import { useStore } from "../state.ts";
import { t } from "../i18n/text.ts";

const EVERY_MS = 3000;
const PLAN_EVERY_MS = 30_000;
const PAGES = 20;

export function WakePage() {
  useStore((s) => s.language);
  const now = usePoll(() => api.waking(PAGES), EVERY_MS, []);
  const plan = usePoll(() => api.plan(), PLAN_EVERY_MS, []);
  const people = plan.data?.people ?? [];
  const reload = () => { now.reload(); plan.reload(); };
  return h("main.page.wake", null,
    h("div.page-head", null, h("h1", null, t("nav.wake"))),
    h(Failed, { error: now.error ?? plan.error }),
    plan.data && plan.data.text === null && h("p.message.warning", { role: "status" }, h("b", null, "▲ "), t("wake.no_plan")),
    now.data && h(WakePages, { pages: now.data.pages }),
    plan.data && h(OnCall, { key: plan.data.saved ?? "", stand_ins: now.data?.stand_ins ?? [] }),
    plan.data && now.data && h(Contacts, { people, notifiers: now.data.notifiers }),
    plan.data && now.data && h(StandIns, { people, schedules: plan.data.schedules, stand_ins: now.data.stand_ins, onChanged: now.reload }),
    h(DrillList, {}), h(InterruptionList, {}),
    plan.data && h(Plan, { plan: plan.data, onSaved: reload }));
}
