/* The typed client of docs/api.md. Every failure is an ApiError with a sentence for the user. */

export interface ErrorBody {
  code: string;
  message: string;
  start?: number; // byte offsets into the query
  end?: number;
  suggestion?: string;
}

export class ApiError extends Error {
  constructor(readonly status: number, readonly body: ErrorBody) {
    super(body.message);
  }
}

export type Role = "support" | "viewer" | "analyst" | "responder" | "engineer" | "approver" | "admin" | "auditor";
export const ROLES: Role[] = ["support", "viewer", "analyst", "responder", "engineer", "approver", "admin", "auditor"];
export type Language = "ja" | "en";
export type Both = { en: string; ja: string };
export type Severity = "critical" | "high" | "medium" | "low" | "informational";
export type IncidentState = "open" | "acknowledged" | "closed";

export interface Status { version: string; setup_required: boolean; languages: Language[] }
export interface User { name: string; role: Role; language?: Language | null; disabled?: boolean }
export interface Session { user: User; csrf: string }

export interface AssetState { asset: string; state: string; balance: string | null; outflow_1h: string | null; usual_1h: string | null; heard: string | null }
export interface Overview {
  time: string;
  see: {
    sources: number; sources_seen: number; silent: string[]; lag_ms: number; received: number; stored: number;
    quarantined: number; lost: number; rules: number; blind: number; events_per_second: number; disk_days: number | null;
  };
  wake: { on_call: Schedule[] | null; last_drill: Drills | null; running_pages: number; open: number; acknowledged: number; pending_notifications: number };
  actions: { waiting: number; working: number; in_effect: number; stuck: number };
  brake: { mode: string; healthy: boolean; reason: string | Both; tightened: boolean; held: number; decisions: number; assets: AssetState[] };
}

/* Waking people (docs/waking.md). */
export interface Shift { person: string | null; from: string; to: string; arranged: boolean }
export interface Schedule { schedule: string; shifts: Shift[]; more: boolean }
export interface StandIn {
  id: number; schedule: string | null; away: string | null; instead: string | null; from: string; to: string; reason: string; added_by: string; added: string;
}
export interface StandInWish { schedule?: string; away?: string; instead?: string; from: string; to: string; reason: string }
export interface OfferedNotifier { name: string; kind: string; summary: string; needs_address: boolean }
export interface Contact { notifier: string; address: string; works: boolean; proven: string | null }
export interface Waking {
  person: string; notifier: string; address: string; step: number; made: string; received: string | null; receipt: string | null; failed: string | null;
}
export interface WakePage {
  id: number; incident: string; kind: "page" | "drill" | "test"; policy: string; severity: Severity; state: "running" | "answered" | "ended";
  round: number; next_step: number; begun: string; held_until: string | null; unanswered: string | null; answered_by: string | null;
  answered_how: string | null; answered: string | null; rule: string | null; waking_count: number; wakings: Waking[];
}
export interface WakingNow { on_call: Schedule[]; stand_ins: StandIn[]; notifiers: OfferedNotifier[]; pages: WakePage[] }
export interface WakingPlan { text: string | null; saved_by: string | null; saved: string | null; from_file: boolean; people: string[]; schedules: string[] }
export interface Drill {
  day: string; started: string | null; outcome: "answered" | "missed" | "not_held" | null; person: string | null; answer_ms: number;
  detail_en: string | null; detail_ja: string | null;
}
export interface Drills { drills: Drill[]; people: { person: string; answered: number; fastest_ms: number; mean_ms: number; slowest_ms: number }[] }
export interface Interruptions {
  people: { person: string; pages: number; pages_week: number; pages_night: number; budget_week: number; budget_night: number; most_by_rule: string | null }[];
  nights: { person: string; night: string; pages: number }[];
  rules: { rule: string; pages: number; false: number }[];
}
export interface Tightening { on: boolean; cause: string | null; since: string | null; undone_by: string | null; undone: string | null; reason: string | null }

