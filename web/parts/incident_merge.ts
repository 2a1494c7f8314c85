/* Other open incidents that are the same attack: chosen, and closed into this one. */
import { useState } from "preact/hooks";
import { h } from "./h.ts";
import { usePoll } from "./poll.ts";
import { Failed, needs } from "./act.ts";
import { CommentForm } from "./comment_form.ts";
import type { Act } from "./incident_state.ts";
import { Text } from "./visible.ts";
import { api } from "../api.ts";
import { both, t } from "../i18n/text.ts";

const LIMIT = 100;

export function Merge(props: { id: string; busy: boolean; act: Act }) {
  const [open, setOpen] = useState(false);
  return h("section.merge", null,
    h("button.small", { ...needs("responder", props.busy), "aria-expanded": open, onClick: () => setOpen(!open) }, t("merge.open")),
    open && h(Choose, { ...props, onDone: () => setOpen(false) }));
}

function Choose(props: { id: string; busy: boolean; act: Act; onDone: () => void }) {
  const { data, error } = usePoll(() => api.incidents("open,acknowledged", LIMIT), 0, []);
  const [chosen, setChosen] = useState<string[]>([]);
  const others = (data?.incidents ?? []).filter((one) => one.id !== props.id);
  const toggle = (id: string) => setChosen(chosen.includes(id) ? chosen.filter((one) => one !== id) : [...chosen, id]);
  const merge = async (reason: string) => {
    const done = await props.act(() => api.merge(props.id, chosen, reason), "merge.done");
    if (done) props.onDone();
    return done;
  };
  return h("div.inline-form", null,
    h(Failed, { error }),
    data && others.length === 0 && h("p.dim", null, t("merge.none")),
    h("ul.merge-list", null, others.map((one) => h("li", { key: one.id }, h("label", null,
      h("input", { type: "checkbox", checked: chosen.includes(one.id), onChange: () => toggle(one.id) }), " ", h("span.mono", null, one.id), " ", h(Text, { text: both(one.title) }))))),
    others.length > 0 && h(CommentForm, { label: t("merge.why"), submit: t("merge.submit", { n: chosen.length }), required: true, busy: props.busy || chosen.length === 0, cancel: props.onDone, onSubmit: merge }));
}
