#include "respond/incidents/exceptions.h"

#include "base/clock.h"
#include "base/limits.h"
#include "respond/incidents/incident.h"
#include "respond/incidents/links.h"

/* ---- fitting ---- */

static bool same_entity(const struct entity *a, const struct entity *b)
{
    if (slice_equal(a->type, b->type) && slice_equal(a->value, b->value))
        return true;
    return slice_equal_nocase(a->value, b->value) && links_meet(a, b);
}

static bool has(const struct entity *list, size_t count, const struct exception_term *term)
{
    const struct entity wanted = {term->name, term->value};
    for (size_t i = 0; i < count; i++)
        if (term->is_field ? slice_equal(list[i].type, term->name) && slice_equal(list[i].value, term->value)
                           : same_entity(&list[i], &wanted))
            return true;
    return false;
}

static bool is_of_rule(const struct finding *finding, struct slice rule)
{
    return slice_equal(rule, finding->rule_id) || slice_equal(rule, finding->rule_name) || slice_equal(rule, finding->catalogue) ||
           slice_equal(rule, finding->title);
}

bool exception_fits(const struct exception *exception, const struct finding *finding)
{
    if (exception->rule.len && !is_of_rule(finding, exception->rule))
        return false;
    for (size_t i = 0; i < exception->term_count; i++) {
        const struct exception_term *term = &exception->terms[i];
        if (!(term->is_field ? has(finding->groups, finding->group_count, term)
                             : has(finding->entities, finding->entity_count, term)))
            return false;
    }
    return true;
}

int64_t exception_end(const struct exception *exception)
{
    return exception->ended_ns && exception->ended_ns < exception->expires_ns ? exception->ended_ns : exception->expires_ns;
}

/* ---- rows ---- */

static int read_terms(struct database *database, struct arena *arena, struct exception *exception, struct err *err)
{
    struct query *query;
    int64_t count;
    int result;
    if (incident_number(database, "SELECT count(*) FROM exception_terms WHERE exception=?1", exception->id, &count, err) < 0)
        return -1;
    struct exception_term *terms = arena_array(arena, (size_t)count + 1, sizeof(*terms));
    if (!terms)
        return err_nomem(err);
    if (query_begin(database, "SELECT field,name,value FROM exception_terms WHERE exception=?1 ORDER BY field,name,value",
                    &query, err) < 0)
        return -1;
    query_i64(query, 1, exception->id);
    while ((result = query_step(query, err)) == 1 && exception->term_count < (size_t)count)
        terms[exception->term_count++] = (struct exception_term){query_get_i64(query, 0) != 0, query_get_text(query, 1, arena),
                                                                 query_get_text(query, 2, arena)};
    query_end(query);
    exception->terms = terms;
    return result < 0 ? -1 : 0;
}

#define SELECT_ROW "SELECT id,kind='mute',rule,reason,owner,added_by,ended_by,finding,added_ns,expires_ns,ended_ns,count,last_ns FROM exceptions "

static void read_row(struct query *query, struct arena *arena, struct exception *out)
{
    *out = (struct exception){
        .id = query_get_i64(query, 0), .mute = query_get_i64(query, 1) != 0, .rule = query_get_text(query, 2, arena),
        .reason = query_get_text(query, 3, arena), .owner = query_get_text(query, 4, arena),
        .added_by = query_get_text(query, 5, arena), .ended_by = query_get_text(query, 6, arena),
        .finding = query_get_text(query, 7, arena), .added_ns = query_get_i64(query, 8),
        .expires_ns = query_get_i64(query, 9), .ended_ns = query_get_i64(query, 10), .count = query_get_i64(query, 11),
        .last_ns = query_get_i64(query, 12)};
}

