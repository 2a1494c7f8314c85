#include "respond/incidents/gather.h"

#include "base/json.h"
#include "base/limits.h"

#include <assert.h>

enum { EVIDENCE_SHOWN_MAX = 100 };

void gather_changed(struct join_result *result, int64_t id)
{
    for (size_t i = 0; i < result->changed_count; i++)
        if (result->changed[i] == id)
            return;
    assert(result->changed_count < JOIN_CHANGED_MAX);
    result->changed[result->changed_count++] = id;
}

int gather_entry(const struct gather *gather, int64_t incident, const char *kind, struct slice user, struct slice en,
                 struct slice ja, struct err *err)
{
    const struct timeline_entry entry = {.time_ns = gather->now, .kind = kind, .en = en, .ja = ja, .user = user};
    if (!en.ptr || !ja.ptr)
        return err_nomem(err);
    return incident_add_entry(gather->join->database, incident, &entry, err);
}

int gather_tell(const struct gather *gather, int64_t id, const char *event, struct err *err)
{
    struct incident incident;
    if (incident_read(gather->join->database, id, gather->join->arena, &incident, err) < 0)
        return -1;
    return outbox_put(gather->join->outbox, &incident, event, gather->join->arena, err);
}

/* content/rules/wak_01_drill.yml names the drill as the entity. */
static struct slice kind_of(const struct finding *finding)
{
    for (size_t i = 0; i < finding->entity_count; i++)
        if (slice_is(finding->entities[i].type, "drill"))
            return SLICE("drill");
    return SLICE("page");
}

int gather_wake(const struct gather *gather, int64_t id, const struct finding *finding, struct err *err)
{
    struct incident incident;
    struct arena *arena = gather->join->arena;
    const struct page_cause cause = {.kind = kind_of(finding), .rule = finding_rule(finding)};
    return incident_read(gather->join->database, id, arena, &incident, err) < 0
               ? -1
               : wake_put(gather->join->wake, &incident, &cause, arena, err);
}

/* ---- the words of a finding ---- */

static struct slice first_of(struct slice a, struct slice b)
{
    return a.len ? a : b;
}

struct slice finding_rule(const struct finding *finding)
{
    return first_of(finding->rule_name, first_of(finding->rule_id, SLICE("")));
}

struct slice finding_title(const struct finding *finding)
{
    return first_of(finding->title, finding_rule(finding));
}

/* The first sentence of the explanation, else the title. */
static struct slice title_ja(const struct finding *finding)
{
    ptrdiff_t end = slice_find(finding->explanation_ja, SLICE("。"));
    if (!finding->explanation_ja.len)
        return finding_title(finding);
    return end < 0 ? finding->explanation_ja : slice_sub(finding->explanation_ja, 0, (size_t)end);
}

int finding_evidence_json(const struct finding *finding, struct arena *arena, struct slice *out, struct err *err)
{
    struct buffer text;
    struct json json;
    buffer_init(&text, 256 * KIB);
    json_init(&json, &text);
    json_open(&json, '[');
    for (size_t i = 0; i < finding->evidence_count && i < EVIDENCE_SHOWN_MAX; i++)
        if (finding->evidence[i].event_id.len)
            json_text(&json, finding->evidence[i].event_id);
    json_close(&json, ']');
    *out = buffer_failed(&text) ? SLICE_NONE : arena_copy(arena, buffer_slice(&text));
    buffer_close(&text);
    return out->ptr ? 0 : err_nomem(err);
}

