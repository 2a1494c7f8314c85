#include "state/migrations.h"

const char *const state_schema[] = {
    /* 1: people and programs. Times are ns since 1970. */
    "CREATE TABLE users("
    "  id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, password TEXT NOT NULL,"
    "  role TEXT NOT NULL, language TEXT, created_ns INTEGER NOT NULL,"
    "  failures INTEGER NOT NULL DEFAULT 0, locked_until_ns INTEGER NOT NULL DEFAULT 0);"
    "CREATE TABLE sessions("
    "  hash TEXT PRIMARY KEY, user INTEGER NOT NULL REFERENCES users(id) ON DELETE CASCADE,"
    "  csrf TEXT NOT NULL, created_ns INTEGER NOT NULL, used_ns INTEGER NOT NULL);"
    "CREATE TABLE tokens("
    "  id TEXT PRIMARY KEY, hash TEXT NOT NULL, name TEXT NOT NULL, kind TEXT NOT NULL,"
    "  role TEXT, stream TEXT, dataset TEXT, expires_ns INTEGER, created_ns INTEGER NOT NULL,"
    "  used_ns INTEGER, revoked INTEGER NOT NULL DEFAULT 0);"
    "CREATE TABLE settings(name TEXT PRIMARY KEY, value TEXT NOT NULL);",
    /* 2: incidents. What happened is only ever added to, and a closed incident stays as it is: the
     * triggers hold this against our own mistakes. */
    "CREATE TABLE incidents("
    "  id INTEGER PRIMARY KEY AUTOINCREMENT, severity INTEGER NOT NULL, state TEXT NOT NULL,"
    "  owner TEXT, opened_ns INTEGER NOT NULL, updated_ns INTEGER NOT NULL,"
    "  first_event_ns INTEGER NOT NULL, last_event_ns INTEGER NOT NULL,"
    "  title_en TEXT, title_ja TEXT, explanation_en TEXT, explanation_ja TEXT,"
    "  why_en TEXT, why_ja TEXT, check_en TEXT, check_ja TEXT, do_en TEXT, do_ja TEXT,"
    "  finding_count INTEGER NOT NULL DEFAULT 0);"
    "CREATE INDEX incidents_state ON incidents(state);"
    "CREATE TRIGGER incidents_closed BEFORE UPDATE ON incidents WHEN OLD.state='closed'"
    "  BEGIN SELECT RAISE(ABORT,'a closed incident does not change'); END;"
    "CREATE TABLE incident_entities("
    "  incident INTEGER NOT NULL REFERENCES incidents(id), type TEXT NOT NULL, value TEXT NOT NULL,"
    "  PRIMARY KEY(incident,type,value)) WITHOUT ROWID;"
    "CREATE INDEX incident_entities_value ON incident_entities(type,value);"
    "CREATE TABLE findings("
    "  id TEXT PRIMARY KEY, incident INTEGER NOT NULL REFERENCES incidents(id),"
    "  rule TEXT NOT NULL, event_ns INTEGER NOT NULL, bytes BLOB NOT NULL) WITHOUT ROWID;"
    "CREATE INDEX findings_incident ON findings(incident);"
    "CREATE TABLE timeline("
    "  id INTEGER PRIMARY KEY AUTOINCREMENT, incident INTEGER NOT NULL REFERENCES incidents(id),"
    "  time_ns INTEGER NOT NULL, kind TEXT NOT NULL, text_en TEXT, text_ja TEXT, rule TEXT,"
    "  severity INTEGER, evidence TEXT, user TEXT);"
    "CREATE INDEX timeline_incident ON timeline(incident,kind);"
    "CREATE TRIGGER timeline_update BEFORE UPDATE ON timeline"
    "  BEGIN SELECT RAISE(ABORT,'a timeline is only added to'); END;"
    "CREATE TRIGGER timeline_delete BEFORE DELETE ON timeline"
    "  BEGIN SELECT RAISE(ABORT,'a timeline is only added to'); END;"
    /* Findings beyond what the timeline shows one by one. */
    "CREATE TABLE timeline_more("
    "  incident INTEGER NOT NULL REFERENCES incidents(id), rule TEXT NOT NULL, severity INTEGER,"
    "  count INTEGER NOT NULL, last_ns INTEGER NOT NULL, PRIMARY KEY(incident,rule)) WITHOUT ROWID;"
    "CREATE TABLE outbox("
    "  id INTEGER PRIMARY KEY AUTOINCREMENT, incident INTEGER NOT NULL REFERENCES incidents(id),"
    "  notifier TEXT NOT NULL, event TEXT NOT NULL, payload TEXT NOT NULL, key TEXT NOT NULL UNIQUE,"
    "  created_ns INTEGER NOT NULL, attempts INTEGER NOT NULL DEFAULT 0,"
    "  refusals INTEGER NOT NULL DEFAULT 0, next_ns INTEGER NOT NULL,"
    "  done_ns INTEGER, failed INTEGER NOT NULL DEFAULT 0, last_error TEXT);"
    "CREATE INDEX outbox_pending ON outbox(notifier,incident,id) WHERE done_ns IS NULL;"
    "CREATE INDEX outbox_failed ON outbox(failed) WHERE failed=1;",
    /* 3: people who may no longer sign in, networks a token may be used from, and who did what: a
     * chain of hashes (state/audit_chain.h) that is only added to. */
    "ALTER TABLE users ADD COLUMN disabled INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE tokens ADD COLUMN networks TEXT;"
    "CREATE TABLE audit("
    "  id INTEGER PRIMARY KEY, time_ns INTEGER NOT NULL, actor TEXT NOT NULL, via TEXT NOT NULL,"
    "  peer TEXT NOT NULL, action TEXT NOT NULL, object TEXT NOT NULL, detail TEXT NOT NULL,"
    "  result TEXT NOT NULL, hash TEXT NOT NULL);"
    "CREATE TRIGGER audit_update BEFORE UPDATE ON audit"
    "  BEGIN SELECT RAISE(ABORT,'the audit trail is only added to'); END;"
    "CREATE TRIGGER audit_delete BEFORE DELETE ON audit"
    "  BEGIN SELECT RAISE(ABORT,'the audit trail is only added to'); END;",
    /* 4: what follows a hold of the gate finds the incidents that show it. */
    "CREATE INDEX timeline_gate ON timeline(evidence) WHERE kind='gate';",
    /* 5: spans of events that retention leaves alone (state/keeps.h). Ended ones stay, to be seen. */
    "CREATE TABLE keeps("
    "  id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL, stream TEXT NOT NULL,"
    "  from_ns INTEGER NOT NULL, to_ns INTEGER NOT NULL, reason TEXT NOT NULL,"
    "  added_by TEXT NOT NULL, added_ns INTEGER NOT NULL, in_force_ns INTEGER,"
    "  wished_by TEXT, wished_ns INTEGER, wish_reason TEXT, ended_by TEXT, ended_ns INTEGER);"
    "CREATE UNIQUE INDEX keeps_name ON keeps(name) WHERE ended_ns IS NULL;",
    /* 6: definitions for the search language that people make (state/knowledge.h). */
    "CREATE TABLE knowledge("
    "  id INTEGER PRIMARY KEY AUTOINCREMENT, kind TEXT NOT NULL, name TEXT NOT NULL,"
    "  owner TEXT NOT NULL, shared INTEGER NOT NULL, text TEXT NOT NULL, updated_ns INTEGER NOT NULL);"
    "CREATE UNIQUE INDEX knowledge_shared ON knowledge(kind,name) WHERE shared=1;"
    "CREATE UNIQUE INDEX knowledge_own ON knowledge(kind,name,owner) WHERE shared=0;",
    /* 7: searches that run by themselves (state/schedules.h). Every due time up to until_ns is accounted
     * for by one of the counts; a run stands once for its due time. */
    "CREATE TABLE schedules("
    "  id INTEGER PRIMARY KEY AUTOINCREMENT, search TEXT NOT NULL, scope TEXT NOT NULL,"
    "  plan TEXT NOT NULL, owner TEXT NOT NULL, state TEXT NOT NULL, reason TEXT NOT NULL,"
    "  until_ns INTEGER NOT NULL, changed_ns INTEGER NOT NULL, wanted_ns INTEGER, wanted_by TEXT,"
    "  ran INTEGER NOT NULL DEFAULT 0, late INTEGER NOT NULL DEFAULT 0,"
    "  incomplete INTEGER NOT NULL DEFAULT 0, failed INTEGER NOT NULL DEFAULT 0,"
    "  missed INTEGER NOT NULL DEFAULT 0, by_hand INTEGER NOT NULL DEFAULT 0,"
    "  findings INTEGER NOT NULL DEFAULT 0, suppressed INTEGER NOT NULL DEFAULT 0);"
    "CREATE UNIQUE INDEX schedules_name ON schedules(search,scope);"
    "CREATE TABLE schedule_runs("
    "  schedule INTEGER NOT NULL REFERENCES schedules(id), due_ns INTEGER NOT NULL,"
    "  last_due_ns INTEGER NOT NULL, due_count INTEGER NOT NULL, outcome TEXT NOT NULL,"
    "  by_hand TEXT, started_ns INTEGER, ended_ns INTEGER, row_count INTEGER NOT NULL,"
    "  findings INTEGER NOT NULL, suppressed INTEGER NOT NULL, message TEXT NOT NULL,"
    "  PRIMARY KEY(schedule,due_ns)) WITHOUT ROWID;"
    "CREATE TABLE schedule_quiet("
    "  schedule INTEGER NOT NULL REFERENCES schedules(id), key BLOB NOT NULL, until_ns INTEGER NOT NULL,"
    "  PRIMARY KEY(schedule,key)) WITHOUT ROWID;",
    /* what programs deliver: the zone of their stamps, and how much */
    ("ALTER TABLE tokens ADD COLUMN zone TEXT;"
     "ALTER TABLE tokens ADD COLUMN events_per_second INTEGER NOT NULL DEFAULT 0;"), /* one step: clang asks for the brackets */
    /* what was asked to be done, by whom, and each thing that was done (src/respond/act/) */
    "CREATE TABLE action_orders("
    "  id INTEGER PRIMARY KEY AUTOINCREMENT, key TEXT UNIQUE, digest TEXT NOT NULL, action TEXT NOT NULL,"
    "  incident INTEGER REFERENCES incidents(id), asked_by TEXT NOT NULL, reason TEXT NOT NULL,"
    "  asked_ns INTEGER NOT NULL, lasts_ns INTEGER NOT NULL, state TEXT NOT NULL, approvals_needed INTEGER NOT NULL,"
    "  asked INTEGER NOT NULL, over_cap INTEGER NOT NULL, already INTEGER NOT NULL, told TEXT NOT NULL DEFAULT '');"
    "CREATE INDEX action_orders_waiting ON action_orders(action,asked_ns) WHERE state='waiting';"
    "CREATE TABLE action_approvals("
    "  order_id INTEGER NOT NULL REFERENCES action_orders(id), person TEXT NOT NULL, time_ns INTEGER NOT NULL,"
    "  PRIMARY KEY(order_id,person)) WITHOUT ROWID;"
    "CREATE TABLE action_deeds("
    "  id INTEGER PRIMARY KEY AUTOINCREMENT, order_id INTEGER NOT NULL REFERENCES action_orders(id),"
    "  number INTEGER NOT NULL, action TEXT NOT NULL, type TEXT NOT NULL, value TEXT NOT NULL, state TEXT NOT NULL,"
    "  key TEXT NOT NULL UNIQUE, asked_ns INTEGER NOT NULL, from_ns INTEGER NOT NULL, next_ns INTEGER NOT NULL,"
    "  begun_ns INTEGER, done_ns INTEGER, expires_ns INTEGER, undone_ns INTEGER,"
    "  attempts INTEGER NOT NULL DEFAULT 0, refusals INTEGER NOT NULL DEFAULT 0,"
    "  undo_attempts INTEGER NOT NULL DEFAULT 0, unsure INTEGER NOT NULL DEFAULT 0,"
    "  failed INTEGER NOT NULL DEFAULT 0, undo_by TEXT, why TEXT);"
    "CREATE INDEX action_deeds_order ON action_deeds(order_id);"
    "CREATE INDEX action_deeds_work ON action_deeds(action,state,next_ns);"
    "CREATE INDEX action_deeds_entity ON action_deeds(action,type,value);"
    "CREATE INDEX action_deeds_hour ON action_deeds(action,asked_ns);",
    /* playbooks that people go through (src/respond/act/playbook.h) */
    "CREATE TABLE playbook_runs("
    "  id INTEGER PRIMARY KEY AUTOINCREMENT, playbook TEXT NOT NULL, title_en TEXT NOT NULL, title_ja TEXT NOT NULL,"
    "  incident INTEGER NOT NULL REFERENCES incidents(id), started_by TEXT NOT NULL, via TEXT NOT NULL,"
    "  started_ns INTEGER NOT NULL, changed_ns INTEGER NOT NULL, step INTEGER NOT NULL, state TEXT NOT NULL);"
    "CREATE INDEX playbook_runs_incident ON playbook_runs(incident);"
    "CREATE INDEX playbook_runs_state ON playbook_runs(state) WHERE state='running';"
    "CREATE TABLE playbook_steps("
    "  run INTEGER NOT NULL REFERENCES playbook_runs(id), number INTEGER NOT NULL, kind TEXT NOT NULL,"
    "  action TEXT NOT NULL, en TEXT NOT NULL, ja TEXT NOT NULL, people INTEGER NOT NULL, role TEXT NOT NULL,"
    "  state TEXT NOT NULL, order_id INTEGER REFERENCES action_orders(id), person TEXT, text TEXT, ended_ns INTEGER,"
    "  PRIMARY KEY(run,number)) WITHOUT ROWID;"
    "CREATE TABLE playbook_approvals("
    "  run INTEGER NOT NULL REFERENCES playbook_runs(id), number INTEGER NOT NULL, person TEXT NOT NULL,"
    "  time_ns INTEGER NOT NULL, PRIMARY KEY(run,number,person)) WITHOUT ROWID;",
};

const size_t state_schema_count = sizeof(state_schema) / sizeof(state_schema[0]);
