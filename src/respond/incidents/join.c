#include "respond/incidents/join.h"

#include "base/json.h"
#include "base/limits.h"

#include <stdio.h>

enum { EVIDENCE_SHOWN_MAX = 100 };

/* One finding on its way into one incident. */
struct work {
    struct join *join;
    const struct finding *finding;
    const struct respond_texts *texts;
    int64_t now;
    struct join_result *result;
    int64_t found[JOIN_CHANGED_MAX]; /* incidents that share an entity, oldest first */
    size_t found_count;
};

static void add_changed(struct work *work, int64_t id)
{
    if (work->result->changed_count < JOIN_CHANGED_MAX)
        work->result->changed[work->result->changed_count++] = id;
}

static int is_known(struct work *work, struct err *err)
{
    struct query *query;
    if (query_begin(work->join->database, "SELECT 1 FROM findings WHERE id=?1", &query, err) < 0)
        return -1;
    query_text(query, 1, slice_text(work->finding->id));
    int result = query_step(query, err);
    query_end(query);
    return result;
}

/* ---- looking for the incident ---- */

static void add_found(struct work *work, int64_t id)
{
    size_t at = 0;
    while (at < work->found_count && work->found[at] < id)
        at++;
    if ((at < work->found_count && work->found[at] == id) || work->found_count == JOIN_CHANGED_MAX - 1)
        return;
    memmove(work->found + at + 1, work->found + at, (work->found_count - at) * sizeof(int64_t));
    work->found[at] = id;
    work->found_count++;
}

static int find_by_entity(struct work *work, const struct entity *entity, struct err *err)
{
    struct query *query;
    int result;
    int64_t at = work->finding->event_ns, window = work->join->window_ns;
    if (query_begin(work->join->database,
                    "SELECT i.id FROM incident_entities e JOIN incidents i ON i.id=e.incident"
                    " WHERE e.type=?1 AND e.value=?2 AND i.state!='closed'"
                    " AND i.last_event_ns>=?3 AND i.first_event_ns<=?4 ORDER BY i.id", &query, err) < 0)
        return -1;
    query_text(query, 1, entity->type);
    query_text(query, 2, entity->value);
    query_i64(query, 3, at - window);
    query_i64(query, 4, at + window);
    while ((result = query_step(query, err)) == 1)
        add_found(work, query_get_i64(query, 0));
    query_end(query);
    return result;
}

static int find_all(struct work *work, struct err *err)
{
    for (size_t i = 0; i < work->finding->entity_count; i++)
        if (find_by_entity(work, &work->finding->entities[i], err) < 0)
            return -1;
    return 0;
}

/* ---- writing the finding down ---- */

static int insert_finding(struct work *work, int64_t incident, struct err *err)
{
    struct query *query;
    struct buffer bytes;
    buffer_init(&bytes, 4 * MIB);
    finding_encode(work->finding, &bytes);
    if (buffer_failed(&bytes)) {
        buffer_close(&bytes);
        return err_nomem(err);
    }
    int result = query_begin(work->join->database, "INSERT INTO findings(id,incident,rule,event_ns,"
                             "bytes) VALUES(?1,?2,?3,?4,?5)", &query, err);
    if (result == 0) {
        struct slice rule = work->finding->rule_id;
        query_text(query, 1, slice_text(work->finding->id));
        query_i64(query, 2, incident);
        query_text(query, 3, rule.ptr ? rule : SLICE(""));
        query_i64(query, 4, work->finding->event_ns);
        query_blob(query, 5, bytes.ptr, bytes.len);
        result = query_step(query, err);
        query_end(query);
    }
    buffer_close(&bytes);
    return result < 0 ? -1 : 0;
}

static struct slice evidence_json(struct work *work)
{
    struct buffer text;
    struct json json;
    buffer_init(&text, 256 * KIB);
    json_init(&json, &text);
    json_open(&json, '[');
    for (size_t i = 0; i < work->finding->evidence_count && i < EVIDENCE_SHOWN_MAX; i++)
        if (work->finding->evidence[i].event_id.len)
            json_text(&json, work->finding->evidence[i].event_id);
    json_close(&json, ']');
    struct slice copy = buffer_failed(&text) ? SLICE_NONE
                                             : arena_copy(work->join->arena, buffer_slice(&text));
    buffer_close(&text);
    return copy;
}

static struct slice first_of(struct slice a, struct slice b)
{
    return a.len ? a : b;
}

