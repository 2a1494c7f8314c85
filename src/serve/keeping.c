#include "serve/keeping.h"

#include "base/limits.h"
#include "base/mem.h"
#include "base/time.h"
#include "state/audit.h"
#include "store/manifest.h"

#include <pthread.h>
#include <stdio.h>

#define ARENA_MAX (64 * MIB)

struct keeping {
    struct keeping_config config;
    pthread_mutex_t lock; /* all below, and the order of reading holds and giving them to the store */
    int64_t version;      /* of the holds that the store has */
    bool known;
    uint64_t audited;     /* the last drop that is in the trail */
    bool failing;         /* which was said */
};

/* ---- holds ---- */

struct holds {
    struct retention_hold list[RETENTION_HOLDS_MAX];
    size_t count;
    int64_t last_id;
    bool waiting; /* some are not in force yet */
};

static void take_hold(void *context, const struct keep *keep)
{
    struct holds *holds = context;
    if (holds->count == RETENTION_HOLDS_MAX)
        return; /* keeps_add refuses more */
    holds->list[holds->count++] =
        (struct retention_hold){keep->name, keep->stream, keep->from_ns, keep->to_ns};
    holds->last_id = keep->id;
    holds->waiting |= !keep->in_force_ns;
}

/* Under the lock. The version is read first: a change in between is seen the next time. */
static int apply(struct keeping *keeping, struct arena *arena, struct err *err)
{
    const struct keeping_config *config = &keeping->config;
    struct holds *holds = arena_calloc(arena, sizeof(*holds));
    int64_t version;
    if (!holds)
        return err_nomem(err);
    if (keeps_version(config->database, &version, err) < 0 ||
        keeps_list(config->database, config->clock, false, arena, take_hold, holds, err) < 0 ||
        store_set_holds(config->store, holds->list, holds->count, err) < 0)
        return -1;
    keeping->version = version;
    keeping->known = true;
    return holds->waiting ? keeps_in_force(config->database, config->clock, holds->last_id, err) : 0;
}

int keeping_apply(struct keeping *keeping, struct err *err)
{
    struct arena *arena = arena_new(ARENA_MAX);
    if (!arena)
        return err_nomem(err);
    pthread_mutex_lock(&keeping->lock);
    int result = apply(keeping, arena, err);
    pthread_mutex_unlock(&keeping->lock);
    arena_free(arena);
    return result;
}

/* ---- the trail ---- */

static int find_audited(struct keeping *keeping, struct arena *arena, struct err *err)
{
    struct query *query;
    if (query_begin(keeping->config.database, "SELECT object FROM audit WHERE action='retention.drop' AND "
                    "object LIKE ?1 ORDER BY id DESC LIMIT 1", &query, err) < 0)
        return -1;
    query_text(query, 1, arena_printf(arena, "%016llx/%%",
                                      (unsigned long long)store_id(keeping->config.store)));
    int result = query_step(query, err);
    struct slice object = result == 1 ? query_get_text(query, 0, arena) : SLICE_NONE;
    query_end(query);
    if (result == 1 && (object.len < 18 || !slice_to_u64(slice_from(object, 17), &keeping->audited)))
        return err_set(err, ERR_CORRUPT, "the audit trail names no drop with '%.*s'", SLICE_ARG(object));
    return result < 0 ? -1 : 0;
}

static int audit_drop(struct keeping *keeping, const struct manifest_drop *drop, struct arena *arena,
                      struct err *err)
{
    static const char *const reasons[DROP_REASON_COUNT] = {
        [DROP_AGE] = "older than its days", [DROP_DISK_MAX] = "over disk_max",
        [DROP_DISK_FREE] = "below disk_free_min"};
    char day[TIME_TEXT_SIZE], from[TIME_TEXT_SIZE], to[TIME_TEXT_SIZE], at[TIME_TEXT_SIZE];
    day[time_format(drop->day * NS_PER_DAY, day)] = '\0';
    from[time_format(drop->time_min, from)] = '\0';
    to[time_format(drop->time_max, to)] = '\0';
    at[time_format(drop->time_ns, at)] = '\0';
    struct audit_row row = {
        .actor = SLICE("hinomi"),
        .via = SLICE("retention"),
        .peer = SLICE(""),
        .action = SLICE("retention.drop"),
        .object = arena_printf(arena, "%016llx/%llu", (unsigned long long)store_id(keeping->config.store),
                               (unsigned long long)drop->serial),
        .detail = arena_printf(arena, "stream %.*s, day %.10s, %s: %llu events (%s to %s) in %llu segments, "
                               "%llu bytes, at %s", SLICE_ARG(drop->stream), day, reasons[drop->reason],
                               (unsigned long long)drop->rows, from, to,
                               (unsigned long long)drop->segments, (unsigned long long)drop->bytes, at),
        .result = SLICE("ok")};
    return audit_add(keeping->config.database, keeping->config.clock, &row, err);
}

static int audit_drops(struct keeping *keeping, struct arena *arena, struct err *err)
{
    struct manifest_drop *drops;
    size_t count;
    if (store_drops(keeping->config.store, keeping->audited, arena, &drops, &count, err) < 0)
        return -1;
    for (size_t i = 0; i < count; i++) {
        if (audit_drop(keeping, &drops[i], arena, err) < 0)
            return -1;
        keeping->audited = drops[i].serial;
    }
    return 0;
}

/* ---- all of it ---- */

int keeping_open(const struct keeping_config *config, struct keeping **out, struct err *err)
{
    struct keeping *keeping = mem_calloc(1, sizeof(*keeping));
    struct arena *arena = arena_new(ARENA_MAX);
    *out = keeping;
    int result = keeping && arena ? 0 : err_nomem(err);
    if (keeping) {
        keeping->config = *config;
        pthread_mutex_init(&keeping->lock, NULL);
    }
    if (result == 0)
        result = find_audited(keeping, arena, err);
    if (result == 0)
        result = apply(keeping, arena, err);
    arena_free(arena);
    if (result == 0)
        return 0;
    keeping_close(keeping);
    *out = NULL;
    return err_within(err, "retention holds");
}

void keeping_close(struct keeping *keeping)
{
    if (!keeping)
        return;
    pthread_mutex_destroy(&keeping->lock);
    mem_free(keeping);
}

static int tick(struct keeping *keeping, struct arena *arena, struct err *err)
{
    int64_t version;
    if (keeps_version(keeping->config.database, &version, err) < 0)
        return -1;
    if ((!keeping->known || version != keeping->version) && apply(keeping, arena, err) < 0)
        return err_within(err, "retention holds");
    if (audit_drops(keeping, arena, err) < 0)
        return err_within(err, "what retention took is not in the audit trail yet");
    return 0;
}

void keeping_tick(struct keeping *keeping)
{
    struct err err;
    struct arena *arena = arena_new(ARENA_MAX);
    pthread_mutex_lock(&keeping->lock);
    bool failed = !arena || tick(keeping, arena, &err) < 0;
    if (failed && arena && !keeping->failing)
        keeping->config.note(keeping->config.context, err.text);
    keeping->failing = failed;
    pthread_mutex_unlock(&keeping->lock);
    arena_free(arena);
}
