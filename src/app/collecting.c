#include "app/collecting.h"

#include "base/json.h"
#include "base/limits.h"
#include "base/mem.h"
#include "collect/drop.h"
#include "collect/gap.h"
#include "cut/yaml_json.h"
#include "net/loop.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>

/* Settings that were read together. */
struct generation {
    struct arena *arena;
    size_t users;
};

struct entry {
    struct entry *next;
    struct generation *generation;
    const struct collector_settings *settings;
    struct collector_host host;
    struct sink sink; /* counts, then gives to the program's */
    const struct sink *to;
    void *collector;
    bool wanted, started;
    atomic_ulong events, bytes, under_way;
    atomic_long last_ns;
    atomic_ulong told[DROP_PLACES]; /* drops that the books know of */
    atomic_ulong told_gaps;
};

struct collecting {
    struct collecting_config config;
    pthread_mutex_t lock; /* of the list, for counting */
    struct entry *first;
};

/* ---- counting what is taken ---- */

struct waiting {
    struct entry *entry;
    sink_done done;
    void *context;
};

static void on_done(void *context, const struct sink_ack *ack)
{
    struct waiting *waiting = context;
    struct entry *entry = waiting->entry;
    if (waiting->done)
        waiting->done(waiting->context, ack);
    mem_free(waiting);
    atomic_fetch_sub(&entry->under_way, 1);
}

static int take(void *context, const struct delivery *delivery, sink_done done, void *done_context, struct err *err)
{
    struct entry *entry = context;
    struct waiting *waiting = mem_alloc(sizeof(*waiting));
    if (!waiting)
        return err_nomem(err);
    *waiting = (struct waiting){entry, done, done_context};
    atomic_fetch_add(&entry->under_way, 1);
    if (sink_take(entry->to, delivery, on_done, waiting, err) < 0) {
        atomic_fetch_sub(&entry->under_way, 1);
        mem_free(waiting);
        return -1;
    }
    atomic_fetch_add(&entry->events, delivery->event_count);
    atomic_fetch_add(&entry->bytes, delivery->body.len);
    atomic_store(&entry->last_ns, delivery->received_ns);
    return 0;
}

/* ---- telling what was lost, and what is missing ---- */

struct telling {
    struct entry *entry;
    atomic_ulong *told;
    uint64_t events;
};

static void on_told(void *context, const struct sink_ack *ack)
{
    struct telling *telling = context;
    struct entry *entry = telling->entry;
    if (ack->result == SINK_FAILED)
        atomic_fetch_sub(telling->told, telling->events); /* the next time */
    mem_free(telling);
    atomic_fetch_sub(&entry->under_way, 1);
}

/* One line, about so many more events than told says. */
static void tell(struct entry *entry, atomic_ulong *told, uint64_t events, struct slice source, const struct buffer *line,
                 int64_t now_ns)
{
    struct telling *telling = mem_alloc(sizeof(*telling));
    struct delivery delivery = {.origin = {.source = source, .stream = entry->settings->stream},
                                .received_ns = now_ns,
                                .framing = FRAMING_LINES,
                                .event_count = 1,
                                .body = buffer_slice(line),
                                .cannot_wait = true};
    if (!telling)
        return;
    *telling = (struct telling){entry, told, events};
    atomic_fetch_add(&entry->under_way, 1);
    atomic_fetch_add(told, events);
    if (buffer_failed(line) || sink_take(entry->to, &delivery, on_told, telling, NULL) < 0)
        on_told(telling, &(struct sink_ack){.result = SINK_FAILED});
}

static void tell_drops(struct entry *entry, enum drop_place place, uint64_t events)
{
    int64_t now_ns = clock_wall_ns(entry->to->clock);
    struct buffer line;
    buffer_init(&line, 64 * KIB);
    drop_write(&(struct drop){entry->settings->name, place, events}, now_ns, &line);
    tell(entry, &entry->told[place], events, DROP_SOURCE, &line, now_ns);
    buffer_close(&line);
}

