#include "respond/incidents/incident.h"

#include "respond/respond.h"

#include <stdio.h>
#include <string.h>

void incident_name(int64_t id, char to[INCIDENT_NAME_SIZE])
{
    snprintf(to, INCIDENT_NAME_SIZE, "INC-%lld", (long long)id);
}

bool incident_parse_name(struct slice name, int64_t *id)
{
    return slice_starts(name, SLICE("INC-")) && slice_to_i64(slice_from(name, 4), id) && *id > 0;
}

#define COLUMNS \
    "severity,opened_ns,updated_ns,first_event_ns,last_event_ns,finding_count,raw_severity,criticality," \
    "title_en,title_ja," \
    "explanation_en,explanation_ja,why_en,why_ja,check_en,check_ja,do_en,do_ja"

#define STATE_COLUMNS ",state,owner,acknowledged_ns,contained_ns,closed_ns,contained_by,verdict,entities_left"

enum { FIRST_TEXT = 8, STATE_COLUMN = FIRST_TEXT + 2 * INCIDENT_TEXTS };

static void bind(struct query *query, const struct incident *incident)
{
    query_i64(query, 1, incident->severity);
    query_i64(query, 2, incident->opened_ns);
    query_i64(query, 3, incident->updated_ns);
    query_i64(query, 4, incident->first_event_ns);
    query_i64(query, 5, incident->last_event_ns);
    query_i64(query, 6, incident->finding_count);
    query_i64(query, 7, incident->raw_severity);
    query_i64(query, 8, incident->criticality);
    for (int i = 0; i < INCIDENT_TEXTS; i++) {
        query_text(query, FIRST_TEXT + 1 + 2 * i, incident->en[i]);
        query_text(query, FIRST_TEXT + 2 + 2 * i, incident->ja[i]);
    }
}

static void read_row(struct query *query, struct arena *arena, struct incident *out)
{
    out->severity = (enum severity)query_get_i64(query, 0);
    out->opened_ns = query_get_i64(query, 1);
    out->updated_ns = query_get_i64(query, 2);
    out->first_event_ns = query_get_i64(query, 3);
    out->last_event_ns = query_get_i64(query, 4);
    out->finding_count = query_get_i64(query, 5);
    out->raw_severity = (enum severity)query_get_i64(query, 6);
    out->criticality = query_get_i64(query, 7);
    for (int i = 0; i < INCIDENT_TEXTS; i++) {
        out->en[i] = query_get_text(query, FIRST_TEXT + 2 * i, arena);
        out->ja[i] = query_get_text(query, FIRST_TEXT + 1 + 2 * i, arena);
    }
    out->state = query_get_text(query, STATE_COLUMN, arena);
    out->owner = query_get_text(query, STATE_COLUMN + 1, arena);
    out->acknowledged_ns = query_get_i64(query, STATE_COLUMN + 2);
    out->contained_ns = query_get_i64(query, STATE_COLUMN + 3);
    out->closed_ns = query_get_i64(query, STATE_COLUMN + 4);
    out->contained_by = query_get_text(query, STATE_COLUMN + 5, arena);
    out->verdict = query_get_text(query, STATE_COLUMN + 6, arena);
    out->entities_left = query_get_i64(query, STATE_COLUMN + 7);
}

static int read_entities(struct database *database, struct arena *arena, struct incident *out,
                         struct err *err)
{
    struct query *query;
    int64_t count;
    int result = 0;
    size_t n = 0;
    if (incident_number(database, "SELECT count(*) FROM incident_entities WHERE incident=?1",
                        out->id, &count, err) < 0)
        return -1;
    struct entity *entities = arena_array(arena, (size_t)count + 1, sizeof(*entities));
    if (!entities)
        return err_nomem(err);
    if (query_begin(database, "SELECT type,value FROM incident_entities WHERE incident=?1"
                    " ORDER BY type,value", &query, err) < 0)
        return -1;
    query_i64(query, 1, out->id);
    while (n < (size_t)count && (result = query_step(query, err)) == 1) {
        entities[n].type = query_get_text(query, 0, arena);
        entities[n++].value = query_get_text(query, 1, arena);
    }
    query_end(query);
    out->entities = entities;
    out->entity_count = n;
    return result < 0 ? -1 : 0;
}

int incident_read_head(struct database *database, int64_t id, struct arena *arena,
                       struct incident *out, struct err *err)
{
    struct query *query;
    *out = (struct incident){.id = id};
    if (query_begin(database, "SELECT " COLUMNS STATE_COLUMNS " FROM incidents WHERE id=?1", &query,
                    err) < 0)
        return -1;
    query_i64(query, 1, id);
    int result = query_step(query, err);
    if (result == 1)
        read_row(query, arena, out);
    query_end(query);
    if (result < 0)
        return -1;
    if (result == 0)
        return err_set(err, ERR_NOT_FOUND, "there is no incident INC-%lld", (long long)id);
    return out->state.ptr ? 0 : err_nomem(err);
}

int incident_read(struct database *database, int64_t id, struct arena *arena, struct incident *out,
                  struct err *err)
{
    if (incident_read_head(database, id, arena, out, err) < 0)
        return -1;
    return read_entities(database, arena, out, err);
}

int incident_insert(struct database *database, struct incident *incident, struct err *err)
{
    struct query *query;
    if (query_begin(database, "INSERT INTO incidents(" COLUMNS ",state) VALUES(?1,?2,?3,?4,?5,?6,?7,"
                    "?8,?9,?10,?11,?12,?13,?14,?15,?16,?17,?18,'open')", &query, err) < 0)
        return -1;
    bind(query, incident);
    int result = query_step(query, err);
    incident->id = database_last_id(database);
    incident->state = SLICE("open");
    query_end(query);
    return result < 0 ? -1 : 0;
}

