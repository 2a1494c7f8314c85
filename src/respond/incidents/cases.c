#include "respond/incidents/cases.h"

#include "base/json.h"
#include "base/limits.h"
#include "base/utf8.h"
#include "respond/incidents/gather.h"
#include "respond/incidents/incident_chain.h"
#include "respond/inside.h"

#include <sodium.h>

enum { NAME_BYTES_MAX = 255 };

static struct database *database_of(const struct deed *deed)
{
    return deed->respond->config.database;
}

/* An entry with a JSON object for programs; detail's buffer is closed here. */
static int detailed_entry(struct deed *deed, const char *kind, struct slice en, struct slice ja, struct slice evidence,
                          struct buffer *detail, struct err *err)
{
    const struct timeline_entry entry = {.time_ns = deed->now, .kind = kind, .en = en, .ja = ja, .user = deed->user,
                                         .evidence = evidence, .detail = buffer_slice(detail)};
    int result = buffer_failed(detail) || !en.ptr || !ja.ptr ? err_nomem(err)
                                                             : incident_add_entry(database_of(deed), deed->id, &entry, err);
    buffer_close(detail);
    return result;
}

static void begin_detail(struct buffer *detail, struct json *json)
{
    buffer_init(detail, MIB);
    json_init(json, detail);
    json_open(json, '{');
}

static int set_columns(const struct deed *deed, const char *sql, struct slice text, struct err *err)
{
    struct query *query;
    if (query_begin(database_of(deed), sql, &query, err) < 0)
        return -1;
    query_i64(query, 1, deed->id);
    query_i64(query, 2, deed->now);
    query_text(query, 3, text);
    return query_run(query, err);
}

static void changed(struct deed *deed)
{
    gather_changed(&deed->changed, deed->id);
}

/* ---- comments ---- */

struct comment {
    struct slice text;
    const struct event_link *events;
    size_t event_count;
};

static int insert_event_comment(struct database *database, const struct event_link *event, int64_t incident, struct slice user,
                                int64_t now, struct slice text, struct err *err)
{
    struct query *query;
    if (query_begin(database, "INSERT INTO event_comments(event,seq,event_ns,incident,written_by,written_ns,text)"
                    " VALUES(?1,?2,?3,?4,?5,?6,?7)", &query, err) < 0)
        return -1;
    query_text(query, 1, event->id);
    query_i64(query, 2, event->seq);
    query_i64(query, 3, event->time_ns);
    if (incident)
        query_i64(query, 4, incident);
    query_text(query, 5, user);
    query_i64(query, 6, now);
    query_text(query, 7, text);
    return query_run(query, err);
}

static void put_event(struct json *json, const struct event_link *event)
{
    json_open(json, '{');
    json_put_text(json, "id", event->id);
    if (event->seq) {
        json_key(json, "seq");
        json_i64(json, event->seq);
    }
    if (event->time_ns)
        json_put_time(json, "time", event->time_ns);
    json_close(json, '}');
}

static int events_check(const struct event_link *events, size_t count, struct err *err)
{
    if (count > COMMENT_EVENTS_MAX)
        return err_set(err, ERR_CONFIG, "a comment links to at most %d events", COMMENT_EVENTS_MAX);
    for (size_t i = 0; i < count; i++)
        if (!events[i].id.len || events[i].id.len > RESPOND_TEXT_MAX)
            return err_set(err, ERR_CONFIG, "each of the events has an id, the event.id of the row");
    return 0;
}

