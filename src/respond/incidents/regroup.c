/* Merging and splitting by hand. */
#include "base/limits.h"
#include "respond/incidents/cases.h"
#include "respond/incidents/gather.h"
#include "respond/incidents/links.h"
#include "respond/inside.h"

#include <stdio.h>

struct regroup {
    const struct slice *names; /* of incidents, or ids of findings */
    size_t count;
    struct slice reason;
    int64_t *out;
};

static int count_check(size_t count, const char *what, struct err *err)
{
    if (count == 0)
        return err_set(err, ERR_CONFIG, "%s are needed", what);
    return count > HANDED_MAX ? err_set(err, ERR_LIMIT, "at most %d %s at a time", HANDED_MAX, what) : 0;
}

/* ---- merging ---- */

/* They may come apart no more by an earlier split. */
static int forget_split(struct deed *deed, int64_t other, struct err *err)
{
    struct query *query;
    if (query_begin(deed->respond->config.database, "DELETE FROM incident_relations WHERE kind IN ('split_from','split_to') AND"
                    " incident IN (?1,?2) AND other IN (?1,?2)", &query, err) < 0)
        return -1;
    query_i64(query, 1, deed->id);
    query_i64(query, 2, other);
    return query_run(query, err);
}

static int merge_one(struct deed *deed, const struct gather *gather, struct slice name, struct incident *into, struct err *err)
{
    const struct regroup *what = deed->what;
    struct incident other;
    int64_t id;
    if (!incident_parse_name(name, &id))
        return err_set(err, ERR_NOT_FOUND, "there is no incident %.*s", SLICE_ARG(name));
    if (id == deed->id)
        return err_set(err, ERR_CONFIG, "INC-%lld cannot be joined into itself", (long long)id);
    if (incident_read_head(deed->respond->config.database, id, deed->arena, &other, err) < 0)
        return -1;
    if (slice_is(other.state, "closed"))
        return err_set(err, ERR_CONFLICT, "INC-%lld is closed and does not change any more; open it again first", (long long)id);
    const struct gather_why why = {
        .user = deed->user,
        .en = arena_printf(deed->arena, "%.*s says so: %.*s", SLICE_ARG(deed->user), SLICE_ARG(what->reason)),
        .ja = arena_printf(deed->arena, "%.*s の判断: %.*s", SLICE_ARG(deed->user), SLICE_ARG(what->reason))};
    return forget_split(deed, id, err) < 0 ? -1 : gather_merge(gather, into, id, &why, err);
}

static int do_merge(struct deed *deed, struct err *err)
{
    const struct regroup *what = deed->what;
    struct join join = deed_join(deed);
    const struct gather gather = {&join, deed->now, &deed->changed};
    struct incident into = deed->incident;
    enum severity before = into.severity;
    gather_changed(&deed->changed, deed->id);
    for (size_t i = 0; i < what->count; i++)
        if (merge_one(deed, &gather, what->names[i], &into, err) < 0)
            return -1;
    into.updated_ns = deed->now;
    if (incident_update(deed->respond->config.database, &into, err) < 0)
        return -1;
    return into.severity > before ? gather_tell(&gather, into.id, "severity", err) : 0;
}

int respond_merge(struct respond *respond, struct slice id, struct slice user, const struct slice *from, size_t count,
                  struct slice reason, struct err *err)
{
    const struct regroup what = {.names = from, .count = count, .reason = reason};
    if (count_check(count, "incidents to join into this one", err) < 0 || text_check(reason, "a reason", err) < 0)
        return -1;
    if (count > JOIN_FOUND_MAX)
        return err_set(err, ERR_LIMIT, "at most %d incidents at a time", JOIN_FOUND_MAX);
    return deed_do(respond, id, user, &what, do_merge, err);
}

/* ---- splitting ---- */

