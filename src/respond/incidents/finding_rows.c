#include "respond/incidents/finding_rows.h"

#include "base/hash.h"
#include "base/limits.h"
#include "respond/incidents/incident.h"

#include <stdio.h>
#include <stdlib.h>

#define FINDING_BYTES_MAX (4 * MIB)
enum { TRIM_STEP = 1000 };

/* ---- lines ---- */

static int by_type_and_value(const void *a, const void *b)
{
    const struct entity *x = a, *y = b;
    int order = slice_compare(x->type, y->type);
    return order ? order : slice_compare(x->value, y->value);
}

/* The order of entities is the rule's, except where a search brought them. */
static void put_entities(const struct finding *finding, struct buffer *to)
{
    struct entity sorted[JOIN_LINKS_MAX];
    size_t count = finding->entity_count < JOIN_LINKS_MAX ? finding->entity_count : JOIN_LINKS_MAX;
    if (count)
        memcpy(sorted, finding->entities, count * sizeof(*sorted));
    qsort(sorted, count, sizeof(*sorted), by_type_and_value);
    for (size_t i = 0; i < count; i++) {
        buffer_put_block(to, sorted[i].type);
        buffer_put_block(to, sorted[i].value);
    }
}

void finding_line(const struct finding *finding, char to[FINDING_LINE_SIZE])
{
    struct buffer text;
    buffer_init(&text, FINDING_BYTES_MAX);
    buffer_put_block(&text, finding->rule_id);
    buffer_put_block(&text, finding->rule_name);
    if (finding->group_key.len)
        buffer_put_block(&text, finding->group_key);
    else
        put_entities(finding, &text);
    struct hash128 hash = hash_bytes128(buffer_slice(&text));
    snprintf(to, FINDING_LINE_SIZE, "%016llx%016llx", (unsigned long long)hash.high, (unsigned long long)hash.low);
    buffer_close(&text);
}

static struct slice rule_of(const struct finding *finding)
{
    return finding->rule_name.len ? finding->rule_name : finding->rule_id.len ? finding->rule_id : SLICE("");
}

int line_count(struct database *database, int64_t incident, const char *line, const struct finding *finding, bool *first,
               struct err *err)
{
    struct query *query;
    if (query_begin(database, "INSERT INTO incident_lines(incident,line,rule,severity,count,first_ns,last_ns,shown)"
                    " VALUES(?1,?2,?3,?4,1,?5,?5,0) ON CONFLICT DO UPDATE SET count=count+1,"
                    "severity=max(severity,excluded.severity),first_ns=min(first_ns,excluded.first_ns),"
                    "last_ns=max(last_ns,excluded.last_ns) RETURNING count", &query, err) < 0)
        return -1;
    query_i64(query, 1, incident);
    query_text(query, 2, slice_text(line));
    query_text(query, 3, rule_of(finding));
    query_i64(query, 4, finding->severity);
    query_i64(query, 5, finding->event_ns);
    int result = query_step(query, err);
    *first = result == 1 && query_get_i64(query, 0) == 1;
    if (result == 1)
        result = query_step(query, err); /* to its end, so that it is done */
    query_end(query);
    return result < 0 ? -1 : 0;
}

int line_show(struct database *database, int64_t incident, const char *line, struct err *err)
{
    struct query *query;
    if (query_begin(database, "UPDATE incident_lines SET shown=1 WHERE incident=?1 AND line=?2", &query, err) < 0)
        return -1;
    query_i64(query, 1, incident);
    query_text(query, 2, slice_text(line));
    return query_run(query, err);
}

/* ---- rows ---- */

int finding_is_known(struct database *database, const char *id, struct err *err)
{
    struct query *query;
    if (query_begin(database, "SELECT 1 FROM findings WHERE id=?1", &query, err) < 0)
        return -1;
    query_text(query, 1, slice_text(id));
    int result = query_step(query, err);
    query_end(query);
    return result;
}

static void bind_or_null(struct query *query, int index, int64_t n)
{
    if (n)
        query_i64(query, index, n);
}

static int insert(struct database *database, struct finding_row *row, struct slice bytes, struct err *err)
{
    struct query *query;
    const struct finding *finding = row->finding;
    if (query_begin(database, "INSERT INTO findings(id,incident,line,rule,severity,event_ns,filed_ns,exception,mute,bytes)"
                    " VALUES(?1,?2,?3,?4,?5,?6,?7,?8,?9,?10)", &query, err) < 0)
        return -1;
    query_text(query, 1, slice_text(finding->id));
    bind_or_null(query, 2, row->incident);
    query_text(query, 3, slice_text(row->line));
    query_text(query, 4, finding->rule_id.ptr ? finding->rule_id : SLICE(""));
    query_i64(query, 5, finding->severity);
    query_i64(query, 6, finding->event_ns);
    query_i64(query, 7, row->filed_ns);
    bind_or_null(query, 8, row->exception);
    bind_or_null(query, 9, row->mute);
    query_blob(query, 10, bytes.ptr, bytes.len);
    int result = query_step(query, err);
    row->number = database_last_id(database);
    query_end(query);
    return result < 0 ? -1 : 0;
}