static int add_comment(struct deed *deed, const struct comment *comment, struct err *err)
{
    struct buffer detail, ids;
    struct json json, list;
    begin_detail(&detail, &json);
    json_key(&json, "events");
    json_open(&json, '[');
    buffer_init(&ids, MIB);
    json_init(&list, &ids);
    json_open(&list, '[');
    int result = 0;
    for (size_t i = 0; i < comment->event_count && result == 0; i++) {
        put_event(&json, &comment->events[i]);
        json_text(&list, comment->events[i].id);
        result = insert_event_comment(database_of(deed), &comment->events[i], deed->id, deed->user, deed->now, comment->text, err);
    }
    json_close(&json, ']');
    json_close(&json, '}');
    json_close(&list, ']');
    if (result < 0 || buffer_failed(&ids)) {
        buffer_close(&detail);
        result = result < 0 ? -1 : err_nomem(err);
    } else {
        result = detailed_entry(deed, "comment", comment->text, comment->text, buffer_slice(&ids), &detail, err);
    }
    buffer_close(&ids);
    return result;
}

static int do_comment(struct deed *deed, struct err *err)
{
    return add_comment(deed, deed->what, err);
}

int respond_comment(struct respond *respond, struct slice id, struct slice user, struct slice text,
                    const struct event_link *events, size_t event_count, struct err *err)
{
    const struct comment comment = {text, events, event_count};
    if (text_check(text, "a comment", err) < 0 || events_check(events, event_count, err) < 0)
        return -1;
    return deed_do(respond, id, user, &comment, do_comment, err);
}

int respond_comment_event(struct respond *respond, const struct event_link *event, struct slice user, struct slice text,
                          struct err *err)
{
    if (text_check(text, "a comment", err) < 0 || events_check(event, 1, err) < 0)
        return -1;
    return insert_event_comment(respond->config.database, event, 0, user, clock_wall_ns(respond->config.clock), text, err);
}

/* ---- closing ---- */

struct closing {
    struct comment comment;
    struct slice verdict;
};

static int verdict_check(struct slice verdict, struct err *err)
{
    static const char *const words[] = {"true_positive", "false_positive", "benign", "duplicate", "drill"};
    for (size_t i = 0; i < ARRAY_COUNT(words); i++)
        if (!verdict.len || slice_is(verdict, words[i]))
            return 0;
    return err_set(err, ERR_CONFIG, "\"%.*s\" is no verdict; they are true_positive, false_positive, benign, duplicate and drill",
                   SLICE_ARG(verdict));
}

/* The last entry seals what the incident holds: how many findings, and a digest over them. */
static int seal(struct deed *deed, const struct closing *closing, struct err *err)
{
    struct buffer detail;
    struct json json;
    char digest[AUDIT_HASH_SIZE];
    int64_t findings, tasks;
    if (incident_findings_digest(database_of(deed), deed->id, &findings, digest, err) < 0 ||
        incident_number(database_of(deed), "SELECT count(*) FROM tasks WHERE incident=?1 AND done_ns IS NULL", deed->id, &tasks, err) < 0)
        return -1;
    begin_detail(&detail, &json);
    json_put_i64(&json, "findings", findings);
    json_put_text(&json, "digest", slice_text(digest));
    json_put_i64(&json, "tasks_not_done", tasks);
    json_put_text_or_null(&json, "verdict", closing->verdict);
    json_close(&json, '}');
    bool said = closing->verdict.len > 0;
    return detailed_entry(deed, "state",
                          arena_printf(deed->arena, "Closed by %.*s%s%.*s", SLICE_ARG(deed->user), said ? ": " : "",
                                       SLICE_ARG(said ? closing->verdict : SLICE(""))),
                          arena_printf(deed->arena, "%.*s が終了しました%s%.*s", SLICE_ARG(deed->user), said ? ": " : "",
                                       SLICE_ARG(said ? closing->verdict : SLICE(""))),
                          SLICE_NONE, &detail, err);
}

static int do_close(struct deed *deed, struct err *err)
{
    const struct closing *closing = deed->what;
    struct join join = deed_join(deed);
    const struct gather gather = {&join, deed->now, &deed->changed};
    if (add_comment(deed, &closing->comment, err) < 0 || seal(deed, closing, err) < 0 ||
        set_columns(deed, "UPDATE incidents SET verdict=?3,updated_ns=?2 WHERE id=?1",
                    closing->verdict.len ? closing->verdict : SLICE_NONE, err) < 0 ||
        incident_set_state(database_of(deed), deed->id, NULL, "closed", SLICE_NONE, deed->now, err) < 0 ||
        page_end(wake_pager(deed->respond->wake), deed->id, "the incident was closed", err) < 0)
        return -1;
    changed(deed);
    return gather_tell(&gather, deed->id, "closed", err);
}

