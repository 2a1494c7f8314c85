#pragma once
/* A world for simulated nights of on-call duty: a plan, people, contacts, outages and crashes out of one seed; channels that take
 * messages or do not; and the real program in it, on a clock that the test sets. */
#include "test.h"

#include "base/json.h"
#include "cut/json_tree.h"
#include "net/http_client.h"
#include "respond/wake/wake.h"

#include <sodium.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { CHANNELS = 3, PEOPLE_MAX = 4, CONTACTS_EACH = 3, INCIDENTS_MAX = 12, SENT_MAX = 20000, STAND_INS = 6, OUTAGES = 10 };

/* ---- the world ---- */

struct sent { /* a request that arrived */
    char key[40], person[16], token[32], incident[24], event[16];
    int channel;
    int64_t pace, waking_made;
    bool said_taken;
};

struct outage { /* of a channel, or of the program (channel -1), by pace */
    int channel;
    int64_t from, to;
    int kind; /* 0 refused connection, 1 HTTP 500, 2 taken, but the answer is lost, 3 HTTP 429 */
};

struct plan_person {
    char name[16];
    int contacts[CONTACTS_EACH], count;
    int64_t answers_after; /* of a message that came: seconds, or sound asleep for hours */
};

struct incident_script {
    int64_t at, id; /* pace; 0: not opened yet */
    int64_t opened_pace, critical_pace; /* as rows have it; 0: not yet */
    int64_t graver_at; /* it becomes critical; 0: it does not, or has become so */
    enum severity severity;
    bool answered, grew;
    int64_t answered_pace, answered_at_pace; /* by the monotonic clock, and as rows have it */
    char answered_by[16];
};

struct world {
    struct rand_seeded rand;
    struct clock_manual clock;
    struct database *database;
    struct arena *arena;
    struct respond_config config;
    struct respond_notifier rows[CHANNELS];
    struct hin_net net;
    struct pace pace;
    struct outbox *outbox;
    struct wake *wake;
    char plan[4096];
    const struct plan *read; /* the same, for the oracle */
    struct plan_person people[PEOPLE_MAX];
    size_t person_count;
    struct stand_in stand_ins[STAND_INS];
    size_t stand_in_count;
    struct outage outages[OUTAGES + 1]; /* and one after a crash, of which there is at most one */
    size_t outage_count;
    struct incident_script incidents[INCIDENTS_MAX];
    size_t incident_count;
    struct sent *sent;
    size_t sent_count;
    int64_t tightened[INCIDENTS_MAX + 1];
    int crash_in; /* requests until the program dies, 0: not */
    bool crashed, running, talks, calm;
    uint64_t seed;
};

static inline int64_t now(const struct world *world)
{
    return clock_mono_ns(&world->clock.clock);
}

static inline uint64_t pick(struct world *world, uint64_t below)
{
    return rand_below(&world->rand.rand, below);
}

__attribute__((format(printf, 2, 3))) static void say(const struct world *world, const char *format, ...)
{
    va_list args;
    if (!world->talks)
        return;
    printf("%10.3f ", (double)now(world) / 1e9);
    va_start(args, format);
    vprintf(format, args);
    va_end(args);
    printf("\n");
}