int finding_insert(struct database *database, struct finding_row *row, struct err *err)
{
    struct buffer bytes;
    buffer_init(&bytes, FINDING_BYTES_MAX);
    finding_encode(row->finding, &bytes);
    int result = buffer_failed(&bytes) ? err_nomem(err) : insert(database, row, buffer_slice(&bytes), err);
    buffer_close(&bytes);
    return result;
}

int finding_move(struct database *database, int64_t number, int64_t incident, struct err *err)
{
    struct query *query;
    int64_t done;
    if (incident_number(database, "DELETE FROM finding_links WHERE finding=?1", number, &done, err) < 0 ||
        query_begin(database, "UPDATE findings SET incident=?2 WHERE number=?1", &query, err) < 0)
        return -1;
    query_i64(query, 1, number);
    query_i64(query, 2, incident);
    return query_run(query, err);
}

int finding_add_links(struct database *database, int64_t number, const struct slice *links, size_t count, int64_t event_ns,
                      struct err *err)
{
    for (size_t i = 0; i < count; i++) {
        struct query *query;
        if (query_begin(database, "INSERT OR IGNORE INTO finding_links(link,finding,event_ns) VALUES(?1,?2,?3)", &query, err) < 0)
            return -1;
        query_text(query, 1, links[i]);
        query_i64(query, 2, number);
        query_i64(query, 3, event_ns);
        if (query_run(query, err) < 0)
            return -1;
    }
    return 0;
}

int finding_trim(struct database *database, struct err *err)
{
    int64_t loose, done;
    if (incident_number(database, "SELECT count(*) FROM findings WHERE incident IS NULL", 0, &loose, err) < 0)
        return -1;
    if (loose <= FINDINGS_LOOSE_MAX)
        return 0;
    loose = loose - FINDINGS_LOOSE_MAX + TRIM_STEP; /* some more, so that it is not asked each time */
    return incident_number(database, "UPDATE finding_stock SET dropped=dropped+?1,from_ns=max(from_ns,1+coalesce((SELECT"
                           " max(filed_ns) FROM (SELECT filed_ns FROM findings WHERE incident IS NULL ORDER BY number LIMIT ?1)),0))",
                           loose, &done, err) < 0 ||
                   incident_number(database, "DELETE FROM findings WHERE number IN (SELECT number FROM findings WHERE"
                                   " incident IS NULL ORDER BY number LIMIT ?1)", loose, &done, err) < 0
               ? -1
               : 0;
}

#define SELECT_ROW "SELECT number,line,incident,exception,mute,filed_ns,bytes FROM findings "

static int take_row(struct query *query, struct arena *arena, struct finding *finding, struct finding_row *row, struct err *err)
{
    *row = (struct finding_row){.number = query_get_i64(query, 0), .finding = finding,
                                .line = arena_string(arena, query_get_text(query, 1, arena)),
                                .incident = query_get_i64(query, 2), .exception = query_get_i64(query, 3),
                                .mute = query_get_i64(query, 4), .filed_ns = query_get_i64(query, 5)};
    struct slice bytes = query_get_text(query, 6, arena);
    return row->line && bytes.ptr ? finding_decode(bytes, arena, finding, err) : err_nomem(err);
}

int finding_read(struct database *database, const char *id, int64_t number, struct arena *arena, struct finding *finding,
                 struct finding_row *row, struct err *err)
{
    struct query *query;
    if (query_begin(database, id ? SELECT_ROW "WHERE id=?1" : SELECT_ROW "WHERE number=?1", &query, err) < 0)
        return -1;
    if (id)
        query_text(query, 1, slice_text(id));
    else
        query_i64(query, 1, number);
    int result = query_step(query, err);
    if (result == 1)
        result = take_row(query, arena, finding, row, err);
    else if (result == 0)
        result = err_set(err, ERR_NOT_FOUND, "there is no such finding, or it was too old to be kept");
    query_end(query);
    return result;
}

/* ---- JSON ---- */

static void put_pairs(struct json *json, const char *key, const struct entity *list, size_t count)
{
    json_key(json, key);
    json_open(json, '[');
    for (size_t i = 0; i < count; i++) {
        json_open(json, '{');
        json_put_text(json, "type", list[i].type);
        json_put_text(json, "value", list[i].value);
        json_close(json, '}');
    }
    json_close(json, ']');
}

static void put_evidence(struct json *json, const struct finding *finding)
{
    json_key(json, "events");
    json_open(json, '[');
    for (size_t i = 0; i < finding->evidence_count; i++) {
        char seq[24];
        json_open(json, '{');
        json_put_text_or_null(json, "id", finding->evidence[i].event_id);
        snprintf(seq, sizeof(seq), "%llu", (unsigned long long)finding->evidence[i].seq);
        json_put_text(json, "seq", slice_text(seq)); /* beyond 2^53 a number would not do */
        json_put_time(json, "time", finding->evidence[i].time_ns);
        json_close(json, '}');
    }
    json_close(json, ']');
    json_put_i64(json, "event_count", (int64_t)(finding->evidence_seen ? finding->evidence_seen : finding->evidence_count));
}