static struct slice rule_of(const struct finding *finding)
{
    return first_of(finding->rule_name, first_of(finding->rule_id, SLICE("")));
}

static struct slice title_of(const struct finding *finding)
{
    return first_of(finding->title, rule_of(finding));
}

/* What a storm says beyond the first thousand is a number a rule. */
static int count_more(struct work *work, int64_t incident, struct err *err)
{
    struct query *query;
    if (query_begin(work->join->database,
                    "INSERT INTO timeline_more(incident,rule,severity,count,last_ns)"
                    " VALUES(?1,?2,?3,1,?4) ON CONFLICT DO UPDATE SET count=count+1,"
                    "severity=max(severity,excluded.severity),last_ns=max(last_ns,excluded.last_ns)",
                    &query, err) < 0)
        return -1;
    query_i64(query, 1, incident);
    query_text(query, 2, rule_of(work->finding));
    query_i64(query, 3, work->finding->severity);
    query_i64(query, 4, work->finding->event_ns);
    return query_run(query, err);
}

static int add_finding_entry(struct work *work, int64_t incident, struct err *err)
{
    const struct finding *finding = work->finding;
    int64_t counted, shown = 0; /* once some were only counted it is full: cheaper to ask */
    if (incident_number(work->join->database, "SELECT 1 FROM timeline_more WHERE incident=?1 LIMIT 1",
                        incident, &counted, err) < 0 ||
        (!counted && incident_number(work->join->database, "SELECT count(*) FROM timeline WHERE"
                                     " incident=?1 AND kind='finding'", incident, &shown, err) < 0))
        return -1;
    if (counted || shown >= INCIDENT_TIMELINE_MAX)
        return count_more(work, incident, err);
    const struct timeline_entry entry = {
        .time_ns = finding->event_ns, .kind = "finding",
        .en = first_of(finding->explanation_en, title_of(finding)),
        .ja = first_of(finding->explanation_ja, title_of(finding)),
        .rule = rule_of(finding), .severity = finding->severity, .evidence = evidence_json(work)};
    return incident_add_entry(work->join->database, incident, &entry, err);
}

/* ---- a new incident, or one that grows ---- */

/* The first sentence of the explanation, else the title. */
static struct slice title_ja(const struct finding *finding)
{
    ptrdiff_t end = slice_find(finding->explanation_ja, SLICE("。"));
    if (!finding->explanation_ja.len)
        return title_of(finding);
    return end < 0 ? finding->explanation_ja : slice_sub(finding->explanation_ja, 0, (size_t)end);
}

/* An incident speaks in the words of its gravest finding, the earliest among equals. */
static void set_texts(struct work *work, struct incident *incident)
{
    const struct finding *finding = work->finding;
    const struct respond_texts *texts = work->texts;
    incident->severity = finding->severity;
    incident->en[INCIDENT_TITLE] = title_of(finding);
    incident->ja[INCIDENT_TITLE] = title_ja(finding);
    incident->en[INCIDENT_EXPLANATION] = finding->explanation_en;
    incident->ja[INCIDENT_EXPLANATION] = finding->explanation_ja;
    incident->en[INCIDENT_WHY] = texts->why_en;
    incident->ja[INCIDENT_WHY] = texts->why_ja;
    incident->en[INCIDENT_CHECK] = texts->check_en;
    incident->ja[INCIDENT_CHECK] = texts->check_ja;
    incident->en[INCIDENT_DO] = texts->do_en;
    incident->ja[INCIDENT_DO] = texts->do_ja;
}

static int add_state_entry(struct work *work, int64_t incident, struct slice en, struct slice ja,
                           struct err *err)
{
    const struct timeline_entry entry = {.time_ns = work->now, .kind = "state", .en = en, .ja = ja};
    if (!en.ptr || !ja.ptr)
        return err_nomem(err);
    return incident_add_entry(work->join->database, incident, &entry, err);
}

static int add_to(struct work *work, int64_t incident, struct err *err)
{
    int added = incident_add_entities(work->join->database, incident, work->finding->entities,
                                      work->finding->entity_count, err);
    if (added < 0 || insert_finding(work, incident, err) < 0 ||
        add_finding_entry(work, incident, err) < 0)
        return -1;
    return added;
}

/* content/rules/wak_01_drill.yml names the drill as the entity. */
static struct slice kind_of(const struct finding *finding)
{
    for (size_t i = 0; i < finding->entity_count; i++)
        if (slice_is(finding->entities[i].type, "drill"))
            return SLICE("drill");
    return SLICE("page");
}