static int move_finding(struct deed *deed, const struct gather *gather, struct slice id, struct incident *to, struct err *err)
{
    char key[FINDING_LINE_SIZE];
    struct finding finding;
    struct finding_row row;
    struct arena *arena = deed->arena;
    struct arena_mark mark = arena_mark(arena);
    snprintf(key, sizeof(key), "%.*s", SLICE_ARG(id));
    if (finding_read(deed->respond->config.database, key, 0, arena, &finding, &row, err) < 0)
        return err_within(err, "%.*s", SLICE_ARG(id));
    if (row.incident == to->id) /* named twice */
        return 0;
    if (row.incident != deed->id)
        return err_set(err, ERR_CONFIG, "the finding %.*s is not in INC-%lld", SLICE_ARG(id), (long long)deed->id);
    if (finding_move(deed->respond->config.database, row.number, to->id, err) < 0 ||
        gather_finding(gather, to->id, &finding, row.line, err) < 0)
        return -1;
    to->finding_count++;
    if (to->finding_count == 1 || finding.event_ns < to->first_event_ns)
        to->first_event_ns = finding.event_ns;
    if (to->finding_count == 1 || finding.event_ns > to->last_event_ns)
        to->last_event_ns = finding.event_ns;
    if (!row.mute && (to->finding_count == 1 || finding.severity > to->raw_severity)) {
        struct finding *copy = arena_alloc(arena, sizeof(*copy));
        if (!copy || !finding_copy(&finding, arena, copy))
            return err_nomem(err);
        to->raw_severity = finding.severity;
        gather_words(to, copy, NULL);
        return 0; /* its texts stay in the arena */
    }
    arena_rewind(arena, &mark);
    return 0;
}

/* Entities of one finding of an incident, to which they are added. */
static int add_entities_of(struct deed *deed, const struct gather *gather, struct incident *to, const struct finding *finding,
                           struct err *err)
{
    bool nomem = false;
    struct incident_entity *rows = arena_array(deed->arena, finding->entity_count + 1, sizeof(*rows));
    if (!rows)
        return err_nomem(err);
    for (size_t i = 0; i < finding->entity_count; i++) {
        rows[i].entity = finding->entities[i];
        rows[i].link = i < JOIN_LINKS_MAX ? link_of(&rows[i].entity, deed->arena, &nomem) : SLICE_NONE;
        struct hub_answer hub = {0};
        if (rows[i].link.ptr && hubs_ask(&gather->join->memory->hubs, gather->join->memory->assets, &rows[i].entity, rows[i].link,
                                         finding->event_ns, &hub, err) < 0)
            return -1;
        rows[i].glue = rows[i].link.ptr && !hub.hub;
    }
    return nomem ? err_nomem(err) : gather_entities(gather, to, rows, finding->entity_count, err) < 0 ? -1 : 0;
}

/* All entities of an incident from its findings, one after another. */
static int add_all_entities(struct deed *deed, const struct gather *gather, struct incident *to, struct err *err)
{
    for (int64_t number = 0;;) {
        struct finding finding;
        struct finding_row row;
        struct query *query;
        struct arena_mark mark = arena_mark(deed->arena);
        if (query_begin(deed->respond->config.database, "SELECT min(number) FROM findings WHERE incident=?1 AND number>?2", &query, err) < 0)
            return -1;
        query_i64(query, 1, to->id);
        query_i64(query, 2, number);
        int result = query_step(query, err);
        number = result == 1 ? query_get_i64(query, 0) : 0;
        query_end(query);
        if (result < 0 || number == 0)
            return result < 0 ? -1 : 0;
        if (finding_read(deed->respond->config.database, NULL, number, deed->arena, &finding, &row, err) < 0 ||
            add_entities_of(deed, gather, to, &finding, err) < 0)
            return -1;
        arena_rewind(deed->arena, &mark);
    }
}

static int run_two(struct deed *deed, const char *sql, int64_t other, struct err *err)
{
    struct query *query;
    if (query_begin(deed->respond->config.database, sql, &query, err) < 0)
        return -1;
    query_i64(query, 1, deed->id);
    query_i64(query, 2, other);
    return query_run(query, err);
}

/* Lines, entities, times and severity of what is left, from the findings that are left. */
static int settle_rest(struct deed *deed, const struct gather *gather, struct incident *rest, int64_t split, struct err *err)
{
    struct database *database = deed->respond->config.database;
    struct query *query;
    if (run_two(deed, "DELETE FROM incident_entities WHERE incident=?1", split, err) < 0 ||
        run_two(deed, "DELETE FROM incident_lines WHERE incident=?1 AND NOT EXISTS(SELECT 1 FROM findings f WHERE f.incident=?1 AND"
                " f.line=incident_lines.line)", split, err) < 0 ||
        run_two(deed, "UPDATE incident_lines SET (count,first_ns,last_ns,severity)=(SELECT count(*),min(event_ns),max(event_ns),"
                "max(severity) FROM findings f WHERE f.incident=?1 AND f.line=incident_lines.line) WHERE incident=?1 AND line IN"
                " (SELECT line FROM incident_lines WHERE incident=?2)", split, err) < 0 ||
        query_begin(database, "SELECT count(*),min(event_ns),max(event_ns),max(CASE WHEN mute IS NULL THEN severity ELSE 0 END)"
                    " FROM findings WHERE incident=?1", &query, err) < 0)
        return -1;
    query_i64(query, 1, rest->id);
    int result = query_step(query, err);
    if (result == 1) {
        rest->finding_count = query_get_i64(query, 0);
        rest->first_event_ns = query_get_i64(query, 1);
        rest->last_event_ns = query_get_i64(query, 2);
        rest->raw_severity = (enum severity)query_get_i64(query, 3);
    }
    query_end(query);
    rest->criticality = 0;
    rest->severity = rest->raw_severity;
    return result < 0 ? -1 : add_all_entities(deed, gather, rest, err);
}

