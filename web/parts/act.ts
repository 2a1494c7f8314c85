/* What people do: one request at a time, said when it is done, said when it failed. */
import { useState } from "preact/hooks";
import { h } from "./h.ts";
import { errorText } from "./poll.ts";
import { may, notify } from "../state.ts";
import { t, word } from "../i18n/text.ts";

/* run() is true when the request was answered well. Without `done` nothing is said, since the page shows it. */
export function useAct(): { busy: boolean; run: (work: () => Promise<unknown>, done?: string) => Promise<boolean> } {
  const [busy, setBusy] = useState(false);
  const run = async (work: () => Promise<unknown>, done?: string) => {
    setBusy(true);
    try {
      await work();
      if (done) notify("ok", done);
      return true;
    } catch (problem) {
      notify("bad", errorText(problem));
      return false;
    } finally {
      setBusy(false);
    }
  };
  return { busy, run };
}

/* Properties of a button that needs a role: it is shown to everybody and says what it needs. */
export function needs(role: Parameters<typeof may>[0], busy = false): { disabled: boolean; title: string | undefined } {
  const allowed = may(role);
  return { disabled: busy || !allowed, title: allowed ? undefined : t("role.needed", { role: word("role", role) }) };
}

export function Failed(props: { error: string | null }) {
  return props.error ? h("p.message.error", { role: "alert" }, h("b", null, "✕ "), props.error) : null;
}

/* Something that cannot be taken back is asked twice. */
export function SureButton(props: { label: string; sure: string; disabled?: boolean; title?: string | undefined; onSure: () => void }) {
  const [asked, setAsked] = useState(false);
  if (!asked) return h("button.small", { disabled: props.disabled, title: props.title, onClick: () => setAsked(true) }, props.label);
  return h("span.confirm", { role: "group", "aria-label": props.sure }, props.sure, " ",
    h("button.danger.small", { disabled: props.disabled, onClick: () => { setAsked(false); props.onSure(); } }, props.label),
    h("button.quiet.small", { onClick: () => setAsked(false) }, t("form.cancel")));
}