int exceptions_read(struct database *database, int64_t since_ns, struct arena *arena, struct exception_list *out,
                    struct err *err)
{
    struct query *query;
    struct exception *rows = NULL;
    size_t room = 0;
    int result;
    *out = (struct exception_list){.arena = arena};
    if (query_begin(database, SELECT_ROW "WHERE min(expires_ns,coalesce(ended_ns,expires_ns))>?1 ORDER BY id", &query, err) < 0)
        return -1;
    query_i64(query, 1, since_ns);
    while ((result = query_step(query, err)) == 1) {
        if (out->count == room) {
            size_t more = room ? 2 * room : 16;
            rows = arena_grow(arena, rows, room * sizeof(*rows), more * sizeof(*rows));
            room = more;
            result = rows ? 0 : err_nomem(err);
        }
        if (result < 0)
            break;
        read_row(query, arena, &rows[out->count++]);
    }
    query_end(query);
    for (size_t i = 0; i < out->count && result == 0; i++)
        result = read_terms(database, arena, &rows[i], err);
    out->rows = rows;
    return result < 0 ? -1 : 0;
}

int exception_read(struct database *database, int64_t id, struct arena *arena, struct exception *out, struct err *err)
{
    struct query *query;
    if (query_begin(database, SELECT_ROW "WHERE id=?1", &query, err) < 0)
        return -1;
    query_i64(query, 1, id);
    int result = query_step(query, err);
    if (result == 1)
        read_row(query, arena, out);
    query_end(query);
    if (result == 0)
        return err_set(err, ERR_NOT_FOUND, "there is no exception %lld", (long long)id);
    return result < 0 ? -1 : read_terms(database, arena, out, err);
}

/* ---- adding and ending ---- */

static int check_terms(const struct exception *exception, struct err *err)
{
    bool entity = false;
    size_t bytes = exception->rule.len + exception->reason.len + exception->owner.len;
    if (exception->term_count > EXCEPTION_TERMS_MAX)
        return err_set(err, ERR_CONFIG, "at most %d values can be named", EXCEPTION_TERMS_MAX);
    for (size_t i = 0; i < exception->term_count; i++) {
        const struct exception_term *term = &exception->terms[i];
        if (!term->name.len || !term->value.len)
            return err_set(err, ERR_CONFIG, "each entity has a type and a value, each field a name and a value");
        bytes += term->name.len + term->value.len;
        entity |= !term->is_field;
    }
    if (bytes > EXCEPTION_BYTES_MAX)
        return err_set(err, ERR_CONFIG, "rule, reason, owner and values together have at most %d bytes", EXCEPTION_BYTES_MAX);
    if (!exception->rule.len && !entity)
        return err_set(err, ERR_CONFIG, "name a rule or at least one entity: otherwise it would hide everything");
    return 0;
}

int exception_check(const struct exception *exception, int64_t now, struct err *err)
{
    if (slice_trim(exception->reason).len == 0)
        return err_set(err, ERR_CONFIG, "a reason is needed: who reads this in a year must know why");
    if (slice_trim(exception->owner).len == 0)
        return err_set(err, ERR_CONFIG, "an owner is needed: somebody who is asked when it ends");
    if (exception->expires_ns <= now)
        return err_set(err, ERR_CONFIG, "expires is needed, and lies ahead: a time or +30d");
    if (exception->expires_ns - now > EXCEPTION_DAYS_MAX * NS_PER_DAY)
        return err_set(err, ERR_CONFIG, "it may last at most %d days; look at it again then", EXCEPTION_DAYS_MAX);
    return check_terms(exception, err);
}

static int insert_row(struct database *database, struct exception *exception, int64_t now, struct err *err)
{
    struct query *query;
    if (query_begin(database, "INSERT INTO exceptions(kind,rule,reason,owner,added_by,added_ns,expires_ns,finding)"
                    " VALUES(?1,?2,?3,?4,?5,?6,?7,?8)", &query, err) < 0)
        return -1;
    query_text(query, 1, exception->mute ? SLICE("mute") : SLICE("exception"));
    query_text(query, 2, exception->rule.len ? exception->rule : SLICE_NONE);
    query_text(query, 3, exception->reason);
    query_text(query, 4, exception->owner);
    query_text(query, 5, exception->added_by);
    query_i64(query, 6, now);
    query_i64(query, 7, exception->expires_ns);
    query_text(query, 8, exception->finding.len ? exception->finding : SLICE_NONE);
    int result = query_step(query, err);
    exception->id = database_last_id(database);
    exception->added_ns = now;
    query_end(query);
    return result < 0 ? -1 : 0;
}

