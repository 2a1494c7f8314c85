#pragma once
/* Rules from a text, events with a few fields, and the findings they lead to: for tests of rules that remember. */
#include "base/mem.h"
#include "test.h"

#include "base/clock.h"
#include "detect/detector.h"
#include "../folder.h"

#include <stdio.h>
#include <stdlib.h>

enum { FOUND_MAX = 20000 };

struct found {
    char rule[32], group[64], key[64], id[33], follows[33];
    int64_t time_ns;
    uint64_t seen;
    enum severity severity;
    char en[256], holds[128]; /* "asset:XEM all" */
};

struct rules_world {
    char dir[64];
    struct rule_set *rules;
    struct detector *detector;
    struct found *found;
    size_t count;
    size_t bytes_max; /* of the next detector */
    struct arena *arena; /* of the state tables */
    const struct state_definitions *state; /* NULL: none */
};

static void found_text(char *to, size_t size, struct slice text)
{
    (void)snprintf(to, size, "%.*s", SLICE_ARG(text));
}

static int on_found(void *context, const struct finding *finding, const struct rule *rule, const struct batch *batch,
                    uint32_t row, struct err *err)
{
    struct rules_world *world = context;
    (void)batch, (void)row, (void)err;
    if (world->count == FOUND_MAX)
        return 0;
    struct found *to = &world->found[world->count++];
    *to = (struct found){.time_ns = finding->raised_ns, .severity = finding->severity,
                         .seen = finding->evidence_seen ? finding->evidence_seen : finding->evidence_count};
    found_text(to->rule, sizeof(to->rule), rule->title);
    found_text(to->group, sizeof(to->group), finding->group_count ? finding->groups[0].value : SLICE(""));
    found_text(to->key, sizeof(to->key), finding->group_key);
    found_text(to->follows, sizeof(to->follows), finding->follows);
    found_text(to->en, sizeof(to->en), finding->explanation_en);
    memcpy(to->id, finding->id, sizeof(to->id));
    for (size_t i = 0, at = 0; i < finding->hold_count; i++)
        at += (size_t)snprintf(to->holds + at, sizeof(to->holds) - at, "%s%.*s:%.*s", i ? " " : "",
                               SLICE_ARG(finding->holds[i].type), SLICE_ARG(finding->holds[i].value));
    return 0;
}

static int world_detector(struct rules_world *world, struct detector **out, struct err *err)
{
    struct detector_options options = {.rules = world->rules,
                                       .found = on_found, .context = world, .state = world->state,
                                       .bytes_max = world->bytes_max};
    return detector_new(&options, out, err);
}

static int world_load(struct rules_world *world, const char *text, struct err *err)
{
    char path[96];
    struct rule_options options = {.logsource_path = "content/logsources", .ignore_logsource = true};
    (void)snprintf(path, sizeof(path), "%s/rules.yml", world->dir);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    (void)fclose(file);
    rule_set_free(world->rules);
    world->rules = NULL;
    return rule_set_load(path, &options, &world->rules, err);
}

/* With state tables, which may be NULL. */
static inline void world_open_with(struct rules_world *world, const char *text, const char *state)
{
    struct err err;
    *world = (struct rules_world){0};
    folder_make(world->dir);
    if (state) {
        char path[96];
        (void)snprintf(path, sizeof(path), "%s/state.yaml", world->dir);
        FILE *file = fopen(path, "w");
        assert_non_null(file);
        assert_true(fputs(state, file) >= 0);
        (void)fclose(file);
        world->arena = arena_new(16 * MIB);
        assert_non_null(world->arena);
        if (state_definitions_load(path, world->arena, &world->state, &err) < 0)
            fail_msg("%s", err.text);
    }
    world->found = calloc(FOUND_MAX, sizeof(*world->found));
    assert_non_null(world->found);
    if (world_load(world, text, &err) < 0)
        fail_msg("%s", err.text);
    for (size_t i = 0; i < world->rules->count; i++)
        if (world->rules->rules[i]->status != RULE_ACTIVE)
            fail_msg("%.*s", SLICE_ARG(world->rules->rules[i]->reason));
    if (world_detector(world, &world->detector, &err) < 0)
        fail_msg("%s", err.text);
}

static inline void world_open(struct rules_world *world, const char *text)
{
    world_open_with(world, text, NULL);
}

static inline void world_close(struct rules_world *world)
{
    detector_free(world->detector);
    rule_set_free(world->rules);
    free(world->found);
    arena_free(world->arena);
    folder_remove(world->dir);
}

/* An event: kind in E, user in U, value in V. */
struct sent {
    int64_t time_ns;
    int kind, user, value;
};

static inline void put_event(struct batch *batch, const struct sent *event, uint64_t seq)
{
    struct event_row *row = batch_add_row(batch);
    uint32_t at = batch->row_count - 1;
    assert_non_null(row);
    row->time_ns = event->time_ns;
    row->seq = seq;
    assert_int_equal(batch_put(batch, at, SLICE("E"), value_i64(event->kind)), 0);
    assert_int_equal(batch_put(batch, at, SLICE("V"), value_i64(event->value)), 0);
    assert_int_equal(batch_put(batch, at, SLICE("hinomi.seq"), value_i64((int64_t)seq)), 0);
    assert_int_equal(batch_put(batch, at, SLICE("U"),
                               value_string(arena_printf(batch->arena, "u%d", event->user))), 0);
}

/* Events first..end-1 of a list, so many in a batch. */
static inline void run_events(struct detector *detector, const struct sent *list, size_t first, size_t end,
                              size_t a_batch)
{
    struct batch *batch = batch_new(64 * MIB);
    struct err err;
    assert_non_null(batch);
    for (size_t i = first; i < end; i++) {
        put_event(batch, &list[i], i + 1);
        if (batch->row_count < a_batch && i + 1 < end)
            continue;
        if (detector_run(detector, batch, &err) < 0)
            fail_msg("%s", err.text);
        batch_reset(batch);
    }
    batch_free(batch);
}

/* Repeats the same for the same seed. */
static inline uint32_t dice(uint64_t *seed, uint32_t sides)
{
    *seed = *seed * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(*seed >> 33) % sides;
}

/* Findings of a user, those that only tell how one went on left out. */
static inline size_t count_of(const struct rules_world *world, int user)
{
    char name[16];
    size_t count = 0;
    (void)snprintf(name, sizeof(name), "u%d", user);
    for (size_t i = 0; i < world->count; i++)
        count += strcmp(world->found[i].group, name) == 0 && !world->found[i].follows[0];
    return count;
}

/* A detector's life, with the n-th allocation failing for each n until none is left to fail. */
static inline void live_without_memory(struct rules_world *world, struct batch *batch)
{
    struct err err;
    bool done = false;
    for (int n = 0; !done; n++) {
        struct detector *detector = NULL;
        struct buffer bytes;
        buffer_init(&bytes, MIB);
        mem_fail_after(n);
        done = world_detector(world, &detector, &err) == 0 && detector_run(detector, batch, &err) == 0 &&
               detector_finish(detector, &err) == 0;
        if (done) {
            detector_save(detector, &bytes);
            done = !buffer_failed(&bytes) && detector_load(detector, buffer_slice(&bytes), &err) == 0;
        }
        mem_fail_after(-1);
        buffer_close(&bytes);
        detector_free(detector);
    }
}
