/* How the server is, in plain words: what is wrong, what it means, and what to do next. The same words answer load balancers at /v1/health. */
import { h } from "./h.ts";
import { usePoll } from "./poll.ts";
import { Failed } from "./act.ts";
import { Text } from "./visible.ts";
import { useCursor } from "./tabs.ts";
import { dateTime, utc } from "./format.ts";
import { api } from "../api.ts";
import { hashFor, useStore } from "../state.ts";
import type { PageName } from "../state.ts";
import { t } from "../i18n/text.ts";

const EVERY_MS = 5000;
const PROBLEMS = ["pipeline", "journal", "disk", "memory", "behind", "gate", "waking", "stuck", "clock", "notices"] as const;
type Problem = (typeof PROBLEMS)[number];
const MILD: string[] = ["clock", "notices"]; // said, but the server counts as well
const WHERE: Partial<Record<Problem, [page: PageName, params?: Record<string, string>]>> = {
  disk: ["access", { tab: "keeps" }], behind: ["sources"], gate: ["brake"], waking: ["wake"], notices: ["wake"],
};
const known = (name: string): Problem | undefined => PROBLEMS.find((one) => one === name);

export function HealthTab() {
  useStore((s) => s.language);
  const version = useStore((s) => s.status)?.version ?? "";
  const { data, error } = usePoll(() => api.health(), EVERY_MS, []);
  const problems = data?.problems ?? [];
  const cursor = useCursor("problem", problems, (name) => document.querySelector<HTMLElement>(`#problem-${CSS.escape(name)} a`)?.focus(), () => {});
  const tone = !data ? "" : data.status !== "ok" ? "bad" : problems.length > 0 ? "warn" : "good";
  return h("div.tab-body", null,
    h(Failed, { error }),
    data && h("section.health-state", { class: tone, role: "status" },
      h("b", null, tone === "good" ? "✓ " : tone === "warn" ? "▲ " : "✕ ", t(tone === "good" ? "health.good" : tone === "warn" ? "health.watch" : "health.degraded")),
      h("span.dim", { title: utc(data.time) }, t("health.looked", { time: dateTime(data.time) }), " · Hinomi ", version)),
    problems.length > 0 && h("ul.problems", null, problems.map((name) => h(One, { key: name, name, cursor: cursor === name }))),
    data && h(Rest, { problems }));
}

function One(props: { name: string; cursor: boolean }) {
  const name = known(props.name), mild = MILD.includes(props.name), where = name && WHERE[name];
  return h("li.problem", { id: "problem-" + props.name, class: `${mild ? "warn" : "bad"} ${props.cursor ? "cursor" : ""}` },
    h("h3", null, mild ? "▲ " : "✕ ", name ? t(`problem.${name}`) : h(Text, { text: props.name }), " ", h("code.tag", null, h(Text, { text: props.name }))),
    name ? [h("p", { key: "what" }, t(`problem_means.${name}`)),
      h("p.next", { key: "next" }, h("b", null, t("health.next")), " ", t(`problem_next.${name}`), where && [" ", h("a", { href: hashFor(where[0], where[1]) }, t(`nav.${where[0]}`))])]
      : h("p", null, t("health.unknown")));
}

/* What was looked at and is well. */
function Rest(props: { problems: string[] }) {
  return h("section.health-rest", null, h("h2", null, t("health.rest")),
    h("ul", null, PROBLEMS.filter((name) => !props.problems.includes(name)).map((name) => h("li", { key: name }, h("b.good", null, "✓ "), t(`well.${name}`)))));
}