static int tell(struct work *work, int64_t id, const char *event, struct err *err)
{
    struct incident incident;
    if (incident_read(work->join->database, id, work->join->arena, &incident, err) < 0)
        return -1;
    const struct page_cause cause = {.kind = kind_of(work->finding), .rule = rule_of(work->finding)};
    bool over = strcmp(event, "closed") == 0;
    if (!over && wake_put(work->join->wake, &incident, &cause, work->join->arena, err) < 0)
        return -1;
    return outbox_put(work->join->outbox, &incident, event, work->join->arena, err);
}

static int open_new(struct work *work, struct err *err)
{
    struct incident incident = {
        .opened_ns = work->now, .updated_ns = work->now, .finding_count = 1,
        .first_event_ns = work->finding->event_ns, .last_event_ns = work->finding->event_ns};
    set_texts(work, &incident);
    if (incident_insert(work->join->database, &incident, err) < 0 ||
        add_state_entry(work, incident.id, SLICE("The incident was opened"),
                        SLICE("インシデントが発生しました"), err) < 0 ||
        add_to(work, incident.id, err) < 0 || tell(work, incident.id, "opened", err) < 0)
        return -1;
    add_changed(work, incident.id);
    return 0;
}

/* ---- merging ---- */

static void swallow(struct incident *into, const struct incident *from)
{
    into->finding_count += from->finding_count;
    if (from->first_event_ns < into->first_event_ns)
        into->first_event_ns = from->first_event_ns;
    if (from->last_event_ns > into->last_event_ns)
        into->last_event_ns = from->last_event_ns;
    if (from->severity > into->severity) {
        into->severity = from->severity;
        memcpy(into->en, from->en, sizeof(into->en));
        memcpy(into->ja, from->ja, sizeof(into->ja));
    }
}

/* ?1 takes over from ?2: findings, and of the timeline as many of them as there is room for. */
static int move_findings(struct work *work, int64_t into, int64_t from, struct err *err)
{
    static const char *const steps[] = {
        "UPDATE findings SET incident=?1 WHERE incident=?2",
        "UPDATE action_orders SET incident=?1 WHERE incident=?2",
        "UPDATE playbook_runs SET incident=?1 WHERE incident=?2",
        "INSERT INTO timeline(incident,time_ns,kind,text_en,text_ja,user)"
        " SELECT ?1,time_ns,kind,text_en,text_ja,user FROM timeline WHERE incident=?2 AND kind='action' ORDER BY id",
        "INSERT INTO timeline_more(incident,rule,severity,count,last_ns)"
        " SELECT ?1,rule,max(severity),count(*),max(time_ns) FROM"
        "  (SELECT rule,severity,time_ns FROM timeline WHERE incident=?2 AND kind='finding' ORDER BY id"
        "   LIMIT -1 OFFSET max(0,?3-(SELECT count(*) FROM timeline WHERE incident=?1 AND"
        "   kind='finding'))) WHERE true GROUP BY rule ON CONFLICT DO UPDATE SET"
        "  count=count+excluded.count,severity=max(severity,excluded.severity),"
        "  last_ns=max(last_ns,excluded.last_ns)",
        "INSERT INTO timeline(incident,time_ns,kind,text_en,text_ja,rule,severity,evidence,user)"
        " SELECT ?1,time_ns,kind,text_en,text_ja,rule,severity,evidence,user FROM timeline"
        "  WHERE incident=?2 AND kind='finding' ORDER BY id LIMIT"
        "  max(0,?3-(SELECT count(*) FROM timeline WHERE incident=?1 AND kind='finding'))",
        "INSERT INTO timeline_more(incident,rule,severity,count,last_ns)"
        " SELECT ?1,rule,severity,count,last_ns FROM timeline_more WHERE incident=?2"
        "  ON CONFLICT DO UPDATE SET count=count+excluded.count,"
        "  severity=max(severity,excluded.severity),last_ns=max(last_ns,excluded.last_ns)",
    };
    for (size_t i = 0; i < ARRAY_COUNT(steps); i++) {
        struct query *query;
        if (query_begin(work->join->database, steps[i], &query, err) < 0)
            return -1;
        query_i64(query, 1, into);
        query_i64(query, 2, from);
        query_i64(query, 3, INCIDENT_TIMELINE_MAX);
        int result = query_step(query, err);
        query_end(query);
        if (result < 0)
            return -1;
    }
    return 0;
}