/* A value of both joins further findings to the first only: else the next one would join them again. */
static int part_links(struct deed *deed, int64_t split, struct err *err)
{
    return run_two(deed, "UPDATE incident_entities SET glue=0 WHERE incident=?2 AND glue=1 AND link IN (SELECT link FROM"
                   " incident_entities WHERE incident=?1 AND glue=1)", split, err) < 0
               ? -1
               : incident_relate(deed->respond->config.database, split, "split_from", deed->id, "split_to", SLICE_NONE, err);
}

static int tell_split(struct deed *deed, const struct gather *gather, int64_t split, struct err *err)
{
    const struct regroup *what = deed->what;
    struct arena *arena = deed->arena;
    long long to = split, from = deed->id;
    if (gather_entry(gather, deed->id, "state", deed->user,
                     arena_printf(arena, "%zu findings were split off as INC-%lld by %.*s: %.*s", what->count, to,
                                  SLICE_ARG(deed->user), SLICE_ARG(what->reason)),
                     arena_printf(arena, "%.*s が検知%zu件を INC-%lld へ分割しました: %.*s", SLICE_ARG(deed->user), what->count, to,
                                  SLICE_ARG(what->reason)), err) < 0)
        return -1;
    return gather_entry(gather, split, "state", deed->user,
                        arena_printf(arena, "Split off from INC-%lld by %.*s: %.*s", from, SLICE_ARG(deed->user), SLICE_ARG(what->reason)),
                        arena_printf(arena, "%.*s が INC-%lld から分割しました: %.*s", SLICE_ARG(deed->user), from,
                                     SLICE_ARG(what->reason)), err);
}

static int do_split(struct deed *deed, struct err *err)
{
    const struct regroup *what = deed->what;
    struct database *database = deed->respond->config.database;
    struct join join = deed_join(deed);
    const struct gather gather = {&join, deed->now, &deed->changed};
    struct incident rest = deed->incident;
    struct incident split = {.opened_ns = deed->now, .updated_ns = deed->now, .severity = SEVERITY_LOW};
    if (incident_insert(database, &split, err) < 0)
        return -1;
    for (size_t i = 0; i < what->count; i++)
        if (move_finding(deed, &gather, what->names[i], &split, err) < 0)
            return -1;
    split.severity = split.raw_severity;
    if (add_all_entities(deed, &gather, &split, err) < 0 || settle_rest(deed, &gather, &rest, split.id, err) < 0)
        return -1;
    if (rest.finding_count == 0)
        return err_set(err, ERR_CONFIG, "these are all findings of INC-%lld: at least one must stay", (long long)deed->id);
    rest.updated_ns = deed->now;
    if (part_links(deed, split.id, err) < 0 || tell_split(deed, &gather, split.id, err) < 0 ||
        incident_update(database, &split, err) < 0 || incident_update(database, &rest, err) < 0)
        return -1;
    gather_changed(&deed->changed, split.id); /* the gate hears of it before the other shrinks */
    gather_changed(&deed->changed, deed->id);
    *what->out = split.id;
    return gather_tell(&gather, split.id, "opened", err);
}

int respond_split(struct respond *respond, struct slice id, struct slice user, const struct slice *findings, size_t count,
                  struct slice reason, int64_t *out, struct err *err)
{
    const struct regroup what = {.names = findings, .count = count, .reason = reason, .out = out};
    if (count_check(count, "findings to split off", err) < 0 || text_check(reason, "a reason", err) < 0)
        return -1;
    return deed_do(respond, id, user, &what, do_split, err);
}