export type Scalar = string | number | boolean | null | { base64: string };
export type Value = Scalar | Scalar[];
export interface FieldSummary { name: string; count: number; distinct: number; top: [Value, number][] }
export interface Histogram { start: string; span_ms: number; counts: number[] }
export interface Message { code: string; level: "info" | "warning" | "error"; text: string }
export interface SearchPage {
  id: string; state: "running" | "done" | "failed" | "cancelled"; complete: boolean; kind: "events" | "table";
  scanned_rows: number; matched_rows: number; elapsed_ms: number; total: number; offset: number;
  columns: string[]; rows: Value[][]; fields?: FieldSummary[] | null; histogram?: Histogram | null;
  messages?: Message[] | null; error: ErrorBody | null;
}

export interface Incident {
  id: string; title: Both; severity: Severity; state: IncidentState; owner: string | null; opened: string; updated: string;
  first_event: string | null; last_event: string | null; finding_count: number; entities: Entity[];
}
export interface TimelineEntry {
  time: string; kind: "finding" | "state" | "comment" | "notification" | "gate" | "link" | "severity" | "task" | "attachment"; text: Both; rule?: string | null;
  severity?: Severity | null; evidence?: string[] | null; user?: string | null;
  count?: number; first?: string; last?: string; // of a finding: all repeats of its rule and group
}
/* What an incident was asked by itself, and what the events say (docs/questions.md). */
export interface Answer {
  name: string; question: Both; answer: Both; state: "waiting" | "late" | "answered" | "incomplete" | "failed"; search: string | null;
  from: string; to: string; events: string[]; ms: number; asked: string | null; answered: string | null;
}
export const VERDICTS = ["true_positive", "false_positive", "benign", "duplicate", "drill"] as const;
export interface EventLink { id: string; seq?: string; time?: string }
export interface Task {
  id: number; text: string; owner: string | null; due: string | null; added_by: string; added: string; done_by: string | null; done: string | null;
}
export interface Attachment { id: number; name: string; type: string | null; size: number; sha256: string; added_by: string; added: string }
export interface Finding {
  number: number; id: string; incident: string | null; rule: string | null; rule_id: string | null; title: string | null; severity: Severity;
  en: string | null; ja: string | null; time: string; filed: string; entities: Entity[]; group: Entity[]; events: EventLink[]; event_count: number;
}
export interface Entity { type: string; value: string }
export interface Exception {
  id: number; kind: "exception" | "mute"; rule: string | null; entities: Entity[]; fields: { name: string; value: string }[]; reason: string; owner: string;
  added_by: string; added: string; expires: string; ended: string | null; ended_by: string | null; finding: string | null; in_force: boolean;
  count: number; last: string | null;
}
export interface ExceptionWish { kind: "exception" | "mute"; rule?: string; entities?: Entity[]; reason: string; expires: string }
export interface ExceptionPreview {
  days: number; findings: number; incidents: number; pages: number; looked_at: number; complete: boolean; complete_from: string | null; sample: Finding[];
}

/* What is done outside (docs/actions.md). */
export interface Action {
  name: string; kind: string; summary: string; takes: string[]; at_once: number; per_hour: number; lasts_s: number; approvals: number; role: Role;
  approver_role: Role; in_effect: number; last_hour: number; stuck: number;
}
export interface Order {
  id: string; action: string; incident: string | null; by: string; reason: string; asked_at: string; lasts_s: number; state: string; approvals_needed: number;
  asked: number; over_cap: number; already: number; deed_count: number; done: number; failed: number; undone: number; cancelled: number; stuck: number;
  approvals: { person: string; time: string }[];
}
export interface ActionWish { action: string; reason: string; entities: Entity[]; incident: string }
export interface DryRun {
  asked: number; would_do: number; over_cap: number; already: number; approvals_needed: number; lasts_s: number;
  deeds: { type: string; value: string; do: unknown; undo: unknown }[];
}
export interface Playbook { name: string; title: Both; steps: { kind: string; action: string | null; text: Both }[]; usable: boolean }
export interface RunStep {
  step: number; kind: "approval" | "action" | "task"; order: string | null; action: string | null; text: Both; people: number; role: Role | null; state: string;
  person: string | null; note: string | null; ended: string | null;
}
export interface PlaybookRun {
  id: string; playbook: string; title: Both; incident: string; by: string; started: string; step: number; state: string; steps: RunStep[];
  approvals: { step: number; person: string; time: string }[];
}
export interface Share { id: number; note: string; added_by: string; expires: string; ended: string | null; views: number; last_view: string | null }

