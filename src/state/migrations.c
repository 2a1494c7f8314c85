#include "state/migrations.h"

/* Rows of a closed incident are neither added, changed, taken away nor moved to it. */
#define CLOSED(row) "(SELECT state FROM incidents WHERE id=" row ".incident)='closed' BEGIN SELECT RAISE(ABORT,'a closed incident does not change'); END;"
#define STAYS(table) \
    "CREATE TRIGGER " #table "_closed_1 BEFORE INSERT ON " #table " WHEN " CLOSED("NEW") \
    "CREATE TRIGGER " #table "_closed_2 BEFORE UPDATE ON " #table " WHEN " CLOSED("OLD") \
    "CREATE TRIGGER " #table "_closed_3 BEFORE UPDATE ON " #table " WHEN " CLOSED("NEW") \
    "CREATE TRIGGER " #table "_closed_4 BEFORE DELETE ON " #table " WHEN " CLOSED("OLD")

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
    /* 9: attacks (docs/incidents.md). Findings are kept without an incident too, with what kept them quiet, and values
     * that link incidents have a name under which they meet. */
    ("DROP TRIGGER incidents_closed;"
     "ALTER TABLE incidents ADD COLUMN raw_severity INTEGER NOT NULL DEFAULT 0;"
     "ALTER TABLE incidents ADD COLUMN criticality INTEGER NOT NULL DEFAULT 0;"
     "ALTER TABLE incidents ADD COLUMN entities_left INTEGER NOT NULL DEFAULT 0;"
     "ALTER TABLE incidents ADD COLUMN acknowledged_ns INTEGER;"
     "ALTER TABLE incidents ADD COLUMN contained_ns INTEGER;"
     "ALTER TABLE incidents ADD COLUMN contained_by TEXT;"
     "ALTER TABLE incidents ADD COLUMN closed_ns INTEGER;"
     "ALTER TABLE incidents ADD COLUMN verdict TEXT;"
     "UPDATE incidents SET raw_severity=severity;"
     "UPDATE incidents SET closed_ns=updated_ns WHERE state='closed';"
     "CREATE TRIGGER incidents_closed BEFORE UPDATE ON incidents WHEN OLD.state='closed'"
     "  BEGIN SELECT RAISE(ABORT,'a closed incident does not change'); END;"
     "CREATE TRIGGER incidents_delete BEFORE DELETE ON incidents"
     "  BEGIN SELECT RAISE(ABORT,'incidents are kept'); END;"
     "ALTER TABLE incident_entities ADD COLUMN link TEXT;"
     "ALTER TABLE incident_entities ADD COLUMN glue INTEGER NOT NULL DEFAULT 0;"
     "UPDATE incident_entities SET link=CASE type WHEN 'wallet' THEN 'address' ELSE type END"
     "  ||':'||CASE WHEN type IN ('user','host','ip','domain','hash') THEN lower(value) ELSE value END"
     "  WHERE type NOT IN ('asset','file','rule','source','country','service') AND length(value)<=200;"
     "UPDATE incident_entities SET glue=1 WHERE link IS NOT NULL AND"
     "  (SELECT state FROM incidents WHERE id=incident)!='closed';"
     "CREATE INDEX incident_entities_link ON incident_entities(link,glue,incident) WHERE link IS NOT NULL;"
     "CREATE TABLE findings_9("
     "  number INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, incident INTEGER REFERENCES incidents(id),"
     "  line TEXT NOT NULL, rule TEXT NOT NULL, severity INTEGER NOT NULL, event_ns INTEGER NOT NULL,"
     "  filed_ns INTEGER NOT NULL, exception INTEGER, mute INTEGER, bytes BLOB NOT NULL);"
     "INSERT INTO findings_9(id,incident,line,rule,severity,event_ns,filed_ns,bytes)"
     "  SELECT id,incident,'',rule,0,event_ns,event_ns,bytes FROM findings ORDER BY event_ns;"
     "DROP TABLE findings;"
     "ALTER TABLE findings_9 RENAME TO findings;"
     "CREATE INDEX findings_incident ON findings(incident,number) WHERE incident IS NOT NULL;"
     "CREATE INDEX findings_loose ON findings(number) WHERE incident IS NULL;"
     "CREATE INDEX findings_exception ON findings(exception,number) WHERE exception IS NOT NULL;"),
    /* 10: looking for findings without an incident, and how many were too old to be kept */
    ("CREATE TABLE finding_links("
     "  link TEXT NOT NULL, finding INTEGER NOT NULL REFERENCES findings(number) ON DELETE CASCADE,"
     "  event_ns INTEGER NOT NULL, PRIMARY KEY(link,finding)) WITHOUT ROWID;"
     "CREATE INDEX finding_links_finding ON finding_links(finding);"
     "CREATE TABLE finding_stock(dropped INTEGER NOT NULL, from_ns INTEGER NOT NULL);"
     "INSERT INTO finding_stock SELECT 0,coalesce((SELECT 1000000000*CAST(strftime('%s','now') AS INTEGER)"
     "  WHERE EXISTS(SELECT 1 FROM findings)),0);"),
    /* 11: a line for all repeats of a rule and group; which values are met everywhere; what became of incidents */
    ("CREATE TABLE incident_lines("
     "  incident INTEGER NOT NULL REFERENCES incidents(id), line TEXT NOT NULL, rule TEXT NOT NULL,"
     "  severity INTEGER NOT NULL, count INTEGER NOT NULL, first_ns INTEGER NOT NULL, last_ns INTEGER NOT NULL,"
     "  shown INTEGER NOT NULL, PRIMARY KEY(incident,line)) WITHOUT ROWID;"
     "INSERT INTO incident_lines SELECT incident,'rule:'||rule,rule,coalesce(severity,0),count,last_ns,last_ns,0"
     "  FROM timeline_more;"
     "DROP TABLE timeline_more;"
     "CREATE TABLE link_days("
     "  link TEXT NOT NULL, day INTEGER NOT NULL, partner INTEGER NOT NULL,"
     "  PRIMARY KEY(link,day,partner)) WITHOUT ROWID;"
     "CREATE INDEX link_days_day ON link_days(day);"
     "CREATE TABLE incident_relations("
     "  incident INTEGER NOT NULL REFERENCES incidents(id), other INTEGER NOT NULL REFERENCES incidents(id),"
     "  kind TEXT NOT NULL, link TEXT NOT NULL, PRIMARY KEY(incident,other,kind,link)) WITHOUT ROWID;"),
    /* 12: the chain of an incident. The gate's entries are receipts as well: of a hold that the timeline shows */
    ("INSERT INTO settings SELECT 'timeline_unchained',coalesce(max(id),0) FROM timeline;"
     "ALTER TABLE timeline ADD COLUMN line TEXT;"
     "ALTER TABLE timeline ADD COLUMN detail TEXT;"
     "ALTER TABLE timeline ADD COLUMN number INTEGER;"
     "ALTER TABLE timeline ADD COLUMN hash TEXT;"
     "CREATE UNIQUE INDEX timeline_number ON timeline(incident,number) WHERE number IS NOT NULL;"
     "CREATE TABLE incident_chain("
     "  incident INTEGER PRIMARY KEY REFERENCES incidents(id), entries INTEGER NOT NULL, hash TEXT NOT NULL);"
     "CREATE TRIGGER timeline_closed BEFORE INSERT ON timeline WHEN NEW.kind NOT IN ('notification','gate') AND"
     "  (SELECT state FROM incidents WHERE id=NEW.incident)='closed'"
     "  BEGIN SELECT RAISE(ABORT,'a closed incident does not change'); END;"),
    /* 13: what people work with */
    ("CREATE TABLE tasks("
     "  id INTEGER PRIMARY KEY AUTOINCREMENT, incident INTEGER NOT NULL REFERENCES incidents(id), text TEXT NOT NULL,"
     "  owner TEXT, due_ns INTEGER, added_by TEXT NOT NULL, added_ns INTEGER NOT NULL, done_by TEXT, done_ns INTEGER);"
     "CREATE INDEX tasks_incident ON tasks(incident);"
     "CREATE TABLE attachments("
     "  id INTEGER PRIMARY KEY AUTOINCREMENT, incident INTEGER NOT NULL REFERENCES incidents(id), name TEXT NOT NULL,"
     "  type TEXT NOT NULL, size INTEGER NOT NULL, sha256 TEXT NOT NULL, added_by TEXT NOT NULL,"
     "  added_ns INTEGER NOT NULL, bytes BLOB NOT NULL);"
     "CREATE INDEX attachments_incident ON attachments(incident);"
     "CREATE TRIGGER attachments_update BEFORE UPDATE ON attachments"
     "  BEGIN SELECT RAISE(ABORT,'evidence is only added to'); END;"
     "CREATE TRIGGER attachments_delete BEFORE DELETE ON attachments"
     "  BEGIN SELECT RAISE(ABORT,'evidence is only added to'); END;"
     "CREATE TABLE event_comments("
     "  id INTEGER PRIMARY KEY AUTOINCREMENT, event TEXT NOT NULL, seq INTEGER, event_ns INTEGER,"
     "  incident INTEGER REFERENCES incidents(id), written_by TEXT NOT NULL, written_ns INTEGER NOT NULL,"
     "  text TEXT NOT NULL);"
     "CREATE INDEX event_comments_event ON event_comments(event);"
     "CREATE TRIGGER event_comments_update BEFORE UPDATE ON event_comments"
     "  BEGIN SELECT RAISE(ABORT,'comments are only added to'); END;"
     "CREATE TRIGGER event_comments_delete BEFORE DELETE ON event_comments"
     "  BEGIN SELECT RAISE(ABORT,'comments are only added to'); END;"),
    /* 14: what people keep quiet */
    ("CREATE TABLE exceptions("
     "  id INTEGER PRIMARY KEY AUTOINCREMENT, kind TEXT NOT NULL, rule TEXT, reason TEXT NOT NULL, owner TEXT NOT NULL,"
     "  added_by TEXT NOT NULL, added_ns INTEGER NOT NULL, expires_ns INTEGER NOT NULL, ended_ns INTEGER, ended_by TEXT,"
     "  finding TEXT, count INTEGER NOT NULL DEFAULT 0, last_ns INTEGER);"
     "CREATE TABLE exception_terms("
     "  exception INTEGER NOT NULL REFERENCES exceptions(id), field INTEGER NOT NULL, name TEXT NOT NULL,"
     "  value TEXT NOT NULL, PRIMARY KEY(exception,field,name,value)) WITHOUT ROWID;"),
    /* 15: a closed incident stays as it is in every table */
    (STAYS(incident_entities) STAYS(incident_lines) STAYS(findings)),
    (STAYS(tasks) STAYS(attachments)),
    /* 17: links for somebody outside, of which only a hash is kept; the salt makes the names that they show */
    "CREATE TABLE incident_shares("
    "  id INTEGER PRIMARY KEY AUTOINCREMENT, incident INTEGER NOT NULL REFERENCES incidents(id), hash TEXT NOT NULL UNIQUE,"
    "  salt TEXT NOT NULL, note TEXT NOT NULL, added_by TEXT NOT NULL, added_ns INTEGER NOT NULL, expires_ns INTEGER NOT NULL,"
    "  ended_ns INTEGER, ended_by TEXT, views INTEGER NOT NULL DEFAULT 0, last_ns INTEGER);",
};

const size_t state_schema_count = sizeof(state_schema) / sizeof(state_schema[0]);
