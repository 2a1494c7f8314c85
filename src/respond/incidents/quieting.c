/* Exceptions and mutes for the API, and findings one by one. */
#include "base/json.h"
#include "base/limits.h"
#include "base/time.h"
#include "respond/incidents/cases.h"
#include "respond/incidents/exceptions.h"
#include "respond/incidents/finding_rows.h"
#include "respond/inside.h"

#include <stdio.h>

/* ---- adding and ending ---- */

int respond_exception_fill(struct respond *respond, struct exception *exception, struct arena *arena, struct err *err)
{
    struct finding finding;
    struct finding_row row;
    char id[FINDING_LINE_SIZE];
    if (!exception->finding.len)
        return 0;
    snprintf(id, sizeof(id), "%.*s", SLICE_ARG(exception->finding));
    if (finding_read(respond->config.database, id, 0, arena, &finding, &row, err) < 0)
        return -1;
    if (!exception->rule.len)
        exception->rule = finding.rule_id.len ? finding.rule_id : finding.rule_name;
    if (exception->term_count)
        return 0;
    size_t count = finding.entity_count;
    if (count > EXCEPTION_TERMS_MAX) /* fewer of them would hide more */
        return err_set(err, ERR_CONFIG, "the finding names %zu entities; say which of them count, at most %d", count,
                       EXCEPTION_TERMS_MAX);
    struct exception_term *terms = arena_array(arena, count + 1, sizeof(*terms));
    if (!terms)
        return err_nomem(err);
    for (size_t i = 0; i < count; i++)
        terms[i] = (struct exception_term){false, finding.entities[i].type, finding.entities[i].value};
    exception->terms = terms;
    exception->term_count = count;
    return 0;
}

/* In a transaction, so that the thread of findings sees it from the next finding on. */
static int change(struct respond *respond, int (*act)(struct respond *respond, void *what, struct err *err), void *what,
                  struct err *err)
{
    if (database_begin(respond->config.database, err) < 0)
        return -1;
    respond->memory.exceptions_stale = true;
    if (act(respond, what, err) < 0) {
        database_rollback(respond->config.database);
        return -1;
    }
    return database_commit(respond->config.database, err);
}

static int add(struct respond *respond, void *what, struct err *err)
{
    return exception_add(respond->config.database, what, clock_wall_ns(respond->config.clock), err);
}

int respond_exception_add(struct respond *respond, struct exception *exception, struct err *err)
{
    return change(respond, add, exception, err);
}

struct ending {
    int64_t id;
    struct slice user;
};

static int end(struct respond *respond, void *what, struct err *err)
{
    const struct ending *ending = what;
    return exception_end_now(respond->config.database, ending->id, ending->user, clock_wall_ns(respond->config.clock), err);
}

int respond_exception_end(struct respond *respond, int64_t id, struct slice user, struct err *err)
{
    struct ending ending = {id, user};
    return change(respond, end, &ending, err);
}

/* ---- JSON ---- */

static void put_terms(const struct exception *exception, bool fields, struct json *json)
{
    json_key(json, fields ? "fields" : "entities");
    json_open(json, '[');
    for (size_t i = 0; i < exception->term_count; i++) {
        const struct exception_term *term = &exception->terms[i];
        if (term->is_field != fields)
            continue;
        json_open(json, '{');
        json_put_text(json, fields ? "name" : "type", term->name);
        json_put_text(json, "value", term->value);
        json_close(json, '}');
    }
    json_close(json, ']');
}

static void put_exception(const struct exception *exception, int64_t now, struct json *json)
{
    json_open(json, '{');
    json_put_i64(json, "id", exception->id);
    json_put_text(json, "kind", exception->mute ? SLICE("mute") : SLICE("exception"));
    json_put_text_or_null(json, "rule", exception->rule);
    put_terms(exception, false, json);
    put_terms(exception, true, json);
    json_put_text(json, "reason", exception->reason);
    json_put_text(json, "owner", exception->owner);
    json_put_text(json, "added_by", exception->added_by);
    json_put_time(json, "added", exception->added_ns);
    json_put_time(json, "expires", exception->expires_ns);
    json_put_time_or_null(json, "ended", exception->ended_ns);
    json_put_text_or_null(json, "ended_by", exception->ended_by);
    json_put_text_or_null(json, "finding", exception->finding);
    json_put_bool(json, "in_force", exception_end(exception) > now);
    json_put_i64(json, "count", exception->count);
    json_put_time_or_null(json, "last", exception->last_ns);
    json_close(json, '}');
}

int respond_exception_json(struct respond *respond, int64_t id, struct json *json, struct err *err)
{
    struct exception exception;
    struct arena *arena = arena_new(4 * MIB);
    if (!arena)
        return err_nomem(err);
    int result = exception_read(respond->config.database, id, arena, &exception, err);
    if (result == 0)
        put_exception(&exception, clock_wall_ns(respond->config.clock), json);
    arena_free(arena);
    return result;
}

