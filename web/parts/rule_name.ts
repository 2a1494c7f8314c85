/* A rule by its title where the server gives its id; the rules are asked for once. */
import { useEffect, useState } from "preact/hooks";
import { h } from "./h.ts";
import { Text } from "./visible.ts";
import { api } from "../api.ts";
import type { Rule } from "../api.ts";
import { hashFor } from "../state.ts";
import { both } from "../i18n/text.ts";

let asked: Promise<Rule[]> | null = null;

export function RuleName(props: { rule: string }) {
  const [rules, setRules] = useState<Rule[]>([]);
  useEffect(() => {
    // Without titles the id has to do; the next one that is shown asks again.
    asked ??= api.rules().then((answer) => answer.rules, () => { asked = null; return []; });
    void asked.then(setRules);
  }, []);
  const rule = rules.find((one) => one.id === props.rule);
  return h("a", { href: hashFor("rules", { id: props.rule }), title: props.rule }, h(Text, { text: (rule && both(rule.title)) || props.rule }));
}