export interface IncidentDetail extends Incident {
  clocks: { contained: string | null; contained_by: string | null; seconds: Record<"to_open" | "to_acknowledge" | "to_contain" | "to_close", number | null> };
  related: { id: string; how: string; by: string | null; state: IncidentState }[]; tasks: Task[]; attachments: Attachment[];
  chain: { entries: number; hash: string | null }; verdict: string | null;
  timeline: TimelineEntry[]; explanation?: Both | null; why?: Both | null; check?: Both | null; do?: Both | null;
  answers?: Answer[] | null;
  held?: { id: string; asset: string | null; amount: string | null; request_id: string }[] | null;
}

/* Of an active rule since it was enabled. */
export interface RuleTally {
  since: string | null; offered: number; evaluated: number; matched: number; findings: number; errors: number; cost_ns: number;
  last_offered: string | null; last_matched: string | null;
}
export interface Rule {
  id: string; title: string | Both; level: string; status: string; reason: string | Both | null; blind: boolean;
  author?: string; tags?: string[]; blind_reason?: string; ledger?: RuleTally;
}
export interface RuleDetail extends Rule {
  kind: string; catalogue: string | null; tactics: string; points: number; own: boolean; logsource: { product: string | null; category: string | null; service: string | null };
  description: string; explain: Both | null; why: Both | null; check: Both | null; do: Both | null; file: string; text: string | null; tests: string | null;
}
/* Events that were lost on arrival, by place. */
export interface Lost { kernel: number; queue: number; parse: number }
/* Missing by the numbers that protocols give. */
export interface Gaps {
  missing: number; gaps: number; restarts: number; again: number; numberings: number; last: string | null; last_from: number; last_to: number;
}
export interface Source {
  name: string; dataset: string | null; received: number; stored: number; quarantined: number; last_event: string | null; silent: boolean;
  lost: Lost; gaps?: Gaps;
}
export type ReaderKind = "rules" | "searches" | "scheduled" | "event_types" | "data_models" | "dashboards";
export interface Readers {
  readers: { kind: ReaderKind; id: Scalar; title: Scalar; owner: Scalar; everything: boolean }[];
  total: number; known: boolean; read_by_nobody: boolean; searches_unclear: number;
}

/* What is known of a sender, a host behind one, or a file. */
export interface Sender {
  source: Scalar; sender: Scalar; path: Scalar; host: Scalar; relayed: boolean; dataset: Scalar; stream: Scalar;
  state: "learning" | "as_usual" | "silent" | "not_awaited"; first_seen: string | null; last_seen: string | null; silent_since: string | null;
  heartbeat_s: number | null; events: number; per_second: number; usual_per_second: number | null;
  delay_p50_ms: number; delay_p99_ms: number; lag_s: number | null; clock: { zone: string | null; skew_s: number } | null;
  share: number | null; not_understood: number; not_finished: number;
  bytes: number; disk_bytes: number; month_bytes: number; month_disk_bytes: number | null;
  gaps: Gaps; lost_at_input: Lost; readers: (Record<ReaderKind, number> & { everything: number }) | null; read_by_nobody: boolean;
}

/* How much of what a source sent is understood. */
export interface Share {
  source: Scalar; sender: Scalar; path: Scalar; events: number; understood: number; in_part: number; not_understood: number; quarantined: number;
  not_finished: number; share: number; first: string | null; last: string | null; decoders: { name: string; events: number }[];
  zone: { offset: string; decoder: string; looked_at: number; without_zone: number; agree: number } | null;
}
export interface UnknownQuery { from: string; of: "nobody" | "in_part"; source?: string; sender?: string; path?: string }
export interface UnknownPlace { source: Scalar; sender: Scalar; path: Scalar; events: number }
export interface UnknownTemplate {
  template: Scalar; others: boolean; events: number; first: string; last: string; sources: UnknownPlace[]; more_sources: boolean;
  dataset: Scalar; decoder: Scalar; error: Scalar; samples: { time: string; id: Scalar; raw: Scalar; cut: boolean }[];
  format: string; nearest: { decoder: Scalar; summary: Scalar; met: number; asked: number; lacks: string; what: Scalar } | null;
  taken_now: Scalar; command: string; decoder_to_begin_with: Scalar;
}

