/* The brake: does it work, what does it hold and decide and why, what is stopped, its policy, and what another policy would have done. */
import { h } from "../parts/h.ts";
import { Tabs, useTab } from "../parts/tabs.ts";
import { BrakeNow } from "../parts/brake_now.ts";
import { Stops } from "../parts/brake_stops.ts";
import { PolicyTab } from "../parts/brake_policy.ts";
import { WhatifTab } from "../parts/brake_whatif.ts";
import { useStore } from "../state.ts";
import { t } from "../i18n/text.ts";

const TABS = ["now", "stops", "policy", "whatif"] as const;

export function BrakePage() {
  useStore((s) => s.language);
  const held = useStore((s) => s.overview)?.brake.held ?? 0;
  const tab = useTab(TABS);
  return h("main.page.brake", null,
    h("div.page-head", null, h("h1", null, t("nav.brake")),
      h(Tabs, { page: "brake", label: t("nav.brake"), current: tab, tabs: TABS.map((id) => ({ id, name: t(`brake_tab.${id}`), ...(id === "now" ? { count: held } : {}) })) })),
    tab === "now" && h(BrakeNow, {}),
    tab === "stops" && h(Stops, {}),
    tab === "policy" && h(PolicyTab, {}),
    tab === "whatif" && h(WhatifTab, {}));
}
