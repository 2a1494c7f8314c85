/* Rules of silence: a key that was heard at least SILENCE_HEARD_MIN times and not for "after". */
#include "base/limits.h"
#include "base/mem.h"
#include "base/time.h"
#include "detect/explain.h"
#include "detect/hit.h"
#include "table/timed_map.h"

#include <stdlib.h>

enum { SILENCE_HEARD_MIN = 3 };

struct silence {
    struct operator_host host;
    struct timed_map *heard; /* mark = raised already */
    int64_t due_ns;
};

static void silence_free(void *state)
{
    struct silence *silence = state;
    if (!silence)
        return;
    timed_map_free(silence->heard);
    mem_free(silence);
}

static void *silence_make(const struct operator_host *host)
{
    struct silence *silence = mem_calloc(1, sizeof(*silence));
    if (!silence)
        return NULL;
    *silence = (struct silence){.host = *host, .due_ns = INT64_MAX, .heard = timed_map_new(SILENCE_KEYS_MAX)};
    if (silence->heard)
        return silence;
    silence_free(silence);
    return NULL;
}

static int64_t silence_due_ns(const void *state)
{
    return ((const struct silence *)state)->due_ns;
}

static int raise(struct silence *silence, struct finding *finding, struct err *err)
{
    return silence->host.raise(silence->host.context, silence->host.rule, finding, NULL, err);
}

static void due_by(struct silence *silence, int64_t time_ns)
{
    if (time_ns < silence->due_ns)
        silence->due_ns = time_ns;
}

/* A row that says what is known of a key that fell silent, for the sentences and entities. */
static int silence_row(const struct silence *silence, struct slice key, int64_t last_ns,
                       struct batch *batch)
{
    const struct rule *rule = silence->host.rule;
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

static int raise_silence(struct silence *silence, struct slice key, int64_t last_ns,
                         struct arena *scratch, struct err *err)
{
    const struct rule *rule = silence->host.rule;
    struct batch *batch = batch_new(1 * MIB);
    char group[TIME_TEXT_SIZE];
    struct finding finding = finding_of_rule(rule, last_ns + rule->silence_ns);
    size_t len = time_format(last_ns, group);
    finding.group_key = arena_printf(scratch, "%.*s %.*s", SLICE_ARG(key), (int)len, group);
    int result = batch && finding.group_key.ptr ? silence_row(silence, key, last_ns, batch) : -1;
    if (result == 0)
        result = explain_entities(rule, batch, 0, scratch, &finding.entities, &finding.entity_count);
    if (result == 0)
        result = explain_finding(rule, batch, 0, scratch, &finding);
    if (result < 0) {
        batch_free(batch);
        return err_nomem(err);
    }
    finding_set_id(&finding);
    result = raise(silence, &finding, err);
    batch_free(batch);
    return result;
}

static int take_heard(void *state, const struct hit *hit, struct err *err)
{
    struct silence *silence = state;
    struct arena *scratch = silence->host.moment;
    int64_t time_ns = hit->time_ns;
    struct slice key;
    if (hit_key(silence->host.rule->key, hit, scratch, &key, err) < 0)
        return -1;
    if (!key.ptr)
        return 0;
    struct timed_entry *entry = timed_map_find(silence->heard, key);
    if (entry && !entry->mark && entry->count >= SILENCE_HEARD_MIN &&
        time_ns - entry->time_ns > silence->host.rule->silence_ns &&
        raise_silence(silence, key, entry->time_ns, scratch, err) < 0)
        return -1;
    entry = timed_map_touch(silence->heard, key, time_ns);
    if (!entry)
        return err_nomem(err);
    entry->mark = false;
    due_by(silence, entry->time_ns + silence->host.rule->silence_ns);
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

static int advance_silence(void *state, int64_t now_ns, struct err *err)
{
    struct silence *silence = state;
    struct arena *scratch = silence->host.moment;
    int64_t next_ns = INT64_MAX;
    size_t count;
    struct timed_entry **due =
        take_due(silence->heard, now_ns - silence->host.rule->silence_ns, true, &next_ns, scratch, &count);
    if (!due)
        return err_nomem(err);
    for (size_t i = 0; i < count; i++) {
        due[i]->mark = true;
        if (raise_silence(silence, due[i]->key, due[i]->time_ns, scratch, err) < 0)
            return -1;
    }
    silence->due_ns = next_ns == INT64_MAX ? INT64_MAX : next_ns + silence->host.rule->silence_ns;
    return 0;
}

/* ---- snapshots ---- */

static void silence_save(const void *state, struct buffer *to)
{
    timed_map_save(((const struct silence *)state)->heard, to);
}

static int silence_load(void *state, struct slice *from, struct err *err)
{
    struct silence *silence = state;
    silence->due_ns = INT64_MIN; /* found out at the next advance */
    return timed_map_load(silence->heard, from, err);
}

static void silence_stats(const void *state, struct operator_stats *add)
{
    const struct silence *silence = state;
    add->keys += timed_map_count(silence->heard);
    add->evicted += timed_map_evicted(silence->heard);
}

const struct operator_kind operator_silence = {
    .name = "silence",
    .make = silence_make,
    .free = silence_free,
    .take = take_heard,
    .due_ns = silence_due_ns,
    .advance = advance_silence,
    .save = silence_save,
    .load = silence_load,
    .stats = silence_stats,
};
