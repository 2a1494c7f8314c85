/* Links for somebody outside, to one incident with names hidden: made, shown once, ended. */
import { useState } from "preact/hooks";
import { h } from "./h.ts";
import { usePoll } from "./poll.ts";
import { Failed, SureButton, useAct } from "./act.ts";
import { CommentForm } from "./comment_form.ts";
import { copy } from "./value_menu.ts";
import { Text } from "./visible.ts";
import { dateTime } from "./format.ts";
import { api } from "../api.ts";
import { t } from "../i18n/text.ts";

const LASTS = "+7d";

export function Shares(props: { id: string }) {
  const [open, setOpen] = useState(false);
  return h("section.shares", null,
    h("button.small", { "aria-expanded": open, onClick: () => setOpen(!open) }, t("share.open")),
    open && h(List, { id: props.id, onCancel: () => setOpen(false) }));
}

function List(props: { id: string; onCancel: () => void }) {
  const { data, error, reload } = usePoll(() => api.shares(props.id), 0, []);
  const { busy, run } = useAct();
  const [link, setLink] = useState("");
  const make = (note: string) => run(async () => {
    setLink(location.origin + (await api.share(props.id, note, LASTS)).path);
    reload();
  });
  const end = async (id: number) => { if (await run(() => api.endShare(id), t("share.ended"))) reload(); };
  return h("div.inline-form", null,
    h("p.dim", null, t("share.about")),
    h(Failed, { error }),
    link && h("div.secret.share-link", { role: "status" }, h("p", null, h("b", null, t("share.once"))), h("code", null, link), h("button", { onClick: () => void copy(link) }, t("value.copy"))),
    h("ul.related", null, (data?.shares ?? []).filter((one) => !one.ended).map((one) => h("li", { key: one.id },
      h(Text, { text: one.note }), " ", h("small.dim", null, t("task.due", { time: dateTime(one.expires) }), " · ", t("share.views", { n: one.views })), " ",
      h(SureButton, { label: t("wake.end"), sure: t("share.end_sure"), disabled: busy, onSure: () => void end(one.id) })))),
    h(CommentForm, { label: t("share.note"), submit: t("share.make"), required: true, busy, cancel: props.onCancel, onSubmit: make }));
}
