/*
 * Rules of absence and of silence.
 *
 * Absence   trigger ──► pending(key) ──deadline──► finding ──late partner──► retraction
 *           partner ──► seen(key)      before or after the trigger, both are in order
 * Silence   a key that was heard at least SILENCE_HEARD_MIN times and not for "after"
 */
#include "base/limits.h"
#include "base/mem.h"
#include "base/time.h"
#include "detect/explain.h"
#include "detect/hit.h"
#include "table/timed_map.h"

#include <stdlib.h>

enum {
    FINDING_BYTES_MAX = 1024 * 1024,
    RETRACT_HOURS = 24,
    WATCH_KEYS_MAX = 200000,
    SILENCE_HEARD_MIN = 3,
    PARTNER_REMEMBER_HOURS = 24,
};

struct watch {
    struct operator_host host;
    struct timed_map *partners; /* ABSENT: keys of partners, by time */
    struct timed_map *pending;  /* key -> the finding as bytes; time is the deadline */
    struct timed_map *fired;    /* key -> finding id, for a partner that comes late */
    struct timed_map *heard;    /* SILENCE: mark = raised already */
    int64_t due_ns;
    int64_t swept_ns;
};

static void watch_free(void *state)
{
    struct watch *watch = state;
    if (!watch)
        return;
    timed_map_free(watch->partners);
    timed_map_free(watch->pending);
    timed_map_free(watch->fired);
    timed_map_free(watch->heard);
    mem_free(watch);
}

static void *watch_make(const struct operator_host *host)
{
    struct watch *watch = mem_calloc(1, sizeof(*watch));
    if (!watch)
        return NULL;
    *watch = (struct watch){.host = *host, .due_ns = INT64_MAX, .swept_ns = INT64_MIN};
    watch->partners = timed_map_new(WATCH_KEYS_MAX);
    watch->pending = timed_map_new(WATCH_KEYS_MAX);
    watch->fired = timed_map_new(WATCH_KEYS_MAX);
    watch->heard = timed_map_new(WATCH_KEYS_MAX);
    if (watch->partners && watch->pending && watch->fired && watch->heard)
        return watch;
    watch_free(watch);
    return NULL;
}

static int64_t watch_due_ns(const void *state)
{
    return ((const struct watch *)state)->due_ns;
}

static int raise(struct watch *watch, struct finding *finding, struct err *err)
{
    return watch->host.raise(watch->host.context, watch->host.rule, finding, NULL, err);
}

static void due_by(struct watch *watch, int64_t time_ns)
{
    if (time_ns < watch->due_ns)
        watch->due_ns = time_ns;
}

/* ---- absence ---- */

static int trigger(struct watch *watch, struct slice key, int64_t time_ns, const struct finding *finding,
                   struct err *err)
{
    const struct timed_entry *partner = timed_map_find(watch->partners, key);
    if (partner && partner->time_ns >= time_ns - PARTNER_REMEMBER_HOURS * NS_PER_HOUR)
        return 0;
    if (timed_map_find(watch->pending, key))
        return 0; /* the first trigger of a key stands for it */
    struct buffer bytes;
    buffer_init(&bytes, FINDING_BYTES_MAX);
    finding_encode(finding, &bytes);
    struct timed_entry *entry =
        buffer_failed(&bytes) ? NULL
                              : timed_map_touch(watch->pending, key, time_ns + watch->host.rule->grace_ns);
    int result = entry && timed_map_set_text(entry, buffer_slice(&bytes)) == 0 ? 0 : err_nomem(err);
    buffer_close(&bytes);
    due_by(watch, time_ns + watch->host.rule->grace_ns);
    return result;
}

static int retract(struct watch *watch, struct slice key, int64_t time_ns,
                   const struct timed_entry *fired, struct arena *scratch, struct err *err)
{
    struct finding finding = finding_of_rule(watch->host.rule, time_ns);
    finding.severity = SEVERITY_NONE;
    finding.group_key = key;
    finding.retracts = arena_copy(scratch, fired->text);
    finding.explanation_en = arena_printf(
        scratch, "Taken back: what was missing for %.*s has arrived late", SLICE_ARG(key));
    finding.explanation_ja =
        arena_printf(scratch, "取り消し: %.*s に欠けていたものが遅れて届きました", SLICE_ARG(key));
    finding_set_id(&finding);
    return raise(watch, &finding, err);
}