int respond_close(struct respond *respond, struct slice id, struct slice user, struct slice comment, struct slice verdict,
                  struct err *err)
{
    const struct closing closing = {.comment = {.text = comment}, .verdict = verdict};
    if (text_check(comment, "a comment that says why it is closed", err) < 0 || verdict_check(verdict, err) < 0)
        return -1;
    return deed_do(respond, id, user, &closing, do_close, err);
}

/* ---- owner, containment, opening again ---- */

struct words { /* of a deed: a name and a note */
    struct slice name, note;
    int64_t time_ns, number;
    int64_t *out;
};

static int do_set_owner(struct deed *deed, struct err *err)
{
    const struct words *words = deed->what;
    struct slice gap = words->note.len ? SLICE(": ") : SLICE("");
    if (slice_equal(deed->incident.owner, words->name))
        return 0;
    if (set_columns(deed, "UPDATE incidents SET owner=?3,updated_ns=?2 WHERE id=?1", words->name, err) < 0)
        return -1;
    struct slice from = deed->incident.owner.len ? deed->incident.owner : SLICE("-");
    return deed_entry(deed, "state",
                      arena_printf(deed->arena, "Handed over from %.*s to %.*s by %.*s%.*s%.*s", SLICE_ARG(from), SLICE_ARG(words->name),
                                   SLICE_ARG(deed->user), SLICE_ARG(gap), SLICE_ARG(words->note)),
                      arena_printf(deed->arena, "%.*s が担当を %.*s から %.*s へ変更しました%.*s%.*s", SLICE_ARG(deed->user), SLICE_ARG(from),
                                   SLICE_ARG(words->name), SLICE_ARG(gap), SLICE_ARG(words->note)), err);
}

int respond_set_owner(struct respond *respond, struct slice id, struct slice user, struct slice owner, struct slice note,
                      struct err *err)
{
    const struct words words = {.name = owner, .note = note.ptr ? note : SLICE("")};
    if (text_check(owner, "an owner", err) < 0 || (note.len && text_check(note, "a note", err) < 0))
        return -1;
    return deed_do(respond, id, user, &words, do_set_owner, err);
}

static int do_contain(struct deed *deed, struct err *err)
{
    const struct words *words = deed->what;
    struct slice gap = words->note.len ? SLICE(": ") : SLICE("");
    if (deed->incident.contained_ns)
        return err_set(err, ERR_CONFLICT, "INC-%lld was contained already, says %.*s", (long long)deed->id,
                       SLICE_ARG(deed->incident.contained_by));
    if (set_columns(deed, "UPDATE incidents SET contained_ns=?2,contained_by=?3,updated_ns=?2 WHERE id=?1", deed->user, err) < 0)
        return -1;
    return deed_entry(deed, "state",
                      arena_printf(deed->arena, "Contained, says %.*s%.*s%.*s", SLICE_ARG(deed->user), SLICE_ARG(gap), SLICE_ARG(words->note)),
                      arena_printf(deed->arena, "%.*s が封じ込め完了と判断しました%.*s%.*s", SLICE_ARG(deed->user), SLICE_ARG(gap),
                                   SLICE_ARG(words->note)), err);
}

int respond_contain(struct respond *respond, struct slice id, struct slice user, struct slice note, struct err *err)
{
    const struct words words = {.note = note.ptr ? note : SLICE("")};
    if (note.len && text_check(note, "a note", err) < 0)
        return -1;
    return deed_do(respond, id, user, &words, do_contain, err);
}

