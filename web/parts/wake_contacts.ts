/* A person's contacts in the order in which they are tried, and "Wake me now", which proves them. */
import { useState } from "preact/hooks";
import { h } from "./h.ts";
import { usePoll } from "./poll.ts";
import { Failed, useAct } from "./act.ts";
import { WakeTest } from "./wake_test.ts";
import { Text } from "./visible.ts";
import { age, utc } from "./format.ts";
import { api } from "../api.ts";
import type { Contact, OfferedNotifier } from "../api.ts";
import { may, useStore } from "../state.ts";
import { t } from "../i18n/text.ts";

const EVERY_MS = 5000;
const MOST = 8;

export function Contacts(props: { people: string[]; notifiers: OfferedNotifier[] }) {
  useStore((s) => s.language);
  const me = useStore((s) => s.user)!.name;
  const [person, setPerson] = useState(me);
  const people = [...new Set([me, ...props.people])];
  return h("section.contacts", null,
    h("div.section-head", null,
      h("h2", null, t(person === me ? "wake.my_contacts" : "wake.contacts_of", { person })),
      may("admin") && people.length > 1 && h("label.inline", null, h("span", null, t("wake.whose")), " ",
        h("select", { value: person, onChange: (e: Event) => setPerson((e.target as HTMLSelectElement).value) },
          people.map((name) => h("option", { key: name, value: name }, name === me ? t("wake.me", { name }) : name))))),
    props.people.length > 0 && !props.people.includes(person) && h("p.message.warning", null, h("b", null, "▲ "), t("wake.not_in_plan", { person })),
    h(ContactList, { key: person, person, own: person === me, notifiers: props.notifiers }));
}

function ContactList(props: { person: string; own: boolean; notifiers: OfferedNotifier[] }) {
  const { data, error, reload } = usePoll(() => api.contacts(props.person), EVERY_MS, []);
  const { busy, run } = useAct();
  const contacts = data ?? [];
  const save = async (next: Contact[], done: string) => {
    const saved = await run(() => api.setContacts(props.person, next.map(({ notifier, address }) => ({ notifier, address }))), done);
    reload();
    return saved;
  };
  const moved = (at: number, by: number) => {
    const next = [...contacts];
    next.splice(at + by, 0, ...next.splice(at, 1));
    return next;
  };
  return h("div", null,
    h(Failed, { error }),
    data && contacts.length === 0 && h("p.message.warning", null, h("b", null, "▲ "), t("wake.no_contacts")),
    h("ol.contact-list", null, contacts.map((contact, i) => h("li", { key: contact.notifier + "\n" + contact.address },
      h("span.contact-number", null, i + 1),
      h("span.contact-main", null, h("b", null, h(Text, { text: contact.notifier })), " ", h("span.mono", null, h(Text, { text: contact.address }))),
      contact.works ? proven(contact) : h("span.state.bad", null, h("i", { "aria-hidden": true }, "✕"), " ", t("wake.no_notifier")),
      h("span.contact-buttons", null,
        h("button.small", { disabled: busy || i === 0, "aria-label": t("wake.earlier_one", { name: contact.notifier }), title: t("wake.earlier_one", { name: contact.notifier }), onClick: () => void save(moved(i, -1), t("wake.saved")) }, "↑"),
        h("button.small", { disabled: busy || i === contacts.length - 1, "aria-label": t("wake.later_one", { name: contact.notifier }), title: t("wake.later_one", { name: contact.notifier }), onClick: () => void save(moved(i, 1), t("wake.saved")) }, "↓"),
        h("button.small", { disabled: busy, onClick: () => void save(contacts.filter((_, at) => at !== i), t("wake.removed")) }, t("wake.remove")))))),
    data && contacts.length < MOST && h(AddContact, { notifiers: props.notifiers, busy, onAdd: (contact) => save([...contacts, contact], t("wake.added")) }),
    h(WakeTest, { person: props.person, own: props.own, ready: contacts.length > 0, onDone: reload }));
}

function proven(contact: Contact) {
  return contact.proven
    ? h("span.state.good", { title: utc(contact.proven) }, h("i", { "aria-hidden": true }, "✓"), " ", t("wake.proven", { time: age(contact.proven) }))
    : h("span.state.warn", null, h("i", { "aria-hidden": true }, "▲"), " ", t("wake.not_proven"));
}

function AddContact(props: { notifiers: OfferedNotifier[]; busy: boolean; onAdd: (contact: Contact) => Promise<boolean> }) {
  const [name, setName] = useState("");
  const [address, setAddress] = useState("");
  const [wrong, setWrong] = useState("");
  const chosen = props.notifiers.find((one) => one.name === name) ?? props.notifiers[0];
  if (!chosen) return h("p.dim", null, t("wake.no_notifiers"));
  const submit = async (event: Event) => {
    event.preventDefault();
    if (chosen.needs_address && !address.trim()) return setWrong(t("wake.need_address"));
    setWrong("");
    if (await props.onAdd({ notifier: chosen.name, address: address.trim(), works: true, proven: null })) setAddress("");
  };
  return h("form.row-form", { onSubmit: submit },
    h("label.field", null, h("span", null, t("wake.by")),
      h("select", { name: "notifier", value: chosen.name, onChange: (e: Event) => setName((e.target as HTMLSelectElement).value) },
        props.notifiers.map((one) => h("option", { key: one.name, value: one.name }, `${one.name} (${one.kind})`)))),
    h("label.field", null, h("span", null, t(chosen.needs_address ? "wake.address" : "wake.address_optional")),
      h("input", { name: "address", autocomplete: "off", spellcheck: false, value: address, onInput: (e: Event) => setAddress((e.target as HTMLInputElement).value) })),
    h("button", { type: "submit", disabled: props.busy }, t("wake.add")),
    wrong && h("p.error-text", { role: "alert" }, wrong));
}