static int insert_term(struct database *database, int64_t id, const struct exception_term *term, struct err *err)
{
    struct query *query;
    if (query_begin(database, "INSERT OR IGNORE INTO exception_terms(exception,field,name,value) VALUES(?1,?2,?3,?4)", &query,
                    err) < 0)
        return -1;
    query_i64(query, 1, id);
    query_i64(query, 2, term->is_field);
    query_text(query, 3, term->name);
    query_text(query, 4, term->value);
    return query_run(query, err);
}

int exception_add(struct database *database, struct exception *exception, int64_t now, struct err *err)
{
    int64_t count;
    if (exception_check(exception, now, err) < 0 ||
        incident_number(database, "SELECT count(*) FROM exceptions WHERE min(expires_ns,coalesce(ended_ns,expires_ns))>?1",
                        now - EXCEPTION_ENDED_DAYS * NS_PER_DAY, &count, err) < 0)
        return -1;
    if (count >= EXCEPTIONS_MAX)
        return err_set(err, ERR_LIMIT, "%d exceptions and mutes were in force in the last %d days; that is the most. Name fewer values more widely",
                       EXCEPTIONS_MAX, EXCEPTION_ENDED_DAYS);
    if (insert_row(database, exception, now, err) < 0)
        return -1;
    for (size_t i = 0; i < exception->term_count; i++)
        if (insert_term(database, exception->id, &exception->terms[i], err) < 0)
            return -1;
    return 0;
}

int exception_end_now(struct database *database, int64_t id, struct slice user, int64_t now, struct err *err)
{
    struct query *query;
    int64_t known;
    if (incident_number(database, "SELECT 1 FROM exceptions WHERE id=?1", id, &known, err) < 0)
        return -1;
    if (!known)
        return err_set(err, ERR_NOT_FOUND, "there is no exception %lld", (long long)id);
    if (query_begin(database, "UPDATE exceptions SET ended_ns=?2,ended_by=?3 WHERE id=?1 AND ended_ns IS NULL AND expires_ns>?2",
                    &query, err) < 0)
        return -1;
    query_i64(query, 1, id);
    query_i64(query, 2, now);
    query_text(query, 3, user);
    int result = query_step(query, err);
    int64_t changed = database_changes(database);
    query_end(query);
    if (result == 0 && !changed)
        return err_set(err, ERR_CONFLICT, "exception %lld has ended already", (long long)id);
    return result;
}

int exception_count(struct database *database, int64_t id, int64_t now, struct err *err)
{
    struct query *query;
    if (query_begin(database, "UPDATE exceptions SET count=count+1,last_ns=?2 WHERE id=?1", &query, err) < 0)
        return -1;
    query_i64(query, 1, id);
    query_i64(query, 2, now);
    return query_run(query, err);
}

/* ---- what it would have done ---- */

enum { STEP_ROWS = 500, INCIDENTS_ROOM = 4096 };

struct trying {
    struct database *database;
    const struct exception *exception;
    struct exception_preview *out;
    struct arena *arena; /* of a step */
    struct {
        int64_t id, matched; /* findings that alone would have opened it */
    } incidents[INCIDENTS_ROOM];
    size_t incident_count;
};

