#pragma once
/* Incidents over a database of their own, for tests: findings about "user:u1 host:h1", at seconds after noon. */
#include "test.h"

#include "base/json.h"
#include "base/limits.h"
#include "respond/incidents/cases.h"
#include "respond/incidents/incident.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define NOON (INT64_C(1516968000) * NS_PER_SECOND)
enum { TOLD_MAX = 2048 };

struct incidents {
    char path[64], assets[80];
    struct database *database;
    struct respond *respond;
    struct clock_manual clock;
    struct buffer text;      /* the last answer */
    bool open[TOLD_MAX];     /* what the gate heard last */
    int order[TOLD_MAX], tellings; /* when it heard it */
    char noted[1024];        /* the last sentence for people */
};

struct about {
    const char *rule, *entities, *group; /* group: "user.name=u1", or NULL */
    enum severity severity;
    int64_t at_s;
    uint64_t n; /* tells findings apart */
};

static inline void incidents_changed(void *context, struct slice id, enum severity severity, bool open,
                                     const struct entity *entities, size_t count)
{
    struct incidents *incidents = context;
    int64_t n;
    (void)severity, (void)entities, (void)count;
    assert_true(incident_parse_name(id, &n) && n < TOLD_MAX);
    incidents->open[n] = open;
    incidents->order[n] = ++incidents->tellings;
}

static inline void incidents_note(void *context, const char *text)
{
    struct incidents *incidents = context;
    snprintf(incidents->noted, sizeof(incidents->noted), "%s", text);
}

static inline void incidents_start(struct incidents *incidents)
{
    struct err err;
    const struct respond_config config = {.database = incidents->database, .clock = &incidents->clock.clock,
                                          .changed = incidents_changed, .note = incidents_note, .context = incidents,
                                          .assets = slice_text(incidents->assets)};
    if (respond_start(&config, &incidents->respond, &err) < 0)
        fail_msg("%s", err.text);
}

static inline int incidents_set_up(void **state)
{
    struct err err;
    struct incidents *incidents = calloc(1, sizeof(*incidents));
    assert_non_null(incidents);
    snprintf(incidents->path, sizeof(incidents->path), "/tmp/hinomi_incidents_XXXXXX");
    int fd = mkstemp(incidents->path);
    assert_true(fd >= 0);
    close(fd);
    snprintf(incidents->assets, sizeof(incidents->assets), "%s.csv", incidents->path);
    clock_manual_init(&incidents->clock, NOON);
    if (database_open(incidents->path, &incidents->database, &err) < 0)
        fail_msg("%s", err.text);
    incidents_start(incidents);
    *state = incidents;
    return 0;
}

static inline int incidents_tear_down(void **state)
{
    struct incidents *incidents = *state;
    static const char *const ends[] = {"", "-wal", "-shm", ".csv"};
    respond_stop(incidents->respond);
    database_close(incidents->database);
    for (size_t i = 0; i < ARRAY_COUNT(ends); i++) {
        char path[96];
        snprintf(path, sizeof(path), "%s%s", incidents->path, ends[i]);
        unlink(path);
    }
    buffer_close(&incidents->text);
    free(incidents);
    return 0;
}

static inline void incidents_put(struct incidents *incidents, const struct about *about)
{
    struct entity entities[16], groups[4];
    char id[32], rule[64];
    snprintf(id, sizeof(id), "e-%llu", (unsigned long long)about->n);
    snprintf(rule, sizeof(rule), "id of %s", about->rule);
    const struct evidence evidence = {slice_text(id), about->n, NOON + about->at_s * NS_PER_SECOND};
    struct finding finding = {
        .rule_id = slice_text(rule), .rule_name = slice_text(about->rule), .title = slice_text(about->rule),
        .severity = about->severity, .explanation_en = SLICE("It was seen."), .explanation_ja = SLICE("検知しました。"),
        .entities = entities, .evidence = &evidence, .evidence_count = 1, .groups = groups,
        .group_key = slice_text(about->group), .event_ns = NOON + about->at_s * NS_PER_SECOND};
    struct slice rest = slice_text(about->entities), part;
    while (rest.len && slice_next_part(&rest, ' ', &part)) {
        struct entity *entity = &entities[finding.entity_count++];
        assert_true(slice_cut(part, ':', &entity->type, &entity->value));
    }
    if (about->group && slice_cut(slice_text(about->group), '=', &groups[0].type, &groups[0].value))
        finding.group_count = 1;
    finding_set_id(&finding);
    respond_finding(incidents->respond, &finding, NULL);
}

/* Of one rule, and filed when it returns. */
static inline void incidents_put_one(struct incidents *incidents, uint64_t n, enum severity severity, int64_t at_s,
                                     const char *entities)
{
    const struct about about = {.rule = "A rule", .entities = entities, .severity = severity, .at_s = at_s, .n = n};
    incidents_put(incidents, &about);
    respond_flush(incidents->respond);
}

static inline struct json incidents_json(struct incidents *incidents)
{
    struct json json;
    buffer_close(&incidents->text);
    buffer_init(&incidents->text, 64 * MIB);
    json_init(&json, &incidents->text);
    return json;
}

static inline const char *incidents_text(struct incidents *incidents)
{
    buffer_put_char(&incidents->text, '\0');
    return incidents->text.ptr;
}

static inline const char *incidents_show(struct incidents *incidents, const char *id)
{
    struct err err;
    struct json json = incidents_json(incidents);
    if (respond_incident_json(incidents->respond, slice_text(id), NULL, 0, &json, &err) < 0)
        fail_msg("%s", err.text);
    return incidents_text(incidents);
}

static inline void incidents_has(const char *where, const char *what)
{
    if (!strstr(where, what))
        fail_msg("no %s in %s", what, where);
}

static inline void incidents_lacks(const char *where, const char *what)
{
    if (strstr(where, what))
        fail_msg("%s in %s", what, where);
}

static inline int64_t incidents_number(struct incidents *incidents, const char *sql)
{
    struct err err;
    int64_t n;
    if (incident_number(incidents->database, sql, 0, &n, &err) < 0)
        fail_msg("%s", err.text);
    return n;
}

static inline void incidents_assets(struct incidents *incidents, const char *csv)
{
    FILE *file = fopen(incidents->assets, "w");
    assert_non_null(file);
    fputs(csv, file);
    assert_int_equal(fclose(file), 0);
    respond_reload_assets(incidents->respond);
}

#define INCIDENTS_TEST(name) cmocka_unit_test_setup_teardown(name, incidents_set_up, incidents_tear_down)