static void put_number_or_null(struct json *json, const char *key, int64_t n)
{
    json_key(json, key);
    if (n)
        json_i64(json, n);
    else
        json_null(json);
}

void finding_json(const struct finding_row *row, struct json *json)
{
    const struct finding *finding = row->finding;
    char name[INCIDENT_NAME_SIZE];
    incident_name(row->incident, name);
    json_open(json, '{');
    json_put_i64(json, "number", row->number);
    json_put_text(json, "id", slice_text(finding->id));
    json_put_text_or_null(json, "incident", row->incident ? slice_text(name) : SLICE_NONE);
    put_number_or_null(json, "exception", row->exception);
    put_number_or_null(json, "mute", row->mute);
    json_put_text_or_null(json, "rule", rule_of(finding));
    json_put_text_or_null(json, "rule_id", finding->rule_id);
    json_put_text_or_null(json, "title", finding->title);
    json_put_text(json, "severity", finding->severity == SEVERITY_NONE ? SLICE("informational")
                                                                        : slice_text(severity_name(finding->severity)));
    json_put_text_or_null(json, "en", finding->explanation_en);
    json_put_text_or_null(json, "ja", finding->explanation_ja);
    json_put_time(json, "time", finding->event_ns);
    json_put_time(json, "filed", row->filed_ns);
    put_pairs(json, "entities", finding->entities, finding->entity_count);
    put_pairs(json, "group", finding->groups, finding->group_count);
    put_evidence(json, finding);
    json_close(json, '}');
}

#define WHERE_PAGE "WHERE (?1=0 OR incident=?1) AND (?2=0 OR exception=?2) AND (?3=0 OR incident IS NULL) "

static int begin_page(struct database *database, const char *sql, const struct finding_page *page, struct query **query,
                      struct err *err)
{
    if (query_begin(database, sql, query, err) < 0)
        return -1;
    query_i64(*query, 1, page->incident);
    query_i64(*query, 2, page->exception);
    query_i64(*query, 3, page->loose);
    return 0;
}

/* One statement for each way to ask, so that each has its index. */
static const char *page_sql(const struct finding_page *page, bool count)
{
    if (page->incident)
        return count ? "SELECT count(*) FROM findings " WHERE_PAGE "AND incident=?1"
                     : SELECT_ROW WHERE_PAGE "AND incident=?1 AND number>?4 ORDER BY number LIMIT ?5";
    if (page->exception)
        return count ? "SELECT count(*) FROM findings " WHERE_PAGE "AND exception=?2"
                     : SELECT_ROW WHERE_PAGE "AND exception=?2 AND number>?4 ORDER BY number LIMIT ?5";
    if (page->loose)
        return count ? "SELECT count(*) FROM findings WHERE incident IS NULL"
                     : SELECT_ROW "WHERE incident IS NULL AND number>?4 ORDER BY number LIMIT ?5";
    return count ? "SELECT count(*) FROM findings" : SELECT_ROW "WHERE number>?4 ORDER BY number LIMIT ?5";
}

static int put_rows(struct database *database, const struct finding_page *page, struct arena *arena, struct json *json,
                    int64_t *next, struct err *err)
{
    struct query *query;
    struct finding finding;
    struct finding_row row;
    int64_t rows = 0;
    int result;
    if (begin_page(database, page_sql(page, false), page, &query, err) < 0)
        return -1;
    query_i64(query, 4, page->after);
    query_i64(query, 5, page->limit);
    *next = 0;
    while ((result = query_step(query, err)) == 1) {
        arena_reset(arena);
        result = take_row(query, arena, &finding, &row, err);
        if (result < 0)
            break;
        finding_json(&row, json);
        *next = ++rows == page->limit ? row.number : 0;
    }
    query_end(query);
    return result;
}

int finding_page_json(struct database *database, const struct finding_page *page, struct json *json, struct err *err)
{
    struct arena *arena = arena_new(16 * MIB);
    struct query *query;
    int64_t next = 0, total = 0;
    if (!arena)
        return err_nomem(err);
    json_open(json, '{');
    json_key(json, "findings");
    json_open(json, '[');
    int result = put_rows(database, page, arena, json, &next, err);
    json_close(json, ']');
    put_number_or_null(json, "next", next);
    if (result == 0 && (result = begin_page(database, page_sql(page, true), page, &query, err)) == 0) {
        result = query_step(query, err) < 0 ? -1 : 0;
        total = query_get_i64(query, 0);
        query_end(query);
    }
    json_put_i64(json, "total", total);
    json_close(json, '}');
    arena_free(arena);
    return result;
}
