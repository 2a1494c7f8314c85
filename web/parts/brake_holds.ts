/* What is held now: a card each, with all that was asked behind it. */
import { h } from "./h.ts";
import { Text } from "./visible.ts";
import { DecisionWord } from "./badges.ts";
import { HoldDetails } from "./brake_hold_details.ts";
import { reasonsOf } from "./brake_decisions.ts";
import type { Opened } from "./brake_decisions.ts";
import { age, dateTime, grouped, utc } from "./format.ts";
import type { Hold } from "../api.ts";
import { hashFor } from "../state.ts";
import { t, word } from "../i18n/text.ts";

export function Holds(props: Opened & { holds: Hold[]; onChanged: () => void }) {
  if (props.holds.length === 0) return h("p.dim", null, t("brake.no_holds"));
  return h("ul.holds", null, props.holds.map((hold) => h(HoldCard, { key: hold.id, ...props, hold })));
}

function HoldCard(props: Opened & { hold: Hold; onChanged: () => void }) {
  const { hold } = props, id = "h-" + hold.id, shown = props.open === id;
  return h("li.hold-card", { id: "brake-" + id, class: props.cursor === id ? "cursor" : "" },
    h("div.hold-main", null,
      h(DecisionWord, { decision: "hold" }),
      h("b.money", null, grouped(hold.amount), " ", h(Text, { text: hold.asset })),
      h("span.hold-way", null, h(Text, { text: word("action", hold.action) }), " · ", h(Text, { text: hold.account }), " → ", h("span.mono", null, h(Text, { text: hold.destination }))),
      h("span.spring", null),
      h("time.dim", { title: `${dateTime(hold.time)} · ${utc(hold.time)}` }, age(hold.time)),
      hold.approvals_needed ? h("span.tag", null, t("brake.approvals", { n: hold.approvals ?? 0, m: hold.approvals_needed })) : null,
      h("button", { "aria-expanded": shown, onClick: () => props.toggle(id) }, shown ? t("hold.less") : t("hold.more"))),
    h("p.dim", null, h("span.tag", null, h(Text, { text: hold.row })), " ", h("span.mono", null, h(Text, { text: hold.request_id })), " · ", h(Text, { text: reasonsOf(hold).join(" ") }),
      hold.incident && [" · ", h("a", { href: hashFor("incidents", { id: hold.incident }) }, hold.incident)]),
    shown && h(HoldDetails, { id: hold.id, onChanged: props.onChanged }));
}