static int partner(void *state, const struct hit *hit, struct err *err)
{
    struct watch *watch = state;
    struct arena *scratch = watch->host.moment;
    int64_t time_ns = hit->time_ns;
    struct slice key;
    if (hit_key(watch->host.rule->partner_key, hit, scratch, &key, err) < 0)
        return -1;
    if (!key.ptr)
        return 0;
    if (!timed_map_touch(watch->partners, key, time_ns))
        return err_nomem(err);
    timed_map_remove(watch->pending, key);
    const struct timed_entry *fired = timed_map_find(watch->fired, key);
    if (!fired)
        return 0;
    int result = retract(watch, key, time_ns, fired, scratch, err);
    timed_map_remove(watch->fired, key);
    return result;
}

static int raise_pending(struct watch *watch, const struct timed_entry *entry,
                         struct arena *scratch, struct err *err)
{
    struct finding finding;
    if (finding_decode(entry->text, scratch, &finding, err) < 0)
        return -1;
    finding.raised_ns = entry->time_ns;
    struct timed_entry *fired = timed_map_touch(watch->fired, entry->key, entry->time_ns);
    if (!fired || timed_map_set_text(fired, slice_of(finding.id, 32)) < 0)
        return err_nomem(err);
    return raise(watch, &finding, err);
}

static int take_trigger(void *state, const struct hit *hit, struct err *err)
{
    struct watch *watch = state;
    const struct rule *rule = watch->host.rule;
    struct finding finding;
    struct slice key;
    if (hit_key(rule->key, hit, watch->host.moment, &key, err) < 0)
        return -1;
    if (!key.ptr)
        return 0;
    if (hit_finding(rule, hit, watch->host.moment, &finding, err) < 0)
        return -1;
    finding.group_key = key;
    finding_set_id(&finding);
    return trigger(watch, key, hit->time_ns, &finding, err);
}

/* ---- silence ---- */

/* A row that says what is known of a key that fell silent, for the sentences and entities. */
static int silence_row(const struct watch *watch, struct slice key, int64_t last_ns,
                       struct batch *batch)
{
    const struct rule *rule = watch->host.rule;
    struct slice field = rule->entity_count ? rule->entities[0].field : SLICE("host.name");
    char last[TIME_TEXT_SIZE];
    size_t len = time_format(last_ns, last);
    struct slice last_text = arena_copy(batch->arena, slice_of(last, len));
    if (!batch_add_row(batch) || !last_text.ptr)
        return -1;
    if (batch_put(batch, 0, field, value_string(key)) < 0 ||
        batch_put(batch, 0, SLICE("last_seen"), value_string(last_text)) < 0)
        return -1;
    return slice_is(field, "key") ? 0 : batch_put(batch, 0, SLICE("key"), value_string(key));
}

static int raise_silence(struct watch *watch, struct slice key, int64_t last_ns,
                         struct arena *scratch, struct err *err)
{
    const struct rule *rule = watch->host.rule;
    struct batch *batch = batch_new(1 * MIB);
    char group[TIME_TEXT_SIZE];
    struct finding finding = finding_of_rule(rule, last_ns + rule->silence_ns);
    size_t len = time_format(last_ns, group);
    finding.group_key = arena_printf(scratch, "%.*s %.*s", SLICE_ARG(key), (int)len, group);
    int result = batch && finding.group_key.ptr ? silence_row(watch, key, last_ns, batch) : -1;
    if (result == 0)
        result = explain_entities(rule, batch, 0, scratch, &finding.entities, &finding.entity_count);
    if (result == 0)
        result = explain_finding(rule, batch, 0, scratch, &finding);
    if (result < 0) {
        batch_free(batch);
        return err_nomem(err);
    }
    finding_set_id(&finding);
    result = raise(watch, &finding, err);
    batch_free(batch);
    return result;
}

static int take_heard(void *state, const struct hit *hit, struct err *err)
{
    struct watch *watch = state;
    struct arena *scratch = watch->host.moment;
    int64_t time_ns = hit->time_ns;
    struct slice key;
    if (hit_key(watch->host.rule->key, hit, scratch, &key, err) < 0)
        return -1;
    if (!key.ptr)
        return 0;
    struct timed_entry *entry = timed_map_find(watch->heard, key);
    if (entry && !entry->mark && entry->count >= SILENCE_HEARD_MIN &&
        time_ns - entry->time_ns > watch->host.rule->silence_ns &&
        raise_silence(watch, key, entry->time_ns, scratch, err) < 0)
        return -1;
    entry = timed_map_touch(watch->heard, key, time_ns);
    if (!entry)
        return err_nomem(err);
    entry->mark = false;
    due_by(watch, entry->time_ns + watch->host.rule->silence_ns);
    return 0;
}

/* ---- time passes ---- */