export interface Decision {
  id: string; time: string; request_id: string; action: string; account: string; asset: string; amount: string; destination: string;
  decision: "allow" | "hold" | "deny"; row: string; reasons: { en: string[]; ja: string[] }; incident: string | null; shadow: boolean;
}
export interface Hold extends Decision { wallet?: string | null; approvals?: number; approvals_needed?: number }
/* Everything that was asked, as whoever signs it needs it. */
export interface HoldDetail extends Hold {
  gate: string | null; nonce: string | null; at: string | null; expiry: string | null; payload: string | null; payload_effects: string[]; approvers: string[];
}
/* What a customer may be told. */
export interface Support {
  request_id: string; state: "held" | "released" | "refused" | "not_held"; text: Both; since: string | null; usual_minutes: number | null; minutes_from: "policy" | "releases" | null;
}
export interface SignedApproval { hold?: string; stop?: string; share?: number; approver: string; expires: string; signature: string }

export interface GateNow {
  mode: string; mode_set_by: string; healthy: boolean; reason: string; holds_open: number; stops: number; tightened: boolean;
  policy: { path: string; version: string | null; digest: string | null; loaded: string | null; approvers: number; refused: string | null; refused_at: string | null };
}
export type Effect = "allow" | "hold" | "deny";
export interface PolicyRow { name: string; condition: string | null; effect: Effect; approvals?: number; reason: { en: string | null; ja: string | null } }
export interface Policy {
  version: string; digest: string; mode: string; mode_in_file: string; limits: { name: string; value: string }[]; values: { name: string; expression: string }[];
  rows: PolicyRow[]; approvers: string[]; partners: { name: string; destinations: string[] }[]; text: string;
}
export interface GateRequest {
  request_id: string; action: string; account?: string; asset?: string; amount?: string; wallet?: string; destination?: string; payload?: string;
}
/* applies null: something that the condition reads is not known. */
export interface ExplainedRow {
  name: string; condition: string | null; effect: Effect; approvals?: number; applies: boolean | null; decides: boolean; reads: { name: string; value: string | null }[];
}
export interface Explained {
  decision: Effect; row: string; reasons: { en: string[]; ja: string[] }; incident: string | null; policy_version: string | null; shadow: boolean; decided_before: boolean;
  rows: ExplainedRow[];
}

/* What a policy would have done with what is stored (docs/gate-whatif.md). Money is decimal text. */
export interface WhatifSide {
  policy_version: string; requests: number; allowed: number; held: number; denied: number; rows: { row: string; decision: Effect; requests: number }[];
  money: Record<string, { held: string; theft_saved?: string; theft_lost?: string }>; usd_held: string; customers_delayed: number; minutes_delayed: number;
  thefts_caught?: number; thefts_missed?: number; false_holds?: number;
}
export interface Whatif {
  id: string; by: string; state: "running" | "done" | "failed" | "cancelled"; started: string; ended: string | null; from: string | null; to: string | null;
  reached: string | null; events: number; error: string | null; unreadable: number; result?: { events: number; candidate: WhatifSide; current?: WhatifSide } | null;
}
export interface WhatifWish {
  policy: string; against?: string; from: string; to: string; tz: string; learn_days: number; hold_minutes: number; stop_minutes: number; labels?: unknown[];
}