int respond_exceptions_json(struct respond *respond, bool all, struct json *json, struct err *err)
{
    struct exception_list list;
    int64_t now = clock_wall_ns(respond->config.clock);
    struct arena *arena = arena_new(RESPOND_ARENA_MAX);
    if (!arena)
        return err_nomem(err);
    int result = exceptions_read(respond->config.database, all ? 0 : now, arena, &list, err);
    json_open(json, '{');
    json_key(json, "exceptions");
    json_open(json, '[');
    for (size_t i = 0; i < list.count && result == 0; i++)
        put_exception(&list.rows[i], now, json);
    json_close(json, ']');
    json_close(json, '}');
    arena_free(arena);
    return result;
}

static int put_sample(struct respond *respond, const struct exception_preview *preview, struct json *json, struct err *err)
{
    struct arena *arena = arena_new(16 * MIB);
    int result = arena ? 0 : err_nomem(err);
    json_key(json, "sample");
    json_open(json, '[');
    for (size_t i = 0; i < preview->sample_count && result == 0; i++) {
        struct finding finding;
        struct finding_row row;
        arena_reset(arena);
        result = finding_read(respond->config.database, NULL, preview->sample[i].number, arena, &finding, &row, err);
        if (result == 0)
            finding_json(&row, json);
        else if (err->code == ERR_NOT_FOUND)
            result = 0; /* it became too old just now */
    }
    json_close(json, ']');
    arena_free(arena);
    return result;
}

int respond_exception_preview_json(struct respond *respond, const struct exception *exception, int64_t days,
                                   struct json *json, struct err *err)
{
    struct exception_preview preview;
    int64_t now = clock_wall_ns(respond->config.clock);
    if (exception_try(respond->config.database, exception, days, now, &preview, err) < 0)
        return -1;
    bool complete = preview.from_ns <= now - days * NS_PER_DAY;
    json_open(json, '{');
    json_put_text_or_null(json, "rule", exception->rule);
    put_terms(exception, false, json);
    put_terms(exception, true, json);
    json_put_i64(json, "days", days);
    json_put_i64(json, "findings", preview.findings);
    json_put_i64(json, "incidents", preview.incidents);
    json_put_i64(json, "pages", preview.pages);
    json_put_i64(json, "looked_at", preview.looked_at);
    json_put_bool(json, "complete", complete);
    json_put_time_or_null(json, "complete_from", complete ? 0 : preview.from_ns);
    int result = put_sample(respond, &preview, json, err);
    json_close(json, '}');
    return result;
}

int respond_findings_json(struct respond *respond, struct slice incident, int64_t exception, bool loose, int64_t after,
                          int64_t limit, struct json *json, struct err *err)
{
    struct finding_page page = {.exception = exception, .loose = loose, .after = after, .limit = limit};
    int64_t known = 0;
    if (incident.len) {
        if (!incident_parse_name(incident, &page.incident))
            return err_set(err, ERR_NOT_FOUND, "there is no incident %.*s", SLICE_ARG(incident));
        if (incident_number(respond->config.database, "SELECT id FROM incidents WHERE id=?1", page.incident, &known, err) < 0)
            return -1;
        if (!known)
            return err_set(err, ERR_NOT_FOUND, "there is no incident %.*s", SLICE_ARG(incident));
    }
    return finding_page_json(respond->config.database, &page, json, err);
}

int respond_event_comments_json(struct respond *respond, struct slice event, struct json *json, struct err *err)
{
    struct query *query;
    struct arena *arena = arena_new(16 * MIB);
    int result = -1;
    if (!arena)
        return err_nomem(err);
    json_open(json, '{');
    json_key(json, "comments");
    json_open(json, '[');
    if (query_begin(respond->config.database, "SELECT incident,written_by,written_ns,text FROM event_comments WHERE event=?1 ORDER BY id"
                    " LIMIT 1000", &query, err) == 0) {
        query_text(query, 1, event);
        while ((result = query_step(query, err)) == 1) {
            char name[INCIDENT_NAME_SIZE];
            arena_reset(arena);
            incident_name(query_get_i64(query, 0), name);
            json_open(json, '{');
            json_put_text_or_null(json, "incident", query_is_null(query, 0) ? SLICE_NONE : slice_text(name));
            json_put_text(json, "user", query_get_text(query, 1, arena));
            json_put_time(json, "time", query_get_i64(query, 2));
            json_put_text(json, "text", query_get_text(query, 3, arena));
            json_close(json, '}');
        }
        query_end(query);
    }
    json_close(json, ']');
    json_close(json, '}');
    arena_free(arena);
    return result;
}