#define must(world, condition, ...)                                                                   \
    do                                                                                                \
        if (!(condition)) {                                                                           \
            printf("seed %llu: ", (unsigned long long)(world)->seed);                                 \
            printf(__VA_ARGS__);                                                                      \
            printf("\n  again: WAKE_SEED=%llu\n", (unsigned long long)(world)->seed);                 \
            fail_msg("%s", #condition);                                                               \
        }                                                                                             \
    while (0)

/* ---- the network ---- */

static inline const struct outage *outage_at(const struct world *world, int channel, int64_t at)
{
    for (size_t i = 0; i < world->outage_count && !world->calm; i++) {
        const struct outage *one = &world->outages[i];
        if (one->channel == channel && one->from <= at && at < one->to)
            return one;
    }
    return NULL;
}

static inline void copy_text(char *to, size_t size, struct slice text)
{
    snprintf(to, size, "%.*s", SLICE_ARG(text));
}

static inline void take(struct world *world, const struct http_fetch_request *request, int channel, bool said_taken)
{
    const struct json_node *body;
    struct err err;
    struct arena *arena = arena_new(4 * MIB);
    struct sent *sent = &world->sent[world->sent_count++];
    assert_true(world->sent_count < SENT_MAX);
    assert_int_equal(json_tree_parse(request->body, arena, &body, &err), 0);
    *sent = (struct sent){.channel = channel, .pace = now(world), .said_taken = said_taken};
    for (size_t i = 0; i < request->header_count; i++)
        if (strcmp(request->headers[i].name, "Idempotency-Key") == 0)
            copy_text(sent->key, sizeof(sent->key), request->headers[i].value);
    copy_text(sent->person, sizeof(sent->person), json_text_of(json_get(body, "person"), SLICE("")));
    copy_text(sent->token, sizeof(sent->token), json_text_of(json_get(body, "reply_token"), SLICE("")));
    copy_text(sent->incident, sizeof(sent->incident), json_text_of(json_get(body, "incident"), SLICE("")));
    copy_text(sent->event, sizeof(sent->event), json_text_of(json_get(body, "event"), SLICE("")));
    say(world, "channel %d has %s for %s about %s%s", channel, sent->event, sent->person, sent->incident,
        said_taken ? "" : ", but the answer is lost");
    arena_free(arena);
}

static inline int fetch(const struct hin_net *net, const struct http_fetch_request *request, struct http_fetch_reply *reply,
                 struct err *err)
{
    struct world *world = net->context;
    int channel = request->url.ptr[request->url.len - 1] - '0';
    const struct outage *outage = outage_at(world, channel, now(world));
    if (world->crash_in && --world->crash_in == 0) {
        world->crashed = true;
        if (pick(world, 2))
            take(world, request, channel, false);
        return err_set(err, ERR_IO, "the program died");
    }
    if (outage && outage->kind == 0)
        return err_set(err, ERR_IO, "the connection was refused");
    if (!outage || outage->kind == 2)
        take(world, request, channel, !outage);
    if (outage && outage->kind == 2)
        return err_set(err, ERR_IO, "the connection broke off");
    reply->status = !outage ? 200 : outage->kind == 1 ? 500 : 429;
    reply->retry_after_s = outage && outage->kind == 3 ? 20 : 0;
    return 0;
}

static inline int tighten(void *context, struct slice incident, struct err *err)
{
    struct world *world = context;
    int64_t id;
    (void)err;
    assert_true(incident_parse_name(incident, &id) && id <= INCIDENTS_MAX);
    say(world, "the gate is tightened for %.*s", SLICE_ARG(incident));
    if (!world->tightened[id])
        world->tightened[id] = now(world);
    return 0;
}

static inline void note(void *context, const char *text)
{
    say(context, "note: %s", text);
}

/* ---- making a world ---- */

static const char *const zones[] = {"Asia/Tokyo", "Europe/London", "America/New_York", "Australia/Lord_Howe", "UTC"};
/* Before clocks change, before a leap day, at a year's end, and a day like any other. */
static const int64_t starts[] = {1772900000, 1774700000, 1792900000, 1793400000, 1835200000, 1798700000, 1776000000};

static inline const char *some_zone(struct world *world)
{
    return zones[pick(world, ARRAY_COUNT(zones))];
}

static inline void put_rotation(struct world *world, struct buffer *to, size_t shift)
{
    static const char *const every[] = {"1d", "1w", "2d", "12h", "8h"};
    struct time_parts parts;
    time_split(world->clock.wall_ns - (int64_t)pick(world, 20) * NS_PER_DAY - 2 * NS_PER_DAY, &parts);
    buffer_printf(to, "      - {every: %s, from: '%04d-%02d-%02d %02d:%02d', time_zone: %s, people: [",
                  every[pick(world, ARRAY_COUNT(every))], parts.year, parts.month, parts.day, (int)pick(world, 24),
                  (int)pick(world, 2) * 30, some_zone(world));
    for (size_t i = 0; i < world->person_count; i++)
        buffer_printf(to, "%s%s", i ? ", " : "", world->people[(i + shift) % world->person_count].name);
    buffer_put_text(to, "]");
    if (pick(world, 4) == 0)
        buffer_printf(to, ", only: {days: mon-fri, from: '%02d:00', to: '%02d:00'}", (int)pick(world, 24),
                      (int)pick(world, 24));
    buffer_put_text(to, "}\n");
}

static inline void put_policy(struct world *world, struct buffer *to)
{
    size_t steps = 1 + pick(world, 3);
    buffer_put_text(to, "policies:\n  usual:\n    steps:\n");
    for (size_t i = 0; i < steps; i++) {
        static const char *const whom[] = {"first", "second", "everyone", "first, second", "ana"};
        buffer_printf(to, "      - {at: %zum, wake: [%s]", i * (2 + pick(world, 2)), whom[pick(world, ARRAY_COUNT(whom))]);
        if (pick(world, 3) == 0)
            buffer_printf(to, ", by: [c%d]", (int)pick(world, CHANNELS));
        buffer_put_text(to, "}\n");
    }
    buffer_printf(to, "    again_after: %dm\n", 1 + (int)pick(world, 8));
    if (pick(world, 3))
        buffer_printf(to, "    unanswered: {after: %dm}\n", 3 + (int)pick(world, 12));
    buffer_put_text(to, "routes: [{severity: medium, policy: usual}]\n");
    if (pick(world, 2))
        buffer_printf(to, "quiet_hours: {from: '%02d:00', to: '%02d:30'}\n", (int)pick(world, 24), (int)pick(world, 24));
}

static inline void make_plan(struct world *world)
{
    struct buffer text;
    buffer_init(&text, sizeof(world->plan) - 1);
    buffer_printf(&text, "version: 1\ntime_zone: %s\npeople: [", some_zone(world));
    for (size_t i = 0; i < world->person_count; i++)
        buffer_printf(&text, "%s%s", i ? ", " : "", world->people[i].name);
    buffer_put_text(&text, "]\non_call:\n  first:\n    rotations:\n");
    put_rotation(world, &text, 0);
    if (pick(world, 2))
        put_rotation(world, &text, 1);
    buffer_put_text(&text, "  second:\n    rotations:\n");
    put_rotation(world, &text, 1);
    put_policy(world, &text);
    assert_false(buffer_failed(&text));
    copy_text(world->plan, sizeof(world->plan), buffer_slice(&text));
    buffer_close(&text);
    if (world->talks)
        printf("%s", world->plan);
}

static inline void make_people(struct world *world)
{
    static const char *const names[PEOPLE_MAX] = {"ana", "ben", "chie", "dai"};
    world->person_count = 2 + pick(world, PEOPLE_MAX - 1);
    for (size_t i = 0; i < world->person_count; i++) {
        struct plan_person *person = &world->people[i];
        snprintf(person->name, sizeof(person->name), "%s", names[i]);
        person->count = 1 + (int)pick(world, CONTACTS_EACH);
        int first = (int)pick(world, CHANNELS);
        for (int k = 0; k < person->count; k++)
            person->contacts[k] = (first + k) % CHANNELS;
        person->answers_after = (int64_t)(5 + (pick(world, 3) ? pick(world, 600) : 1800 + pick(world, 7200))) * NS_PER_SECOND;
    }
}

static inline void make_faults(struct world *world, int64_t span)
{
    world->outage_count = pick(world, OUTAGES + 1);
    for (size_t i = 0; i < world->outage_count; i++) {
        int64_t from = now(world) + (int64_t)pick(world, (uint64_t)span);
        int64_t length = (int64_t)(1 + pick(world, pick(world, 2) ? 60 : 4000)) * NS_PER_SECOND;
        world->outages[i] = (struct outage){(int)pick(world, CHANNELS + 1) - 1, from, from + length, (int)pick(world, 4)};
    }
}

static inline void make_incidents(struct world *world, int64_t span)
{
    world->incident_count = 1 + pick(world, INCIDENTS_MAX - 1);
    for (size_t i = 0; i < world->incident_count; i++)
        world->incidents[i] = (struct incident_script){
            .at = now(world) + 1 + (int64_t)pick(world, (uint64_t)span),
            .severity = pick(world, 3) ? SEVERITY_CRITICAL : pick(world, 2) ? SEVERITY_HIGH : SEVERITY_MEDIUM};
    for (size_t i = 0; i < world->incident_count; i++)
        if (world->incidents[i].severity < SEVERITY_CRITICAL && pick(world, 2))
            world->incidents[i].graver_at = world->incidents[i].at + (int64_t)pick(world, 3600) * NS_PER_SECOND;
}

/* ---- the program ---- */

static inline int told(void *context, int64_t waking, struct slice receipt, struct slice failed, struct err *err)
{
    struct world *world = context;
    if (world->crashed)
        return err_set(err, ERR_IO, "the program died"); /* before it could be noted: the transaction is gone */
    return page_told(wake_pager(world->wake), waking, receipt, failed, err);
}

static inline void start(struct world *world)
{
    struct err err;
    int64_t latest;
    if (page_latest_pace(world->database, &latest, &err) < 0)
        fail_msg("%s", err.text);
    pace_start(&world->pace, &world->clock.clock, latest);
    static struct outbox_hooks hooks;
    hooks = (struct outbox_hooks){told, NULL, world};
    if (outbox_open(&world->config, &world->pace, &hooks, &world->outbox, &err) < 0 ||
        wake_open(&world->config, &world->pace, world->outbox, NULL, &world->wake, &err) < 0)
        fail_msg("%s", err.text);
    world->running = true;
}

static inline void stop(struct world *world)
{
    outbox_stop(world->outbox);
    wake_stop(world->wake);
    world->outbox = NULL;
    world->wake = NULL;
    world->running = false;
}

static inline void save_contacts(struct world *world)
{
    struct err err;
    for (size_t i = 0; i < world->person_count; i++) {
        struct contact contacts[CONTACTS_EACH];
        struct plan_person *person = &world->people[i];
        for (int k = 0; k < person->count; k++)
            contacts[k] = (struct contact){.notifier = world->rows[person->contacts[k]].name,
                                           .address = slice_text(person->name)};
        assert_int_equal(roster_set_contacts(world->database, slice_text(person->name), contacts,
                                             (size_t)person->count, 1, &err), 0);
    }
}

static inline void arrange_stand_ins(struct world *world, int64_t span)
{
    size_t count = pick(world, STAND_INS + 1);
    for (size_t i = 0; i < count; i++) {
        struct err err;
        size_t away = pick(world, world->person_count), instead = (away + 1 + pick(world, world->person_count - 1)) % world->person_count;
        int64_t from = world->clock.wall_ns + (int64_t)pick(world, (uint64_t)span);
        struct stand_in_wish wish = {
            .what = {.away = slice_text(world->people[away].name), .instead = slice_text(world->people[instead].name),
                     .from_ns = from, .to_ns = from + (int64_t)(1 + pick(world, 100)) * NS_PER_HOUR},
            .reason = SLICE("swap"), .by = SLICE("ana")};
        int kind = (int)pick(world, 3);
        if (kind < 2)
            wish.what.schedule = kind ? SLICE("first") : SLICE("second");
        if (kind == 2 && pick(world, 2))
            wish.what.instead = SLICE_NONE;
        if (roster_add_stand_in(world->database, world->read, &wish, world->clock.wall_ns + (int64_t)i, &err) < 0)
            fail_msg("%s", err.text);
        wish.what.added_ns = world->clock.wall_ns + (int64_t)i;
        world->stand_ins[world->stand_in_count++] = wish.what;
    }
}

static inline void make_world(struct world *world, uint64_t seed, int64_t span)
{
    static const char *const names[CHANNELS] = {"c0", "c1", "c2"};
    static const char *const urls[CHANNELS] = {"https://channel.example/0", "https://channel.example/1",
                                               "https://channel.example/2"};
    struct err err;
    memset(world, 0, sizeof(*world));
    world->seed = seed;
    world->talks = getenv("WAKE_SEED") != NULL;
    rand_seeded_init(&world->rand, seed);
    clock_manual_init(&world->clock, starts[pick(world, ARRAY_COUNT(starts))] * NS_PER_SECOND);
    world->net = (struct hin_net){.fetch = fetch, .context = world};
    for (int i = 0; i < CHANNELS; i++)
        world->rows[i] = (struct respond_notifier){.kind = SLICE("webhook"), .name = slice_text(names[i]),
                                                   .url = slice_text(urls[i]), .secret = SLICE("0123456789abcdef"),
                                                   .least = SEVERITY_CRITICAL};
    if (database_open(":memory:", &world->database, &err) < 0)
        fail_msg("%s", err.text);
    world->config = (struct respond_config){
        .database = world->database, .clock = &world->clock.clock, .notifiers = world->rows,
        .notifier_count = CHANNELS, .rand = &world->rand.rand, .net = &world->net, .tighten = tighten, .note = note,
        .link = SLICE(""), .context = world};
    world->arena = arena_new(64 * MIB);
    world->sent = calloc(SENT_MAX, sizeof(*world->sent));
    make_people(world);
    make_plan(world);
    if (plan_parse(slice_text(world->plan), NULL, world->arena, &world->read, &err) < 0)
        fail_msg("%s\n%s", err.text, world->plan);
    make_faults(world, span);
    make_incidents(world, span);
    if (pick(world, 3) == 0)
        world->crash_in = 1 + (int)pick(world, 20);
    start(world);
    if (wake_plan_save(world->wake, slice_text(world->plan), SLICE("ana"), &err) < 0)
        fail_msg("%s", err.text);
    save_contacts(world);
    arrange_stand_ins(world, span);
}

static inline void end_world(struct world *world)
{
    if (world->running)
        stop(world);
    database_close(world->database);
    arena_free(world->arena);
    free(world->sent);
}