/* docs/dashboards.md */
export interface PanelSpec {
  id: string; kind: string; title: Both | null; text: Both | null; search: string | null; saved: string | null; unit: string | null; drill: string | null;
  range: { from: string; to: string } | null; stacked: boolean; x: number; y: number; w: number; h: number;
}
export interface DashboardHead {
  name: string; title: Both | null; about: Both | null; origin: "shipped" | "folder" | "shared" | "own"; owner: string; updated: string | null; home: string[]; panel_count: number;
}
export interface Variable { name: string; title: Both | null; field: string; default: string }
export interface Dashboard extends DashboardHead {
  range: { from: string; to: string } | null; refresh_s: number; variables: Variable[]; annotations: { title: Both | null; search: string }[];
  panels: PanelSpec[]; saved: Record<string, string | null>;
}
export interface RiskTotal {
  type: string; value: string; points: string; points_24h: string; tactics: number; newest: string; told: string | null;
  parts: { rule: string; title: string; tactics: string[]; points: string; points_of_rule: number; findings: number; last: string; finding: string }[];
}
export interface Risks { now: string | null; rules: { rule: string; title: string; over: number; half_life_s: number; known: number; forgotten: number; entities: RiskTotal[] }[] }
export interface Definition { kind: string; name: string; origin: string; owner: string; description: string; updated: string | null; text?: string }

/* What is stopped now, and how much of the usual limits may pass again. */
export interface Stop {
  id: string; scope: string; target: string; share: string | number; next_share: string | number | null; finding: string | null; by: string | null; reason: string;
  since: string; changed: string; approvals: number; approvals_needed: number; approvers: string[];
}
export interface StopWish { scope: string; target?: string; reason: string }

/* Who did what (docs/format/audit.md). */
export interface AuditRow {
  id: number; time: string; actor: string; via: string; peer: string; action: string; object: string; detail: string; result: string; hash: string;
}
/* Events that retention must not drop. */
export interface Keep {
  name: string; stream: string; from: string; to: string; reason: string; added_by: string; added: string; in_force: boolean;
  end_wished?: { by: string; at: string; reason: string }; ended: string | null; ended_by?: string;
}
export interface Retention {
  segments: number; bytes: number; cold_segments: number; cold_bytes: number; dropped_segments: number; dropped_events: number; held_segments: number;
  held_bytes: number; short_bytes: number;
}
export interface KeepWish { name: string; stream?: string; from: string; to: string; reason: string }
export interface Health { status: "ok" | "degraded"; time: string; problems: string[] }

export interface Token {
  id: string; name: string; kind: "api" | "hec" | "gate"; role: Role | null; stream: string | null; expires: string | null;
  created?: string | null; last_used?: string | null;
}

let csrf = "";
let onSignedOut: () => void = () => {};
/* Called when a request that needs a session is answered 401. */
export function whenSignedOut(call: () => void): void { onSignedOut = call; }

async function failure(response: Response): Promise<ApiError> {
  let body: ErrorBody = { code: "http_" + response.status, message: `HTTP ${response.status}` };
  try {
    const json = await response.json();
    if (json?.error?.message) body = json.error;
  } catch { /* not JSON: the status has to do */ }
  return new ApiError(response.status, body);
}

/* The answer, when it is a good one. */
async function ask(method: string, path: string, data?: unknown, signal?: AbortSignal, more?: Record<string, string>): Promise<Response> {
  const headers: Record<string, string> = { ...more };
  if (method !== "GET") {
    headers["X-Hinomi-CSRF"] = csrf;
    headers["Content-Type"] = "application/json";
  }
  let response: Response;
  try {
    response = await fetch("/v1" + path, {
      method, headers, signal: signal ?? null, credentials: "same-origin", cache: "no-store",
      body: method === "GET" ? null : JSON.stringify(data ?? {}),
    });
  } catch (error) {
    if (signal?.aborted) throw error;
    throw new ApiError(0, { code: "unreachable", message: "" });
  }
  if (response.status === 401 && path !== "/login" && path !== "/session" && path !== "/setup") onSignedOut();
  if (!response.ok) throw await failure(response);
  return response;
}

async function call<T>(method: string, path: string, data?: unknown, signal?: AbortSignal, headers?: Record<string, string>): Promise<T> {
  const text = await (await ask(method, path, data, signal, headers)).text();
  return (text ? JSON.parse(text) : {}) as T;
}