int incident_update(struct database *database, const struct incident *incident, struct err *err)
{
    struct query *query;
    if (query_begin(database, "UPDATE incidents SET (" COLUMNS ")=(?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11,"
                    "?12,?13,?14,?15,?16,?17,?18) WHERE id=?19", &query, err) < 0)
        return -1;
    bind(query, incident);
    query_i64(query, 19, incident->id);
    return query_run(query, err);
}

/* Runs a statement about one entity; 1 when it gave a row. */
static int entity_row(struct database *database, const char *sql, int64_t id, const struct incident_entity *row, struct err *err)
{
    struct query *query;
    if (query_begin(database, sql, &query, err) < 0)
        return -1;
    query_i64(query, 1, id);
    query_text(query, 2, row->entity.type);
    query_text(query, 3, row->entity.value);
    if (slice_starts(slice_text(sql), SLICE("INSERT"))) {
        query_text(query, 4, row->link);
        query_i64(query, 5, row->glue);
    }
    int result = query_step(query, err);
    query_end(query);
    return result;
}

static int has_room(struct database *database, int64_t id, struct err *err)
{
    int64_t have, done;
    if (incident_number(database, "SELECT count(*) FROM incident_entities WHERE incident=?1", id,
                        &have, err) < 0)
        return -1;
    if (have < INCIDENT_ENTITIES_MAX)
        return 1;
    return incident_number(database, "UPDATE incidents SET entities_left=entities_left+1 WHERE id=?1", id, &done, err);
}

/* Most are known already, so that is asked first. */
static int add_entity(struct database *database, int64_t id, const struct incident_entity *row, struct err *err)
{
    int known = entity_row(database, "SELECT 1 FROM incident_entities WHERE incident=?1 AND type=?2"
                           " AND value=?3", id, row, err);
    if (known != 0)
        return known < 0 ? -1 : 0;
    int room = has_room(database, id, err);
    if (room <= 0)
        return room;
    return entity_row(database, "INSERT INTO incident_entities(incident,type,value,link,glue) VALUES(?1,?2,?3,?4,?5)",
                      id, row, err) < 0 ? -1 : 1;
}

int incident_add_entities(struct database *database, int64_t id, struct incident_entity *entities, size_t count, struct err *err)
{
    int added = 0;
    for (size_t i = 0; i < count; i++) {
        entities[i].added = false;
        if (!entities[i].entity.type.len || !entities[i].entity.value.len)
            continue;
        int result = add_entity(database, id, &entities[i], err);
        if (result < 0)
            return -1;
        entities[i].added = result == 1;
        added += result;
    }
    return added;
}

static int relate(struct database *database, int64_t id, const char *kind, int64_t other, struct slice link, struct err *err)
{
    struct query *query;
    if (query_begin(database, "INSERT OR IGNORE INTO incident_relations(incident,other,kind,link) VALUES(?1,?2,?3,?4)",
                    &query, err) < 0)
        return -1;
    query_i64(query, 1, id);
    query_i64(query, 2, other);
    query_text(query, 3, slice_text(kind));
    query_text(query, 4, link.ptr ? link : SLICE(""));
    return query_run(query, err);
}

int incident_relate(struct database *database, int64_t id, const char *kind, int64_t other, const char *other_kind,
                    struct slice link, struct err *err)
{
    return relate(database, id, kind, other, link, err) < 0 ? -1 : relate(database, other, other_kind, id, link, err);
}

enum severity incident_severity(enum severity raw, int64_t criticality)
{
    if ((criticality & INCIDENT_HAS_CRITICAL) && raw < SEVERITY_CRITICAL)
        return raw + 1;
    if (criticality == INCIDENT_HAS_LOW && raw > SEVERITY_LOW)
        return raw - 1;
    return raw;
}

int incident_set_state(struct database *database, int64_t id, const char *from, const char *to,
                       struct slice owner, int64_t now, struct err *err)
{
    struct query *query;
    int64_t done;
    if (strcmp(to, "closed") == 0 &&
        incident_number(database, "UPDATE incident_entities SET glue=0 WHERE incident=?1 AND glue=1", id, &done, err) < 0)
        return -1;
    if (query_begin(database, "UPDATE incidents SET state=?3,owner=coalesce(?4,owner),updated_ns=?5,"
                    "acknowledged_ns=CASE ?3 WHEN 'acknowledged' THEN coalesce(acknowledged_ns,?5) ELSE acknowledged_ns END,"
                    "closed_ns=CASE ?3 WHEN 'closed' THEN ?5 END"
                    " WHERE id=?1 AND state=coalesce(?2,state) AND state!='closed'", &query, err) < 0)
        return -1;
    query_i64(query, 1, id);
    query_text(query, 2, slice_text(from));
    query_text(query, 3, slice_text(to));
    query_text(query, 4, owner);
    query_i64(query, 5, now);
    int result = query_step(query, err);
    int changed = result < 0 ? -1 : database_changes(database) > 0;
    query_end(query);
    return changed;
}

int incident_number(struct database *database, const char *sql, int64_t id, int64_t *out,
                    struct err *err)
{
    struct query *query;
    *out = 0;
    if (query_begin(database, sql, &query, err) < 0)
        return -1;
    query_i64(query, 1, id);
    int result = query_step(query, err);
    if (result == 1)
        *out = query_get_i64(query, 0);
    query_end(query);
    return result < 0 ? -1 : 0;
}
