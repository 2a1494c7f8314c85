/* A text that somebody gives with what they do: a comment, a reason. */
import { useState } from "preact/hooks";
import { h } from "./h.ts";
import { t } from "../i18n/text.ts";

export function CommentForm(props: {
  label: string; submit: string; required?: boolean; busy: boolean; cancel?: () => void; onSubmit: (text: string) => Promise<boolean>;
}) {
  const [text, setText] = useState("");
  const [wrong, setWrong] = useState("");
  const submit = async (event: Event) => {
    event.preventDefault();
    if (props.required && !text.trim()) return setWrong(t("form.need_text"));
    setWrong("");
    if (await props.onSubmit(text.trim())) setText("");
  };
  return h("form.inline-form", { onSubmit: submit, onKeyDown: (e: KeyboardEvent) => { if (e.key === "Escape" && props.cancel) { e.preventDefault(); props.cancel(); } } },
    h("label.field", null, h("span", null, props.label),
      h("textarea", { rows: 3, value: text, onInput: (e: Event) => setText((e.target as HTMLTextAreaElement).value) })),
    wrong && h("p.error-text", { role: "alert" }, wrong),
    h("div.actions", null,
      h("button", { type: "submit", class: props.cancel ? "primary" : "", disabled: props.busy }, props.submit),
      props.cancel && h("button.quiet", { onClick: props.cancel }, t("form.cancel"))));
}