async function session(method: string, path: string, data?: unknown): Promise<User> {
  const answer = await call<Session>(method, path, data);
  csrf = answer.csrf;
  return answer.user;
}

const part = encodeURIComponent;
const timeZone = () => Intl.DateTimeFormat().resolvedOptions().timeZone;

export const api = {
  status: () => call<Status>("GET", "/status"),
  setup: (code: string, name: string, password: string) => session("POST", "/setup", { code, name, password }),
  login: (name: string, password: string) => session("POST", "/login", { name, password }),
  session: () => session("GET", "/session"),
  logout: async () => { await call("POST", "/logout"); csrf = ""; },
  setLanguage: (language: Language) => call("PUT", "/session/language", { language }),
  overview: (signal?: AbortSignal) => call<Overview>("GET", "/overview", undefined, signal),

  startSearch: (query: string, from: string, to: string) => call<{ id: string }>("POST", "/search", { query, from, to, tz: timeZone() }),
  tail: async (query: string, signal: AbortSignal) => (await ask("GET", `/search/tail?q=${part(query)}&tz=${part(timeZone())}`, undefined, signal)).body!,
  searchPage: (id: string, offset: number, limit: number, signal?: AbortSignal) =>
    call<SearchPage>("GET", `/search/${part(id)}?offset=${offset}&limit=${limit}`, undefined, signal),
  forgetSearch: (id: string) => call("DELETE", `/search/${part(id)}`),
  exportUrl: (id: string, format: "csv" | "json") => `/v1/search/${part(id)}/export?format=${format}`,

  incidents: (states: string, limit: number) =>
    call<{ incidents: Incident[]; total: number }>("GET", `/incidents?state=${states}&limit=${limit}`),
  incident: (id: string) => call<IncidentDetail>("GET", `/incidents/${part(id)}`),
  askAgain: (id: string) => call("POST", `/incidents/${part(id)}/answers/refresh`),
  acknowledge: (id: string) => call("POST", `/incidents/${part(id)}/acknowledge`),
  close: (id: string, comment: string, verdict: string | undefined) => call("POST", `/incidents/${part(id)}/close`, { comment, verdict }),
  comment: (id: string, text: string, events: EventLink[]) => call("POST", `/incidents/${part(id)}/comments`, { text, events }),
  handOver: (id: string, owner: string, note: string) => call("POST", `/incidents/${part(id)}/owner`, { owner, note }),
  contained: (id: string, note: string) => call("POST", `/incidents/${part(id)}/contained`, { note }),
  reopen: (id: string, reason: string) => call<IncidentDetail>("POST", `/incidents/${part(id)}/reopen`, { reason }),
  merge: (id: string, from: string[], reason: string) => call("POST", `/incidents/${part(id)}/merge`, { from, reason }),
  split: (id: string, findings: string[], reason: string) => call<IncidentDetail>("POST", `/incidents/${part(id)}/split`, { findings, reason }),
  findings: (id: string, after: number, limit: number) =>
    call<{ findings: Finding[]; next: number | null; total: number }>("GET", `/incidents/${part(id)}/findings?after=${after}&limit=${limit}`),
  addTask: (id: string, task: { text: string; owner?: string; due?: string }) => call("POST", `/incidents/${part(id)}/tasks`, task),
  finishTask: (id: number) => call("POST", `/tasks/${id}/done`),
  attach: (id: string, file: { name: string; type: string; base64: string }) => call("POST", `/incidents/${part(id)}/attachments`, file),
  attachmentUrl: (id: number) => `/v1/attachments/${id}`,
  shares: (id: string) => call<{ shares: Share[] }>("GET", `/incidents/${part(id)}/shares`),
  share: (id: string, note: string, expires: string) => call<{ share: number; secret: string; path: string }>("POST", `/incidents/${part(id)}/shares`, { note, expires }),
  endShare: (id: number) => call("POST", `/shares/${id}/end`),
  handover: (from: string) => call<{ note: Both }>("GET", `/handover?from=${part(from)}`),

  exceptions: (all: boolean) => call<{ exceptions: Exception[] }>("GET", `/exceptions?all=${all ? 1 : 0}`),
  previewException: (wish: ExceptionWish, days: number) => call<ExceptionPreview>("POST", "/exceptions/preview", { ...wish, days }),
  addException: (wish: ExceptionWish) => call<Exception>("POST", "/exceptions", wish),
  endException: (id: number) => call<Exception>("POST", `/exceptions/${id}/end`),

  actions: (incident: string) => call<{ actions: Action[]; orders: Order[] }>("GET", `/actions?incident=${part(incident)}`),
  dryRun: (wish: ActionWish) => call<DryRun>("POST", "/actions", { ...wish, dry_run: true }),
  act: (wish: ActionWish, key: string) => call<Order>("POST", "/actions", wish, undefined, { "Idempotency-Key": key }),
  approveAction: (id: string) => call<Order>("POST", `/actions/${part(id)}/approve`),
  undoAction: (id: string) => call<Order>("POST", `/actions/${part(id)}/undo`),
  playbooks: (incident: string) => call<{ playbooks: Playbook[]; runs: PlaybookRun[] }>("GET", `/playbooks?incident=${part(incident)}`),
  runPlaybook: (name: string, incident: string) => call<PlaybookRun>("POST", `/playbooks/${part(name)}/run`, { incident }),
  answerStep: (run: string, step: number, answer: "done" | "skip" | "approve", text: string) =>
    call<PlaybookRun>("POST", `/playbook_runs/${part(run)}/step`, { step, answer, text }),
  stopRun: (run: string, undo: boolean) => call<PlaybookRun>("POST", `/playbook_runs/${part(run)}/stop`, { undo }),

  waking: (pages: number) => call<WakingNow>("GET", `/waking?pages=${pages}`),
  shifts: (days: number) => call<Schedule[]>("GET", `/waking/shifts?days=${days}`),
  contacts: (person: string) => call<Contact[]>("GET", `/waking/contacts/${part(person)}`),
  setContacts: (person: string, contacts: { notifier: string; address: string }[]) => call<Contact[]>("PUT", `/waking/contacts/${part(person)}`, { contacts }),
  wakeNow: (person: string) => call<{ incident: string }>("POST", `/waking/test/${part(person)}`),
  addStandIn: (wish: StandInWish) => call<WakingNow>("POST", "/waking/stand_ins", wish),
  endStandIn: (id: number) => call<WakingNow>("POST", `/waking/stand_ins/${id}/end`),
  drills: (limit: number) => call<Drills>("GET", `/waking/drills?limit=${limit}`),
  interruptions: (days: number) => call<Interruptions>("GET", `/waking/interruptions?days=${days}`),
  plan: () => call<WakingPlan>("GET", "/waking/plan"),
  setPlan: (text: string, check_only: boolean) => call<WakingPlan>("PUT", "/waking/plan", { text, check_only }),
  tightening: () => call<Tightening>("GET", "/gate/tightening"),
  loosen: (reason: string) => call<Tightening>("POST", "/gate/loosen", { reason }),

  rules: () => call<{ rules: Rule[] }>("GET", "/rules"),
  rule: (id: string) => call<RuleDetail>("GET", `/rules/${part(id)}`),
  inputs: () => call<{ sources: Source[] }>("GET", "/sources?limit=0"),
  senders: () => call<{ senders: Sender[]; senders_total: number; searches_unclear: number }>("GET", "/sources"),
  readers: (query: Record<string, string>) => call<Readers>("GET", `/sources/readers?${new URLSearchParams(query)}`),
  understood: (from: string) => call<{ complete: boolean; sources: Share[]; more_sources: number }>("GET", `/understood?from=${part(from)}`),
  notUnderstood: (query: UnknownQuery) =>
    call<{ complete: boolean; events: number; templates_found: number; templates: UnknownTemplate[] }>("GET", `/not_understood?${new URLSearchParams({ ...query })}`),
  decisions: (limit: number) => call<{ decisions: Decision[] }>("GET", `/gate/decisions?limit=${limit}`),
  holds: () => call<{ holds: Hold[] }>("GET", "/gate/holds"),
  release: (id: string) => call<{ released: boolean }>("POST", `/gate/holds/${part(id)}/release`),

  dashboards: () => call<{ dashboards: DashboardHead[] }>("GET", "/dashboards"),
  dashboard: (name: string) => call<Dashboard>("GET", `/dashboards/${part(name)}`),
  definitions: (kind: string) => call<{ definitions: Definition[] }>("GET", `/knowledge?kind=${part(kind)}`),
  definition: (kind: string, name: string) => call<Definition>("GET", `/knowledge/${part(kind)}?name=${part(name)}`),
  define: (kind: string, text: string, shared: boolean) => call<{ name: string }>("PUT", `/knowledge/${part(kind)}`, { text, shared }),
  undefine: (kind: string, name: string, shared: boolean) => call("DELETE", `/knowledge/${part(kind)}?name=${part(name)}&shared=${shared ? 1 : 0}`),

  entityRisk: (type: string, value: string) => call<Risks>("GET", `/entities/risk?type=${part(type)}&value=${part(value)}`),

  hold: (id: string) => call<HoldDetail>("GET", `/gate/holds/${part(id)}`),
  holdUrl: (id: string) => `/v1/gate/holds/${part(id)}`,
  support: (id: string) => call<Support>("GET", `/gate/holds/${part(id)}/support`),
  approveSigned: (id: string, approval: SignedApproval) => call<{ released: boolean }>("POST", `/gate/holds/${part(id)}/approve`, approval),
  gate: () => call<GateNow>("GET", "/gate"),
  policy: () => call<Policy>("GET", "/gate/policy"),
  reloadPolicy: () => call<GateNow>("POST", "/gate/policy/reload"),
  explain: (request: GateRequest) => call<Explained>("POST", "/gate/explain", request),
  whatifs: () => call<{ whatifs: Whatif[] }>("GET", "/gate/whatif"),
  whatif: (id: string) => call<Whatif>("GET", `/gate/whatif/${part(id)}`),
  startWhatif: (wish: WhatifWish) => call<{ id: string }>("POST", "/gate/whatif", wish),
  endWhatif: (id: string) => call("DELETE", `/gate/whatif/${part(id)}`),

  stopUrl: (id: string) => `/v1/gate/stops/${part(id)}`,
  approveStop: (id: string, approval: SignedApproval) => call<Stop>("POST", `/gate/stops/${part(id)}/approve`, approval),
  reopenStop: (id: string, share: number) => call<Stop>("POST", `/gate/stops/${part(id)}/reopen`, { share }),
  stops: () => call<{ stops: Stop[] }>("GET", "/gate/stops"),
  stop: (wish: StopWish) => call<Stop>("POST", "/gate/stops", wish),

  tokens: () => call<{ tokens: Token[] }>("GET", "/tokens"),
  makeToken: (token: { name: string; kind: string; role: string | null; stream: string | null; expires: string | null }) =>
    call<{ id: string; token: string }>("POST", "/tokens", token),
  revokeToken: (id: string) => call("DELETE", `/tokens/${part(id)}`),
  users: () => call<{ users: User[] }>("GET", "/users"),
  audit: (query: Record<string, string>) => call<{ rows: AuditRow[] }>("GET", `/audit?${new URLSearchParams(query)}`),
  keeps: (all: boolean) => call<{ keeps: Keep[]; retention: Retention }>("GET", `/keeps?all=${all ? 1 : 0}`),
  addKeep: (wish: KeepWish) => call<Keep>("POST", "/keeps", wish),
  endKeep: (name: string, reason: string) => call<{ name: string; ended: boolean }>("POST", `/keeps/${part(name)}/end`, { reason }),
  /* Being degraded is answered with 503, which is an answer, too. */
  health: async () => {
    const answer = await fetch("/v1/health", { credentials: "same-origin", cache: "no-store" }).catch(() => { throw new ApiError(0, { code: "unreachable", message: "" }); });
    if (!answer.ok && answer.status !== 503) throw await failure(answer);
    return await answer.json() as Health;
  },
  makeUser: (name: string, password: string, role: string) => call("POST", "/users", { name, password, role }),
};
