/* Tasks of an incident, and what was attached to it as evidence. */
import { useState } from "preact/hooks";
import { h } from "./h.ts";
import { needs } from "./act.ts";
import type { Act } from "./incident_state.ts";
import { Text } from "./visible.ts";
import { dateTime, grouped, toMillis, utc } from "./format.ts";
import { api } from "../api.ts";
import type { IncidentDetail, Task } from "../api.ts";
import { may, notify } from "../state.ts";
import { t } from "../i18n/text.ts";

const FILE_BYTES_MAX = 8 * 1024 * 1024;
const DUE = ["", "+1h", "+4h", "+1d", "+7d"];

interface Props { incident: IncidentDetail; busy: boolean; act: Act }

export function Tasks(props: Props) {
  const { incident, act, busy } = props;
  const open = incident.state !== "closed" && may("analyst");
  const [wrong, setWrong] = useState("");
  const submit = async (event: Event) => {
    event.preventDefault();
    const form = event.target as HTMLFormElement;
    const data = new FormData(form);
    const read = (name: string) => String(data.get(name) ?? "").trim();
    if (!read("text")) return setWrong(t("form.need_text"));
    setWrong("");
    const task = { text: read("text"), ...(read("owner") ? { owner: read("owner") } : {}), ...(read("due") ? { due: read("due") } : {}) };
    if (await act(() => api.addTask(incident.id, task), "task.added")) form.reset();
  };
  if (incident.tasks.length === 0 && !open) return null;
  return h("section.tasks", null,
    h("h3", null, t("task.title"), " ", h("span.count", null, t("task.left", { n: incident.tasks.filter((one) => !one.done).length }))),
    h("ul.task-list", null, incident.tasks.map((task) => h("li", { key: task.id, class: task.done ? "done" : "" },
      h("span.state", { class: task.done ? "good" : late(task) ? "bad" : "" }, h("i", { "aria-hidden": true }, task.done ? "☑" : "☐"), " ", t(task.done ? "task.is_done" : late(task) ? "task.late" : "task.open")),
      h("span.task-text", null, h(Text, { text: task.text })),
      h("small.dim", null, task.owner && [h(Text, { text: task.owner }), " "], task.due && h("span", { title: utc(task.due) }, t("task.due", { time: dateTime(task.due) })),
        task.done && [" ", h(Text, { text: task.done_by }), " ", dateTime(task.done)]),
      open && !task.done && h("button.small", { disabled: busy, onClick: () => void act(() => api.finishTask(task.id), "task.finished") }, t("task.finish"))))),
    open && h("form.row-form", { onSubmit: submit },
      h("label.field", null, h("span", null, t("task.text")), h("input", { name: "text", autocomplete: "off" })),
      h("label.field", null, h("span", null, t("task.owner")), h("input", { name: "owner", autocomplete: "off" })),
      h("label.field", null, h("span", null, t("task.until")), h("select", { name: "due" }, DUE.map((one) => h("option", { key: one, value: one }, one || "–")))),
      h("button", { type: "submit", disabled: busy }, t("task.add"))),
    wrong && h("p.error-text", { role: "alert" }, wrong));
}

const late = (task: Task) => !task.done && task.due !== null && (toMillis(task.due) ?? 0) < Date.now();

async function base64(file: File): Promise<string> {
  const bytes = new Uint8Array(await file.arrayBuffer());
  let text = "";
  for (let at = 0; at < bytes.length; at += 8192) text += String.fromCharCode(...bytes.subarray(at, at + 8192));
  return btoa(text);
}

export function Attachments(props: Props) {
  const { incident, act, busy } = props;
  const open = incident.state !== "closed" && may("analyst");
  const choose = async (event: Event) => {
    const input = event.target as HTMLInputElement;
    const file = input.files?.[0];
    input.value = "";
    if (!file) return;
    if (file.size > FILE_BYTES_MAX) return notify("bad", t("file.too_large"));
    await act(async () => api.attach(incident.id, { name: file.name, type: file.type || "application/octet-stream", base64: await base64(file) }), "file.added");
  };
  if (incident.attachments.length === 0 && !open) return null;
  return h("section.attachments", null,
    h("h3", null, t("file.title"), " ", h("span.count", null, incident.attachments.length)),
    h("ul.file-list", null, incident.attachments.map((one) => h("li", { key: one.id },
      may("analyst") ? h("a", { href: api.attachmentUrl(one.id), download: "" }, h(Text, { text: one.name })) : h(Text, { text: one.name }),
      " ", h("small.dim", null, t("file.bytes", { n: grouped(one.size) }), " · ", h(Text, { text: one.added_by }), " · ", dateTime(one.added)),
      h("small.mono.dim.hash", { title: "SHA-256" }, one.sha256)))),
    open && h("label.button.small.file-choose", null, t("file.add"), h("input", { type: "file", class: "hidden-text", ...needs("analyst", busy), onChange: (e: Event) => void choose(e) })));
}