/* As it was, but new: findings of the old one stay there. */
static int open_again(struct deed *deed, struct incident *again, struct err *err)
{
    struct database *database = database_of(deed);
    struct query *query;
    *again = deed->incident;
    again->opened_ns = again->updated_ns = deed->now;
    again->finding_count = 0;
    if (incident_insert(database, again, err) < 0 ||
        query_begin(database, "INSERT INTO incident_entities(incident,type,value,link,glue) SELECT ?1,type,value,link,link IS NOT NULL"
                    " FROM incident_entities WHERE incident=?2", &query, err) < 0)
        return -1;
    query_i64(query, 1, again->id);
    query_i64(query, 2, deed->id);
    return query_run(query, err) < 0 ? -1 : incident_relate(database, again->id, "reopens", deed->id, "reopened_as", SLICE_NONE, err);
}

int deed_reopen(struct deed *deed, struct err *err)
{
    const struct words *words = deed->what;
    struct join join = deed_join(deed);
    const struct gather gather = {&join, deed->now, &deed->changed};
    struct incident again;
    if (!slice_is(deed->incident.state, "closed"))
        return err_set(err, ERR_CONFLICT, "INC-%lld is not closed", (long long)deed->id);
    if (open_again(deed, &again, err) < 0 ||
        gather_entry(&gather, again.id, "state", deed->user,
                     arena_printf(deed->arena, "INC-%lld was opened again as this by %.*s: %.*s", (long long)deed->id, SLICE_ARG(deed->user),
                                  SLICE_ARG(words->note)),
                     arena_printf(deed->arena, "%.*s が INC-%lld を再開しました: %.*s", SLICE_ARG(deed->user), (long long)deed->id,
                                  SLICE_ARG(words->note)), err) < 0)
        return -1;
    gather_changed(&deed->changed, again.id);
    *words->out = again.id;
    return gather_tell(&gather, again.id, "opened", err);
}

int respond_reopen(struct respond *respond, struct slice id, struct slice user, struct slice reason, int64_t *out, struct err *err)
{
    const struct words words = {.note = reason, .out = out};
    return text_check(reason, "a reason", err) < 0 ? -1 : deed_do(respond, id, user, &words, deed_reopen, err);
}

/* ---- tasks ---- */

static int insert_task(struct deed *deed, const struct words *words, struct err *err)
{
    struct query *query;
    if (query_begin(database_of(deed), "INSERT INTO tasks(incident,text,owner,due_ns,added_by,added_ns) VALUES(?1,?2,?3,?4,?5,?6)",
                    &query, err) < 0)
        return -1;
    query_i64(query, 1, deed->id);
    query_text(query, 2, words->note);
    query_text(query, 3, words->name.len ? words->name : SLICE_NONE);
    if (words->time_ns)
        query_i64(query, 4, words->time_ns);
    query_text(query, 5, deed->user);
    query_i64(query, 6, deed->now);
    int result = query_step(query, err);
    *words->out = database_last_id(database_of(deed));
    query_end(query);
    return result < 0 ? -1 : 0;
}

static int task_entry(struct deed *deed, int64_t task, const char *en, const char *ja, struct slice text, struct err *err)
{
    struct buffer detail;
    struct json json;
    begin_detail(&detail, &json);
    json_put_i64(&json, "task", task);
    json_close(&json, '}');
    return detailed_entry(deed, "task", arena_printf(deed->arena, "%s: %.*s", en, SLICE_ARG(text)),
                          arena_printf(deed->arena, "%s: %.*s", ja, SLICE_ARG(text)), SLICE_NONE, &detail, err);
}

static int do_add_task(struct deed *deed, struct err *err)
{
    const struct words *words = deed->what;
    int64_t have;
    if (incident_number(database_of(deed), "SELECT count(*) FROM tasks WHERE incident=?1", deed->id, &have, err) < 0)
        return -1;
    if (have >= INCIDENT_TASKS_MAX)
        return err_set(err, ERR_LIMIT, "an incident has at most %d tasks", INCIDENT_TASKS_MAX);
    if (insert_task(deed, words, err) < 0)
        return -1;
    return task_entry(deed, *words->out, "Task", "タスク", words->note, err);
}