static void tell_gaps(struct entry *entry, const struct collector_counts *counts, uint64_t missing)
{
    struct gap gap = {.source = entry->settings->name, .numbers = slice_text(entry->settings->kind->name), .missing = missing,
                      .from = counts->gap_from, .to = counts->gap_to, .time_ns = clock_wall_ns(entry->to->clock)};
    struct buffer line;
    buffer_init(&line, 64 * KIB);
    gap_write(&gap, &line);
    tell(entry, &entry->told_gaps, missing, GAP_SOURCE, &line, gap.time_ns);
    buffer_close(&line);
}

static void tell_all(struct entry *entry)
{
    struct collector_counts counts = {0};
    const struct collector_kind *kind = entry->settings->kind;
    if (!kind->counts)
        return;
    kind->counts(entry->collector, &counts);
    const uint64_t drops[DROP_PLACES] = {counts.dropped_kernel, counts.dropped_queue, counts.dropped_parse};
    for (int i = 0; i < DROP_PLACES; i++) {
        uint64_t told = atomic_load(&entry->told[i]);
        if (drops[i] > told)
            tell_drops(entry, (enum drop_place)i, drops[i] - told);
    }
    uint64_t told = atomic_load(&entry->told_gaps);
    if (counts.gaps > told)
        tell_gaps(entry, &counts, counts.gaps - told);
}

void collecting_tick(struct collecting *collecting)
{
    for (struct entry *entry = collecting->first; entry; entry = entry->next)
        tell_all(entry);
}

/* ---- one collector ---- */

static void leave_generation(struct generation *generation)
{
    if (--generation->users)
        return;
    arena_free(generation->arena);
    mem_free(generation);
}

/* The sink answers everything, soon. */
static void wait_for_answers(struct entry *entry)
{
    static const struct timespec moment = {.tv_nsec = 2 * NS_PER_MS};
    while (atomic_load(&entry->under_way))
        nanosleep(&moment, NULL);
}

static void close_entry(struct entry *entry)
{
    const struct collector_kind *kind = entry->settings->kind;
    if (entry->collector && kind->stop)
        kind->stop(entry->collector);
    if (entry->host.loop) {
        net_loop_hold(entry->host.loop);
        net_loop_stop(entry->host.loop);
    }
    wait_for_answers(entry);
    if (entry->started && kind->finish)
        kind->finish(entry->collector);
    if (entry->started)
        tell_all(entry);
    wait_for_answers(entry);
    if (entry->collector)
        kind->free(entry->collector);
    if (entry->host.loop)
        net_loop_drop(entry->host.loop);
    leave_generation(entry->generation);
    mem_free(entry);
}

static int start_entry(struct entry *entry, struct err *err)
{
    const struct collector_kind *kind = entry->settings->kind;
    if (kind->listens && net_loop_start(kind->name, &entry->host.loop, err) < 0)
        return -1;
    return kind->open(&entry->host, entry->settings, &entry->collector, err);
}

static int open_entry(struct collecting *collecting, const struct collector_settings *settings,
                      struct generation *generation, struct err *err)
{
    struct entry *entry = mem_calloc(1, sizeof(*entry));
    if (!entry)
        return err_nomem(err);
    generation->users++;
    entry->generation = generation;
    entry->settings = settings;
    entry->to = collecting->config.sink;
    entry->sink = (struct sink){take, entry, collecting->config.sink->clock};
    entry->host = collecting->config.host;
    entry->host.sink = &entry->sink;
    entry->wanted = true;
    if (start_entry(entry, err) < 0) {
        close_entry(entry);
        return err_within(err, "collector %.*s", SLICE_ARG(settings->name));
    }
    entry->started = true;
    pthread_mutex_lock(&collecting->lock);
    struct entry **last = &collecting->first;
    while (*last)
        last = &(*last)->next;
    *last = entry;
    pthread_mutex_unlock(&collecting->lock);
    return 0;
}

/* ---- all of them ---- */

int collecting_open(const struct collecting_config *config, struct collecting **out, struct err *err)
{
    struct collecting *collecting = mem_calloc(1, sizeof(*collecting));
    *out = collecting;
    if (!collecting)
        return err_nomem(err);
    collecting->config = *config;
    pthread_mutex_init(&collecting->lock, NULL);
    return 0;
}

