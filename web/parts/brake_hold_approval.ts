/*
 * Letting a held request go: by people who are signed in, or by signatures that were made elsewhere and are carried here. Breaking the glass is
 * explained and no more: it is done with the key of somebody the policy names for it, never by a click.
 */
import { h } from "./h.ts";
import { SureButton, needs, useAct } from "./act.ts";
import { Text } from "./visible.ts";
import { copy } from "./value_menu.ts";
import { CommentForm } from "./comment_form.ts";
import { api } from "../api.ts";
import type { HoldDetail, SignedApproval } from "../api.ts";
import { getState, notify } from "../state.ts";
import { t } from "../i18n/text.ts";

/* A name that a shell takes as one word, else a word to be replaced. */
const keyFile = () => { const name = getState().user?.name ?? ""; return (/^[A-Za-z0-9_][\w.-]*$/.test(name) ? name : "NAME") + ".key"; };

export function Command(props: { line: string }) {
  return h("p.command", null, h("code", null, h(Text, { text: props.line })), h("button.small", { onClick: () => void copy(props.line) }, t("value.copy")));
}

/* Save it, sign it elsewhere, bring it back. */
function SignElsewhere(props: { url: string; file: string }) {
  return h("ol.steps", null,
    h("li", null, h("a.button.small", { href: props.url, download: props.file }, t("hold.save", { file: props.file })), " ", h("span.dim", null, t("hold.save_about"))),
    h("li", null, h("span", null, t("hold.sign")), h(Command, { line: `hinomi approve --key ${keyFile()} ${props.file} >approval.json` })),
    h("li", null, t("hold.carry")));
}

/* What `hinomi approve` wrote about this hold or stop, or what is wrong with the text. */
function readApproval(text: string, about: "hold" | "stop", id: string): SignedApproval | string {
  let found: Record<string, unknown> | null;
  try { found = JSON.parse(text) as Record<string, unknown> | null; } catch { return t("hold.not_signed"); }
  if (found && "break_glass" in found) return t("hold.glass_not_here");
  const texts = [found?.[about], found?.approver, found?.expires, found?.signature];
  if (texts.some((one) => typeof one !== "string")) return t("hold.not_signed");
  return found?.[about] === id ? (found as unknown as SignedApproval) : t("hold.another");
}

/* An approval that was signed elsewhere and is brought here by anybody: what is signed counts, not who carries it. */
export function Signed(props: { about: "hold" | "stop"; id: string; url: string; busy: boolean; onCarry: (approval: SignedApproval) => Promise<boolean> }) {
  const { about, id } = props;
  const carry = async (text: string) => {
    const approval = readApproval(text, about, id);
    if (typeof approval !== "string") return props.onCarry(approval);
    notify("bad", approval);
    return false;
  };
  return h("details.signed", null, h("summary", null, t("hold.signed")),
    h("p.dim", null, t("hold.signed_about")),
    h(SignElsewhere, { url: props.url, file: about + ".json" }),
    h(CommentForm, { label: t("brake.approval"), submit: t("brake.release_submit"), required: true, busy: props.busy, onSubmit: carry }));
}

export function HoldApproval(props: { hold: HoldDetail; onChanged: () => void }) {
  const { hold } = props, needed = hold.approvals_needed ?? 0;
  const { busy, run } = useAct();
  const said = (released: boolean) => { notify("ok", t(released ? "hold.released" : "brake.approval_accepted")); props.onChanged(); };
  const approve = () => run(async () => said((await api.release(hold.id)).released));
  const carry = (approval: SignedApproval) => run(async () => said((await api.approveSigned(hold.id, approval)).released));
  return h("section.hold-approval", null, h("h3", null, t("hold.approval")),
    h("p", null, t("brake.approvals", { n: hold.approvals ?? 0, m: needed }), hold.approvers.length > 0 && ": ",
      hold.approvers.map((name) => h("span.tag", { key: name }, "✓ ", h(Text, { text: name })))),
    h("p", null, h(SureButton, { label: t("hold.approve"), sure: t("hold.approve_sure"), ...needs("approver", busy), onSure: () => void approve() }), " ", h("span.dim", null, t("hold.approve_about"))),
    h(Signed, { about: "hold", id: hold.id, url: api.holdUrl(hold.id), busy, onCarry: carry }),
    h("details.glass", null, h("summary", null, t("hold.glass")),
      h("p", null, t("hold.glass_about")), h(Command, { line: `hinomi approve --break-glass --reason "…" --key NAME.key hold.json >glass.json` }), h("p", null, t("hold.glass_loud"))));
}