void gather_words(struct incident *incident, const struct finding *finding, const struct respond_texts *texts)
{
    static const struct respond_texts none = {0};
    texts = texts ? texts : &none;
    incident->en[INCIDENT_TITLE] = finding_title(finding);
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

int gather_finding(const struct gather *gather, int64_t incident, const struct finding *finding, const char *line,
                   struct err *err)
{
    struct database *database = gather->join->database;
    struct timeline_entry entry;
    int64_t shown;
    bool first;
    if (line_count(database, incident, line, finding, &first, err) < 0)
        return -1;
    if (!first)
        return 0;
    if (incident_number(database, "SELECT count(*) FROM timeline WHERE incident=?1 AND kind='finding'", incident, &shown, err) < 0)
        return -1;
    if (shown >= INCIDENT_TIMELINE_MAX)
        return 0;
    entry = (struct timeline_entry){
        .time_ns = finding->event_ns, .kind = "finding", .en = first_of(finding->explanation_en, finding_title(finding)),
        .ja = first_of(finding->explanation_ja, finding_title(finding)), .rule = finding_rule(finding),
        .severity = finding->severity, .line = slice_text(line)};
    if (finding_evidence_json(finding, gather->join->arena, &entry.evidence, err) < 0 ||
        incident_add_entry(database, incident, &entry, err) < 0)
        return -1;
    return line_show(database, incident, line, err);
}

/* ---- entities, and how much they matter ---- */

static const char *severity_ja(enum severity severity)
{
    static const char *const words[] = {"情報", "低", "中", "高", "重大"};
    return words[severity];
}

static int tell_criticality(const struct gather *gather, const struct incident *incident, const struct entity *entity,
                            const struct asset *asset, enum severity before, struct err *err)
{
    struct arena *arena = gather->join->arena;
    struct slice name_en = first_of(asset->name_en, entity->value), name_ja = first_of(asset->name_ja, name_en);
    struct slice owner = asset->owner.len ? asset->owner : SLICE("-");
    return gather_entry(gather, incident->id, "severity", SLICE_NONE,
                        arena_printf(arena, "The severity is %s instead of %s: %.*s %.*s (%.*s, owner %.*s) is %s in the list of assets",
                                     severity_name(incident->severity), severity_name(before), SLICE_ARG(entity->type),
                                     SLICE_ARG(entity->value), SLICE_ARG(name_en), SLICE_ARG(owner),
                                     asset->criticality == CRITICALITY_CRITICAL ? "critical" : asset->criticality == CRITICALITY_LOW ? "low" : "not low"),
                        arena_printf(arena, "重大度を%sから%sに変更しました: %.*s %.*s（%.*s、管理者 %.*s）の資産一覧での重要度による",
                                     severity_ja(before), severity_ja(incident->severity), SLICE_ARG(entity->type),
                                     SLICE_ARG(entity->value), SLICE_ARG(name_ja), SLICE_ARG(owner)),
                        err);
}

static int weigh(const struct gather *gather, struct incident *incident, const struct entity *entity, struct err *err)
{
    const struct asset *asset = assets_find(gather->join->memory->assets, entity);
    enum severity before = incident->severity;
    if (!asset)
        return 0;
    incident->criticality |= asset->criticality == CRITICALITY_CRITICAL ? INCIDENT_HAS_CRITICAL
                             : asset->criticality == CRITICALITY_LOW    ? INCIDENT_HAS_LOW
                                                                         : INCIDENT_HAS_OTHER;
    incident->severity = incident_severity(incident->raw_severity, incident->criticality);
    return incident->severity == before ? 0 : tell_criticality(gather, incident, entity, asset, before, err);
}

int gather_entities(const struct gather *gather, struct incident *incident, struct incident_entity *entities, size_t count,
                    struct err *err)
{
    int added = incident_add_entities(gather->join->database, incident->id, entities, count, err);
    for (size_t i = 0; i < count && added >= 0; i++)
        if (entities[i].added && weigh(gather, incident, &entities[i].entity, err) < 0)
            return -1;
    return added;
}

/* ---- merging ---- */

/* Entities of ?2 that ?1 does not have. */
#define NEW_ONES " incident_entities f WHERE incident=?2 AND NOT EXISTS(SELECT 1 FROM incident_entities i WHERE i.incident=?1 AND" \
                 " i.type=f.type AND i.value=f.value)"

static int move_rows(const struct gather *gather, int64_t into, int64_t from, struct err *err)
{
    static const char *const steps[] = {
        "INSERT INTO incident_entities(incident,type,value,link,glue) SELECT ?1,type,value,link,glue FROM" NEW_ONES
        " LIMIT max(0,?3-(SELECT count(*) FROM incident_entities WHERE incident=?1))",
        "UPDATE incidents SET entities_left=entities_left+(SELECT count(*) FROM" NEW_ONES ") WHERE id=?1",
        ("UPDATE incident_entities SET glue=1 WHERE incident=?1 AND glue=0 AND link IN (SELECT link FROM incident_entities"
         " WHERE incident=?2 AND glue=1)"),
        "UPDATE findings SET incident=?1 WHERE incident=?2",
        "UPDATE tasks SET incident=?1 WHERE incident=?2 AND done_ns IS NULL",
    };
    for (size_t i = 0; i < ARRAY_COUNT(steps); i++) {
        struct query *query;
        if (query_begin(gather->join->database, steps[i], &query, err) < 0)
            return -1;
        query_i64(query, 1, into);
        query_i64(query, 2, from);
        query_i64(query, 3, INCIDENT_ENTITIES_MAX);
        if (query_run(query, err) < 0)
            return -1;
    }
    return 0;
}

/* The next line of from that into does not have, and its entry; 0: none is left. */
static int next_line(const struct gather *gather, int64_t into, int64_t from, struct slice *line, struct timeline_entry *entry,
                     struct err *err)
{
    struct arena *arena = gather->join->arena;
    struct query *query;
    if (query_begin(gather->join->database,
                    "SELECT t.line,t.time_ns,t.text_en,t.text_ja,t.rule,t.evidence,t.severity FROM timeline t WHERE"
                    " t.incident=?2 AND t.kind='finding' AND t.line>?3 AND NOT EXISTS(SELECT 1 FROM incident_lines l WHERE"
                    " l.incident=?1 AND l.line=t.line AND l.shown=1) ORDER BY t.line LIMIT 1", &query, err) < 0)
        return -1;
    query_i64(query, 1, into);
    query_i64(query, 2, from);
    query_text(query, 3, *line);
    int result = query_step(query, err);
    if (result == 1) {
        *line = query_get_text(query, 0, arena);
        *entry = (struct timeline_entry){
            .kind = "finding", .line = *line, .time_ns = query_get_i64(query, 1), .en = query_get_text(query, 2, arena),
            .ja = query_get_text(query, 3, arena), .rule = query_get_text(query, 4, arena),
            .evidence = query_get_text(query, 5, arena), .severity = (enum severity)query_get_i64(query, 6)};
    }
    query_end(query);
    return result;
}

static int move_lines(const struct gather *gather, int64_t into, int64_t from, struct err *err)
{
    struct database *database = gather->join->database;
    struct timeline_entry entry;
    struct slice line = SLICE("");
    struct query *query;
    int64_t shown;
    int result;
    if (query_begin(database, "INSERT INTO incident_lines(incident,line,rule,severity,count,first_ns,last_ns,shown)"
                    " SELECT ?1,line,rule,severity,count,first_ns,last_ns,0 FROM incident_lines WHERE incident=?2 ON CONFLICT DO"
                    " UPDATE SET count=count+excluded.count,severity=max(severity,excluded.severity),"
                    "first_ns=min(first_ns,excluded.first_ns),last_ns=max(last_ns,excluded.last_ns)", &query, err) < 0)
        return -1;
    query_i64(query, 1, into);
    query_i64(query, 2, from);
    if (query_run(query, err) < 0 || incident_number(database, "SELECT count(*) FROM timeline WHERE incident=?1 AND kind='finding'",
                                                     into, &shown, err) < 0)
        return -1;
    for (; shown < INCIDENT_TIMELINE_MAX; shown++) {
        result = next_line(gather, into, from, &line, &entry, err);
        if (result <= 0)
            return result;
        char key[FINDING_LINE_SIZE];
        size_t len = line.len < sizeof(key) - 1 ? line.len : sizeof(key) - 1;
        memcpy(key, line.ptr, len);
        key[len] = '\0';
        if (incident_add_entry(database, into, &entry, err) < 0 || line_show(database, into, key, err) < 0)
            return -1;
    }
    return 0;
}

/* What was done about it, and what is to be done. */
static int move_actions(const struct gather *gather, int64_t into, int64_t from, struct err *err)
{
    struct database *database = gather->join->database;
    struct arena *arena = gather->join->arena;
    int64_t last = 0;
    if (database_do(database, "UPDATE action_orders SET incident=?1 WHERE incident=?2", BINDS(bind_i64(into), bind_i64(from)),
                    err) < 0 ||
        database_do(database, "UPDATE playbook_runs SET incident=?1 WHERE incident=?2", BINDS(bind_i64(into), bind_i64(from)),
                    err) < 0)
        return -1;
    for (;;) {
        struct query *query;
        struct timeline_entry entry = {.kind = "action"};
        if (query_begin_with(database, "SELECT id,time_ns,text_en,text_ja,user FROM timeline WHERE incident=?1 AND kind='action'"
                             " AND id>?2 ORDER BY id LIMIT 1", BINDS(bind_i64(from), bind_i64(last)), &query, err) < 0)
            return -1;
        int result = query_step(query, err);
        if (result == 1) {
            last = query_get_i64(query, 0);
            entry.time_ns = query_get_i64(query, 1);
            entry.en = query_get_text(query, 2, arena);
            entry.ja = query_get_text(query, 3, arena);
            entry.user = query_get_text(query, 4, arena);
        }
        query_end(query);
        if (result <= 0)
            return result;
        if (incident_add_entry(database, into, &entry, err) < 0)
            return -1;
    }
}

static void swallow(struct incident *into, const struct incident *from)
{
    into->finding_count += from->finding_count;
    if (from->first_event_ns < into->first_event_ns)
        into->first_event_ns = from->first_event_ns;
    if (from->last_event_ns > into->last_event_ns)
        into->last_event_ns = from->last_event_ns;
    if (from->raw_severity > into->raw_severity) {
        into->raw_severity = from->raw_severity;
        memcpy(into->en, from->en, sizeof(into->en));
        memcpy(into->ja, from->ja, sizeof(into->ja));
    }
    into->criticality |= from->criticality;
    into->severity = incident_severity(into->raw_severity, into->criticality);
}

static int tell_merge(const struct gather *gather, int64_t into, int64_t from, const struct gather_why *why, struct err *err)
{
    struct arena *arena = gather->join->arena;
    long long to_id = into, from_id = from;
    struct slice en = why->en.len ? why->en : SLICE("a finding links both");
    struct slice ja = why->ja.len ? why->ja : SLICE("検知結果が両者をつなぐため");
    if (gather_entry(gather, into, "state", why->user,
                     arena_printf(arena, "INC-%lld was joined into this: %.*s", from_id, SLICE_ARG(en)),
                     arena_printf(arena, "INC-%lld を統合しました（%.*s）", from_id, SLICE_ARG(ja)), err) < 0)
        return -1;
    return gather_entry(gather, from, "state", why->user,
                        arena_printf(arena, "Closed: it was joined into INC-%lld: %.*s", to_id, SLICE_ARG(en)),
                        arena_printf(arena, "INC-%lld に統合したため終了しました（%.*s）", to_id, SLICE_ARG(ja)), err);
}

int gather_merge(const struct gather *gather, struct incident *into, int64_t from_id, const struct gather_why *why, struct err *err)
{
    struct database *database = gather->join->database;
    struct incident from;
    if (incident_read_head(database, from_id, gather->join->arena, &from, err) < 0 ||
        move_rows(gather, into->id, from_id, err) < 0 || move_lines(gather, into->id, from_id, err) < 0)
        return -1;
    swallow(into, &from);
    if (tell_merge(gather, into->id, from_id, why, err) < 0 ||
        page_move(wake_pager(gather->join->wake), from_id, into->id, err) < 0 || move_actions(gather, into->id, from_id, err) < 0 ||
        incident_relate(database, into->id, "merged", from_id, "merged_into", SLICE_NONE, err) < 0 ||
        incident_set_state(database, from_id, NULL, "closed", SLICE_NONE, gather->now, err) < 0)
        return -1;
    gather_changed(gather->result, from_id);
    return gather_tell(gather, from_id, "closed", err);
}
