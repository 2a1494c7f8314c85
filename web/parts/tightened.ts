/* Under the strip while the gate is tightened because nobody answered: since when, for which incident, and the way back. */
import { useState } from "preact/hooks";
import { h } from "./h.ts";
import { usePoll } from "./poll.ts";
import { Failed, needs, useAct } from "./act.ts";
import { CommentForm } from "./comment_form.ts";
import { Text } from "./visible.ts";
import { dateTime, utc } from "./format.ts";
import { api } from "../api.ts";
import { hashFor, useStore } from "../state.ts";
import { t } from "../i18n/text.ts";

const EVERY_MS = 5000;

export function Tightened() {
  useStore((s) => s.language);
  const { data, error, reload } = usePoll(() => api.tightening(), EVERY_MS, []);
  const { busy, run } = useAct();
  const [asking, setAsking] = useState(false);
  const loosen = async (reason: string) => {
    const done = await run(() => api.loosen(reason), t("brake.loosened"));
    if (done) { setAsking(false); reload(); }
    return done;
  };
  const incident = data?.cause && /^INC-\d+$/.test(data.cause);
  return h("div.strip-tight", { role: "alert" },
    h("p", null, h("b", null, h("i", { "aria-hidden": true }, "✕ "), t("brake.tightened_long")), " ",
      data?.since && h("span", { title: utc(data.since) }, t("brake.since", { time: dateTime(data.since) })), " ",
      data?.cause && (incident ? h("a", { href: hashFor("incidents", { id: data.cause }) }, data.cause) : h(Text, { text: data.cause })), " ",
      h("button.small", { "aria-expanded": asking, ...needs("approver", busy), onClick: () => setAsking(!asking) }, t("brake.loosen"))),
    h(Failed, { error }),
    asking && h(CommentForm, { label: t("brake.loosen_reason"), submit: t("brake.loosen_submit"), required: true, busy, cancel: () => setAsking(false), onSubmit: loosen }));
}
