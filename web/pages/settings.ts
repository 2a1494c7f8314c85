/* Settings: people, tokens of programs, what was done by whom, what retention must keep, and how the server is. */
import { h } from "../parts/h.ts";
import { Tabs, useTab } from "../parts/tabs.ts";
import { NotYours } from "../parts/settings_fields.ts";
import { People } from "../parts/settings_people.ts";
import { Tokens } from "../parts/settings_tokens.ts";
import { Audit } from "../parts/settings_audit.ts";
import { Keeps } from "../parts/settings_keeps.ts";
import { HealthTab } from "../parts/settings_health.ts";
import { may, useStore } from "../state.ts";
import { t } from "../i18n/text.ts";

const TABS = ["people", "tokens", "audit", "keeps", "health"] as const;
type Tab = (typeof TABS)[number];

/* As the API has it; it decides, this only says why instead of asking. */
const OPENS: Record<Tab, Parameters<typeof may>[0][]> = { people: ["admin"], tokens: ["admin"], audit: ["admin", "auditor"], keeps: ["viewer"], health: [] };
const DRAW = { people: People, tokens: Tokens, audit: Audit, keeps: Keeps, health: HealthTab };
const opens = (tab: Tab) => OPENS[tab].length === 0 || OPENS[tab].some((role) => may(role));

export function SettingsPage() {
  useStore((s) => s.language);
  const tab = useTab(TABS, TABS.find(opens)) as Tab;
  return h("main.page.settings", null,
    h("div.page-head", null, h("h1", null, t("nav.access")),
      h(Tabs, { page: "access", label: t("nav.access"), current: tab, tabs: TABS.map((id) => ({ id, name: (opens(id) ? "" : "⊘ ") + t(`settings.${id}`) })) })),
    opens(tab) ? h(DRAW[tab], { key: tab }) : h(NotYours, { about: t(`settings.about_${tab}`), roles: OPENS[tab] }));
}