static int add_incident(struct trying *trying, int64_t incident, bool loud, struct err *err)
{
    size_t at = 0;
    while (at < trying->incident_count && trying->incidents[at].id != incident)
        at++;
    if (at == INCIDENTS_ROOM)
        return err_set(err, ERR_LIMIT, "it fits findings of more than %d incidents; name more values", INCIDENTS_ROOM);
    if (at == trying->incident_count) {
        trying->incidents[at].id = incident;
        trying->incidents[at].matched = 0;
        trying->incident_count++;
    }
    trying->incidents[at].matched += loud;
    return 0;
}

static int look_at(struct trying *trying, struct query *query, struct err *err)
{
    struct exception_preview *out = trying->out;
    struct finding finding;
    int64_t incident = query_get_i64(query, 1);
    bool loud = query_get_i64(query, 3) >= SEVERITY_MEDIUM && query_is_null(query, 4);
    out->looked_at++;
    if (finding_decode(query_get_text(query, 5, trying->arena), trying->arena, &finding, err) < 0)
        return -1;
    if (!exception_fits(trying->exception, &finding))
        return 0;
    out->findings++;
    if (out->sample_count < EXCEPTION_SAMPLE_MAX) {
        out->sample[out->sample_count].number = query_get_i64(query, 0);
        out->sample[out->sample_count].incident = incident;
        out->sample[out->sample_count++].event_ns = query_get_i64(query, 2);
    }
    return incident ? add_incident(trying, incident, loud, err) : 0;
}

/* Some hundred rows at a time, so that nobody else waits long for the database. */
static int look_at_some(struct trying *trying, int64_t since, int64_t *before, struct err *err)
{
    struct query *query;
    int result, rows = 0;
    if (query_begin(trying->database, "SELECT number,incident,event_ns,severity,mute,bytes FROM findings WHERE number<?1 AND"
                    " filed_ns>=?2 AND exception IS NULL ORDER BY number DESC LIMIT ?3", &query, err) < 0)
        return -1;
    query_i64(query, 1, *before);
    query_i64(query, 2, since);
    query_i64(query, 3, STEP_ROWS);
    while ((result = query_step(query, err)) == 1) {
        arena_reset(trying->arena);
        rows++;
        *before = query_get_i64(query, 0);
        result = look_at(trying, query, err);
        if (result < 0)
            break;
    }
    query_end(query);
    return result < 0 ? -1 : rows;
}

static int count_incident(struct trying *trying, int64_t incident, int64_t matched, struct err *err)
{
    int64_t loud, pages;
    if (incident_number(trying->database, "SELECT count(*) FROM findings WHERE incident=?1 AND severity>=2 AND mute IS NULL",
                        incident, &loud, err) < 0 ||
        incident_number(trying->database, "SELECT count(*) FROM outbox WHERE incident=?1", incident, &pages, err) < 0)
        return -1;
    if (loud > matched)
        return 0;
    trying->out->incidents++;
    trying->out->pages += pages;
    return 0;
}

int exception_try(struct database *database, const struct exception *exception, int64_t days, int64_t now,
                  struct exception_preview *out, struct err *err)
{
    struct arena *arena = arena_new(64 * MIB);
    struct trying *trying = arena ? arena_calloc(arena, sizeof(*trying)) : NULL;
    int64_t before = INT64_MAX;
    int more = 1, result = -1;
    *out = (struct exception_preview){0};
    if (trying) {
        *trying = (struct trying){.database = database, .exception = exception, .out = out, .arena = arena_new(16 * MIB)};
        while (trying->arena && more > 0)
            more = look_at_some(trying, now - days * NS_PER_DAY, &before, err);
        result = trying->arena ? more : err_nomem(err);
        for (size_t i = 0; i < trying->incident_count && result == 0; i++)
            result = count_incident(trying, trying->incidents[i].id, trying->incidents[i].matched, err);
        if (result == 0)
            result = incident_number(database, "SELECT from_ns FROM finding_stock", 0, &out->from_ns, err);
        arena_free(trying->arena);
    } else {
        err_nomem(err);
    }
    arena_free(arena);
    return result;
}