static int merge(struct work *work, struct incident *into, int64_t id, struct err *err)
{
    struct database *database = work->join->database;
    struct arena *arena = work->join->arena;
    struct incident from;
    long long to_id = into->id, from_id = id;
    if (incident_read(database, id, arena, &from, err) < 0 ||
        incident_add_entities(database, into->id, from.entities, from.entity_count, err) < 0 ||
        move_findings(work, into->id, id, err) < 0)
        return -1;
    swallow(into, &from);
    if (add_state_entry(work, into->id,
                        arena_printf(arena, "INC-%lld was joined into this: a finding links both",
                                     from_id),
                        arena_printf(arena, "INC-%lld を統合しました（検知結果が両者をつなぐため）", from_id),
                        err) < 0 ||
        add_state_entry(work, id,
                        arena_printf(arena, "Closed: it was joined into INC-%lld", to_id),
                        arena_printf(arena, "INC-%lld に統合したため終了しました", to_id), err) < 0 ||
        incident_set_state(database, id, NULL, "closed", SLICE_NONE, work->now, err) < 0)
        return -1;
    add_changed(work, id);
    if (page_move(wake_pager(work->join->wake), id, into->id, err) < 0)
        return -1;
    return tell(work, id, "closed", err);
}

static int join_found(struct work *work, struct err *err)
{
    struct incident incident;
    const struct finding *finding = work->finding;
    if (incident_read_head(work->join->database, work->found[0], work->join->arena, &incident, err) < 0)
        return -1;
    enum severity before = incident.severity;
    size_t changed_at = work->result->changed_count;
    add_changed(work, incident.id); /* before those merged into it: the gate hears of it first */
    for (size_t i = 1; i < work->found_count; i++)
        if (merge(work, &incident, work->found[i], err) < 0)
            return -1;
    if (finding->severity > incident.severity)
        set_texts(work, &incident);
    incident.finding_count++;
    incident.updated_ns = work->now;
    if (finding->event_ns < incident.first_event_ns)
        incident.first_event_ns = finding->event_ns;
    if (finding->event_ns > incident.last_event_ns)
        incident.last_event_ns = finding->event_ns;
    int added = add_to(work, incident.id, err);
    if (added < 0 || incident_update(work->join->database, &incident, err) < 0)
        return -1;
    bool graver = incident.severity > before;
    if (!graver && added == 0 && work->found_count == 1)
        work->result->changed_count = changed_at;
    return graver ? tell(work, incident.id, "severity", err) : 0;
}

/* ---- taking back ---- */

/* Only told: what was opened stays open until a person has looked. */
static int take_back(struct work *work, struct err *err)
{
    const struct finding *finding = work->finding;
    struct query *query;
    if (query_begin(work->join->database, "SELECT incident FROM findings WHERE id=?1", &query, err) < 0)
        return -1;
    query_text(query, 1, finding->retracts);
    int result = query_step(query, err);
    int64_t incident = result == 1 ? query_get_i64(query, 0) : 0;
    query_end(query);
    if (result <= 0)
        return result;
    const struct timeline_entry entry = {
        .time_ns = work->now, .kind = "finding",
        .en = arena_printf(work->join->arena, "Taken back: %.*s", SLICE_ARG(first_of(
                           finding->explanation_en, title_of(finding)))),
        .ja = arena_printf(work->join->arena, "取り消し: %.*s", SLICE_ARG(first_of(
                           finding->explanation_ja, title_of(finding)))),
        .rule = rule_of(finding), .severity = finding->severity, .evidence = evidence_json(work)};
    if (insert_finding(work, incident, err) < 0)
        return -1;
    return incident_add_entry(work->join->database, incident, &entry, err);
}

int join_finding(struct join *join, const struct finding *finding,
                 const struct respond_texts *texts, int64_t now, struct join_result *result,
                 struct err *err)
{
    struct work work = {.join = join, .finding = finding, .texts = texts, .now = now, .result = result};
    *result = (struct join_result){0};
    int known = is_known(&work, err);
    if (known != 0)
        return known < 0 ? -1 : 0;
    if (finding->retracts.len)
        return take_back(&work, err);
    if (find_all(&work, err) < 0)
        return -1;
    if (work.found_count)
        return join_found(&work, err);
    return finding->severity >= SEVERITY_MEDIUM ? open_new(&work, err) : 0;
}