int respond_add_task(struct respond *respond, struct slice id, struct slice user, struct slice text, struct slice owner,
                     int64_t due_ns, int64_t *task, struct err *err)
{
    const struct words words = {.name = owner, .note = text, .time_ns = due_ns, .out = task};
    return text_check(text, "what is to be done", err) < 0 ? -1 : deed_do(respond, id, user, &words, do_add_task, err);
}

static int do_finish_task(struct deed *deed, struct err *err)
{
    const struct words *words = deed->what;
    struct query *query;
    if (query_begin(database_of(deed), "UPDATE tasks SET done_by=?2,done_ns=?3 WHERE id=?1 AND done_ns IS NULL RETURNING text",
                    &query, err) < 0)
        return -1;
    query_i64(query, 1, words->number);
    query_text(query, 2, deed->user);
    query_i64(query, 3, deed->now);
    int result = query_step(query, err);
    struct slice text = result == 1 ? query_get_text(query, 0, deed->arena) : SLICE_NONE;
    if (result == 1)
        result = query_step(query, err) < 0 ? -1 : 1;
    query_end(query);
    return result <= 0 ? result : task_entry(deed, words->number, "Done", "完了", text, err);
}

int respond_finish_task(struct respond *respond, int64_t task, struct slice user, int64_t *incident, struct err *err)
{
    const struct words words = {.number = task};
    if (incident_number(respond->config.database, "SELECT incident FROM tasks WHERE id=?1", task, incident, err) < 0)
        return -1;
    if (!*incident)
        return err_set(err, ERR_NOT_FOUND, "there is no task %lld", (long long)task);
    return deed_do_number(respond, *incident, user, &words, do_finish_task, err);
}

/* ---- attachments ---- */

struct attaching {
    const struct attachment *attachment;
    char sha256[2 * crypto_hash_sha256_BYTES + 1];
    int64_t *out;
};

static int attachment_room(struct deed *deed, const struct attachment *attachment, struct err *err)
{
    int64_t count, bytes;
    if (incident_number(database_of(deed), "SELECT count(*) FROM attachments WHERE incident=?1", deed->id, &count, err) < 0 ||
        incident_number(database_of(deed), "SELECT coalesce(sum(size),0) FROM attachments", 0, &bytes, err) < 0)
        return -1;
    if (count >= INCIDENT_ATTACHMENTS_MAX)
        return err_set(err, ERR_LIMIT, "an incident has at most %d attachments", INCIDENT_ATTACHMENTS_MAX);
    if ((uint64_t)bytes + attachment->bytes.len > ATTACHMENTS_BYTES_MAX)
        return err_set(err, ERR_LIMIT, "all attachments together have at most %zu bytes; keep this one elsewhere and note its SHA-256",
                       (size_t)ATTACHMENTS_BYTES_MAX);
    return 0;
}

static int insert_attachment(struct deed *deed, const struct attaching *attaching, struct err *err)
{
    const struct attachment *attachment = attaching->attachment;
    struct query *query;
    if (query_begin(database_of(deed), "INSERT INTO attachments(incident,name,type,size,sha256,added_by,added_ns,bytes)"
                    " VALUES(?1,?2,?3,?4,?5,?6,?7,?8)", &query, err) < 0)
        return -1;
    query_i64(query, 1, deed->id);
    query_text(query, 2, attachment->name);
    query_text(query, 3, attachment->type.ptr ? attachment->type : SLICE(""));
    query_i64(query, 4, (int64_t)attachment->bytes.len);
    query_text(query, 5, slice_text(attaching->sha256));
    query_text(query, 6, deed->user);
    query_i64(query, 7, deed->now);
    query_blob(query, 8, attachment->bytes.len ? attachment->bytes.ptr : "", attachment->bytes.len);
    int result = query_step(query, err);
    *attaching->out = database_last_id(database_of(deed));
    query_end(query);
    return result < 0 ? -1 : 0;
}