static bool same_settings(const struct collector_settings *a, const struct collector_settings *b)
{
    const struct collector_settings *both[] = {a, b};
    struct buffer texts[2];
    struct json json;
    for (size_t i = 0; i < 2; i++) {
        buffer_init(&texts[i], YAML_BYTES_MAX * 8);
        json_init(&json, &texts[i]);
        yaml_to_json(both[i]->node, &json);
    }
    bool same = !buffer_failed(&texts[0]) && !buffer_failed(&texts[1]) &&
                slice_equal(buffer_slice(&texts[0]), buffer_slice(&texts[1]));
    buffer_close(&texts[0]);
    buffer_close(&texts[1]);
    return same;
}

static struct entry *find(struct collecting *collecting, const struct collector_settings *settings)
{
    for (struct entry *entry = collecting->first; entry; entry = entry->next)
        if (same_settings(entry->settings, settings))
            return entry;
    return NULL;
}

/* First, so that their ports are free for others. */
static void end_unwanted(struct collecting *collecting)
{
    for (struct entry **at = &collecting->first; *at;) {
        struct entry *entry = *at;
        if (entry->wanted) {
            at = &entry->next;
            continue;
        }
        pthread_mutex_lock(&collecting->lock);
        *at = entry->next;
        pthread_mutex_unlock(&collecting->lock);
        close_entry(entry);
    }
}

int collecting_change(struct collecting *collecting, const struct collector_settings *settings, size_t count,
                      struct arena *arena, struct err *err)
{
    struct generation *generation = mem_calloc(1, sizeof(*generation));
    struct err other;
    int result = 0;
    if (!generation) {
        arena_free(arena);
        return err_nomem(err);
    }
    *generation = (struct generation){arena, 1};
    for (struct entry *entry = collecting->first; entry; entry = entry->next)
        entry->wanted = false;
    for (size_t i = 0; i < count; i++) {
        struct entry *same = settings[i].enabled ? find(collecting, &settings[i]) : NULL;
        if (same)
            same->wanted = true;
    }
    end_unwanted(collecting);
    for (size_t i = 0; i < count; i++)
        if (settings[i].enabled && !find(collecting, &settings[i]) &&
            open_entry(collecting, &settings[i], generation, result ? &other : err) < 0)
            result = -1;
    leave_generation(generation);
    return result;
}

static void count_entry(struct entry *entry, struct collecting_counts *counts)
{
    *counts = (struct collecting_counts){
        .name = entry->settings->name,
        .kind = slice_text(entry->settings->kind->name),
        .events = atomic_load(&entry->events),
        .bytes = atomic_load(&entry->bytes),
        .last_ns = atomic_load(&entry->last_ns),
    };
    if (entry->settings->kind->counts)
        entry->settings->kind->counts(entry->collector, &counts->own);
}

void collecting_each(struct collecting *collecting, void (*visit)(void *context, const struct collecting_counts *counts),
                     void *context)
{
    pthread_mutex_lock(&collecting->lock);
    for (struct entry *entry = collecting->first; entry; entry = entry->next) {
        struct collecting_counts counts;
        count_entry(entry, &counts);
        visit(context, &counts);
    }
    pthread_mutex_unlock(&collecting->lock);
}

struct asked_port {
    const char *name;
    uint16_t port;
};

static void see_port(void *context, const struct collecting_counts *counts)
{
    struct asked_port *asked = context;
    if (slice_is(counts->name, asked->name))
        asked->port = counts->own.port;
}

uint16_t collecting_port(struct collecting *collecting, const char *name)
{
    struct asked_port asked = {name, 0};
    collecting_each(collecting, see_port, &asked);
    return asked.port;
}

void collecting_close(struct collecting *collecting)
{
    if (!collecting)
        return;
    for (struct entry *entry = collecting->first; entry; entry = entry->next)
        entry->wanted = false;
    end_unwanted(collecting);
    pthread_mutex_destroy(&collecting->lock);
    mem_free(collecting);
}