static int by_time_and_key(const void *a, const void *b)
{
    const struct timed_entry *x = *(struct timed_entry *const *)a, *y = *(struct timed_entry *const *)b;
    if (x->time_ns != y->time_ns)
        return x->time_ns < y->time_ns ? -1 : 1;
    return slice_compare(x->key, y->key);
}

/* The entries that are due, oldest first, so that the order does not depend on the table. */
static struct timed_entry **take_due(struct timed_map *map, int64_t limit_ns, bool silence,
                                     int64_t *next_ns, struct arena *scratch, size_t *count)
{
    struct timed_entry **due = arena_array(scratch, timed_map_count(map) + 1, sizeof(*due));
    struct timed_entry *entry;
    size_t at = 0;
    *count = 0;
    while (due && (entry = timed_map_next(map, &at))) {
        if (silence && (entry->mark || entry->count < SILENCE_HEARD_MIN))
            continue;
        if (entry->time_ns < limit_ns)
            due[(*count)++] = entry;
        else if (entry->time_ns < *next_ns)
            *next_ns = entry->time_ns;
    }
    if (due)
        qsort(due, *count, sizeof(*due), by_time_and_key);
    return due;
}

static int advance_absence(void *state, int64_t now_ns, struct err *err)
{
    struct watch *watch = state;
    struct arena *scratch = watch->host.moment;
    int64_t next_ns = INT64_MAX;
    size_t count;
    struct timed_entry **due = take_due(watch->pending, now_ns, false, &next_ns, scratch, &count);
    if (!due)
        return err_nomem(err);
    for (size_t i = 0; i < count; i++)
        if (raise_pending(watch, due[i], scratch, err) < 0)
            return -1;
    timed_map_drop_before(watch->pending, now_ns);
    watch->due_ns = next_ns;
    if (watch->swept_ns < now_ns - NS_PER_HOUR) { /* forget what can no longer matter */
        watch->swept_ns = now_ns;
        timed_map_drop_before(watch->partners, now_ns - PARTNER_REMEMBER_HOURS * NS_PER_HOUR);
        timed_map_drop_before(watch->fired, now_ns - RETRACT_HOURS * NS_PER_HOUR);
    }
    return 0;
}

static int advance_silence(void *state, int64_t now_ns, struct err *err)
{
    struct watch *watch = state;
    struct arena *scratch = watch->host.moment;
    int64_t next_ns = INT64_MAX;
    size_t count;
    struct timed_entry **due =
        take_due(watch->heard, now_ns - watch->host.rule->silence_ns, true, &next_ns, scratch, &count);
    if (!due)
        return err_nomem(err);
    for (size_t i = 0; i < count; i++) {
        due[i]->mark = true;
        if (raise_silence(watch, due[i]->key, due[i]->time_ns, scratch, err) < 0)
            return -1;
    }
    watch->due_ns = next_ns == INT64_MAX ? INT64_MAX : next_ns + watch->host.rule->silence_ns;
    return 0;
}


/* ---- snapshots ---- */

static void watch_save(const void *state, struct buffer *to)
{
    const struct watch *watch = state;
    timed_map_save(watch->partners, to);
    timed_map_save(watch->pending, to);
    timed_map_save(watch->fired, to);
    timed_map_save(watch->heard, to);
}

static int watch_load(void *state, struct slice *from, struct err *err)
{
    struct watch *watch = state;
    watch->due_ns = INT64_MIN; /* found out at the next advance */
    return timed_map_load(watch->partners, from, err) < 0 ||
                   timed_map_load(watch->pending, from, err) < 0 ||
                   timed_map_load(watch->fired, from, err) < 0 ||
                   timed_map_load(watch->heard, from, err) < 0
               ? -1
               : 0;
}

static void watch_stats(const void *state, struct operator_stats *add)
{
    const struct watch *watch = state;
    const struct timed_map *const maps[] = {watch->partners, watch->pending, watch->fired, watch->heard};
    for (size_t i = 0; i < ARRAY_COUNT(maps); i++) {
        add->keys += timed_map_count(maps[i]);
        add->evicted += timed_map_evicted(maps[i]);
    }
}

const struct operator_kind operator_absence = {
    .name = "absence",
    .make = watch_make,
    .free = watch_free,
    .take = take_trigger,
    .partner = partner,
    .due_ns = watch_due_ns,
    .advance = advance_absence,
    .save = watch_save,
    .load = watch_load,
    .stats = watch_stats,
};

const struct operator_kind operator_silence = {
    .name = "silence",
    .make = watch_make,
    .free = watch_free,
    .take = take_heard,
    .due_ns = watch_due_ns,
    .advance = advance_silence,
    .save = watch_save,
    .load = watch_load,
    .stats = watch_stats,
};