static int do_attach(struct deed *deed, struct err *err)
{
    const struct attaching *attaching = deed->what;
    const struct attachment *attachment = attaching->attachment;
    struct buffer detail;
    struct json json;
    if (attachment_room(deed, attachment, err) < 0 || insert_attachment(deed, attaching, err) < 0)
        return -1;
    begin_detail(&detail, &json);
    json_put_i64(&json, "attachment", *attaching->out);
    json_put_text(&json, "name", attachment->name);
    json_put_i64(&json, "size", (int64_t)attachment->bytes.len);
    json_put_text(&json, "sha256", slice_text(attaching->sha256));
    json_close(&json, '}');
    return detailed_entry(deed, "attachment",
                          arena_printf(deed->arena, "%.*s was attached (%zu bytes, SHA-256 %s)", SLICE_ARG(attachment->name),
                                       attachment->bytes.len, attaching->sha256),
                          arena_printf(deed->arena, "%.*s を添付しました（%zuバイト、SHA-256 %s）", SLICE_ARG(attachment->name),
                                       attachment->bytes.len, attaching->sha256), SLICE_NONE, &detail, err);
}

/* A name that goes into a header and onto people's disks: no control letters, no folders. */
static int name_check(struct slice name, struct err *err)
{
    if (!name.len || name.len > NAME_BYTES_MAX || !utf8_valid(name))
        return err_set(err, ERR_CONFIG, "a name of 1 to %d bytes is needed", NAME_BYTES_MAX);
    for (size_t i = 0; i < name.len; i++)
        if ((unsigned char)name.ptr[i] < 0x20 || name.ptr[i] == 0x7f || name.ptr[i] == '/' || name.ptr[i] == '\\')
            return err_set(err, ERR_CONFIG, "a name has no folders and no control characters");
    return 0;
}

int respond_attach(struct respond *respond, struct slice id, struct slice user, const struct attachment *attachment,
                   int64_t *number, struct err *err)
{
    unsigned char hash[crypto_hash_sha256_BYTES];
    struct attaching attaching = {.attachment = attachment, .out = number};
    if (name_check(attachment->name, err) < 0)
        return -1;
    if (attachment->type.len > NAME_BYTES_MAX || !utf8_valid(attachment->type))
        return err_set(err, ERR_CONFIG, "a type has at most %d bytes", NAME_BYTES_MAX);
    if (attachment->bytes.len > ATTACHMENT_BYTES_MAX)
        return err_set(err, ERR_LIMIT, "an attachment has at most %zu bytes; keep it elsewhere and note its SHA-256",
                       (size_t)ATTACHMENT_BYTES_MAX);
    crypto_hash_sha256(hash, (const unsigned char *)(attachment->bytes.len ? attachment->bytes.ptr : ""), attachment->bytes.len);
    sodium_bin2hex(attaching.sha256, sizeof(attaching.sha256), hash, sizeof(hash));
    return deed_do(respond, id, user, &attaching, do_attach, err);
}

int respond_attachment(struct respond *respond, int64_t number, struct arena *arena, struct attachment *out, struct err *err)
{
    struct query *query;
    if (query_begin(respond->config.database, "SELECT name,type,bytes FROM attachments WHERE id=?1", &query, err) < 0)
        return -1;
    query_i64(query, 1, number);
    int result = query_step(query, err);
    if (result == 1)
        *out = (struct attachment){query_get_text(query, 0, arena), query_get_text(query, 1, arena), query_get_text(query, 2, arena)};
    query_end(query);
    if (result == 0)
        return err_set(err, ERR_NOT_FOUND, "there is no attachment %lld", (long long)number);
    return result < 0 ? -1 : out->name.ptr && out->bytes.ptr ? 0 : err_nomem(err);
}
