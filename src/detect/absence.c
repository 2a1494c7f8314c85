/*
 * Rules of absence: a trigger without a partner.
 *
 *   trigger ──► waiting ──grace is over──► finding ──partner comes late──► retraction
 *   partner ──► partners, against triggers that come after it
 *
 * A partner is in order from ABSENCE_BEFORE_HOURS before its trigger to the grace after it, by the times of the events,
 * in whatever order they arrive; one that happened too late is none. Of several triggers of a key within the grace of the
 * first that stands alone, that one is told of.
 */
#include "base/limits.h"
#include "base/mem.h"
#include "detect/hit.h"
#include "table/groups.h"

#include <stdlib.h>
#include <string.h>

#define BEFORE_NS (ABSENCE_BEFORE_HOURS * NS_PER_HOUR)
#define LATE_NS (CORRELATION_LATE_HOURS * NS_PER_HOUR)

enum { FINDING_BYTES_MAX = 1024 * 1024, EMPTY_MAX = 1024, NEXT_LEAST = 256 };

/* A trigger that waits, as it was; a partner may have come since. */
struct over {
    struct group *group;
    int64_t time_ns;
};

struct absence {
    struct operator_host host;
    int64_t grace_ns;
    struct groups *partners, *waiting, *found; /* by key, at the time of the event; the finding, its id */
    size_t waits;                              /* triggers */
    /* Those that are over next, so that not all that wait are looked at whenever one is: an eighth of them at a time,
     * oldest first. rest_ns is the time of the oldest one that is not among them. */
    struct over *next;
    size_t next_at, next_count, next_size;
    int64_t rest_ns;
    uint64_t next_evicted; /* groups that had gone when they were chosen */
    int64_t swept_ns;
    uint64_t late, left_out;
};

static void absence_free(void *state)
{
    struct absence *a = state;
    if (!a)
        return;
    groups_free(a->partners);
    groups_free(a->waiting);
    groups_free(a->found);
    mem_free(a->next);
    mem_free(a);
}

static void *absence_make(const struct operator_host *host)
{
    struct absence *a = mem_calloc(1, sizeof(*a));
    if (!a)
        return NULL;
    *a = (struct absence){.host = *host, .grace_ns = host->rule->grace_ns, .rest_ns = INT64_MAX, .swept_ns = INT64_MIN};
    struct groups_options options = {.bytes_max = ABSENCE_BYTES_MAX, .events_max = CORRELATION_EVENTS_MAX,
                                     .window_ns = groups_later(BEFORE_NS, a->grace_ns), .merge = MERGE_PART};
    a->partners = groups_new(&options);
    a->waiting = groups_new(&options);
    a->found = groups_new(&options);
    if (a->partners && a->waiting && a->found)
        return a;
    absence_free(a);
    return NULL;
}

static int64_t due_ns(const void *state)
{
    const struct absence *a = state;
    int64_t first_ns = a->next_at < a->next_count ? a->next[a->next_at].time_ns : a->rest_ns;
    return groups_later(first_ns, a->grace_ns);
}

static int raise(struct absence *a, struct finding *finding, struct err *err)
{
    return a->host.raise(a->host.context, a->host.rule, finding, NULL, err);
}

/* Its first event from one time to another, both included; count: none. */
static uint32_t first_between(const struct group *group, int64_t from_ns, int64_t to_ns)
{
    uint32_t at = group ? group_from(group, from_ns) : 0;
    return group && at < group->count && group_at(group, at)->time_ns <= to_ns ? at : UINT32_MAX;
}

static bool has_between(const struct groups *groups, struct slice key, int64_t from_ns, int64_t to_ns)
{
    return first_between(groups_find(groups, key), from_ns, to_ns) != UINT32_MAX;
}

static int note(struct groups *groups, struct slice key, int64_t time_ns, struct slice text, struct err *err)
{
    struct group_event event = {.time_ns = time_ns, .times = 1};
    struct group *group = groups_get(groups, key);
    return group && group_insert(groups, group, &event, text, NULL) >= 0 ? 0 : err_nomem(err);
}

/* None, counted, for a row without one. */
static int key_of(struct absence *a, const struct expr *expr, const struct hit *hit, struct slice *key, struct err *err)
{
    if (hit_key(expr, hit, a->host.moment, key, err) < 0)
        return -1;
    a->left_out += !key->ptr;
    a->late += key->ptr && *a->host.watermark_ns != INT64_MIN &&
               hit->time_ns < groups_earlier(*a->host.watermark_ns, LATE_NS);
    return 0;
}

/* ---- triggers and partners ---- */

static int by_time_and_key(const void *x, const void *y)
{
    const struct over *a = x, *b = y;
    if (a->time_ns != b->time_ns)
        return a->time_ns < b->time_ns ? -1 : 1;
    return slice_compare(a->group->key, b->group->key);
}

/* What was chosen does not hold any more: groups went. */
static void choose_again(struct absence *a)
{
    a->next_at = a->next_count = 0;
    a->rest_ns = INT64_MIN;
}

static void choose_again_if_gone(struct absence *a)
{
    if (a->next_evicted != groups_stats(a->waiting).evicted)
        choose_again(a);
}

/* Room for so many in all, and for those told of already no longer. */
static int room_for_next(struct absence *a, size_t count, struct err *err)
{
    if (a->next_at > a->next_count / 2) {
        memmove(a->next, a->next + a->next_at, (a->next_count - a->next_at) * sizeof(*a->next));
        a->next_count -= a->next_at;
        a->next_at = 0;
    }
    if (count <= a->next_size)
        return 0;
    struct over *next = mem_realloc(a->next, 2 * count * sizeof(*next));
    if (!next)
        return err_nomem(err);
    a->next = next;
    a->next_size = 2 * count;
    return 0;
}

/* One that is older than the rest belongs among those that are over next. */
static int put_in_order(struct absence *a, struct group *group, int64_t time_ns, struct err *err)
{
    struct over over = {group, time_ns};
    choose_again_if_gone(a);
    if (time_ns >= a->rest_ns)
        return 0;
    if (room_for_next(a, a->next_count + 1, err) < 0)
        return -1;
    size_t low = a->next_at, high = a->next_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (by_time_and_key(&a->next[middle], &over) <= 0)
            low = middle + 1;
        else
            high = middle;
    }
    memmove(a->next + low + 1, a->next + low, (a->next_count - low) * sizeof(*a->next));
    a->next[low] = over;
    a->next_count++;
    return 0;
}

static int wait_for(struct absence *a, struct slice key, int64_t time_ns, const struct finding *finding,
                    struct err *err)
{
    struct buffer bytes;
    buffer_init(&bytes, FINDING_BYTES_MAX);
    finding_encode(finding, &bytes);
    int result = buffer_failed(&bytes) ? err_nomem(err) : note(a->waiting, key, time_ns, buffer_slice(&bytes), err);
    buffer_close(&bytes);
    a->waits++;
    if (result == 0)
        result = put_in_order(a, groups_find(a->waiting, key), time_ns, err);
    return result;
}

static int take_trigger(void *state, const struct hit *hit, struct err *err)
{
    struct absence *a = state;
    struct finding finding;
    struct slice key;
    if (key_of(a, a->host.rule->key, hit, &key, err) < 0)
        return -1;
    if (!key.ptr || has_between(a->partners, key, groups_earlier(hit->time_ns, BEFORE_NS),
                                groups_later(hit->time_ns, a->grace_ns)))
        return 0;
    if (hit_finding(a->host.rule, hit, a->host.moment, &finding, err) < 0)
        return -1;
    finding.group_key = key;
    finding_set_id(&finding);
    return wait_for(a, key, hit->time_ns, &finding, err);
}

static int retract(struct absence *a, struct slice key, int64_t time_ns, struct slice id, struct err *err)
{
    struct arena *arena = a->host.moment;
    struct finding finding = finding_of_rule(a->host.rule, time_ns);
    finding.severity = SEVERITY_NONE;
    finding.group_key = key;
    finding.retracts = arena_copy(arena, id);
    finding.explanation_en = arena_printf(arena, "Taken back: what was missing for %.*s has arrived late",
                                          SLICE_ARG(key));
    finding.explanation_ja = arena_printf(arena, "取り消し: %.*s に欠けていたものが遅れて届きました", SLICE_ARG(key));
    if (!finding.retracts.ptr || !finding.explanation_en.ptr || !finding.explanation_ja.ptr)
        return err_nomem(err);
    finding_set_id_of(&finding, finding.retracts); /* a key may have several */
    return raise(a, &finding, err);
}

static int partner(void *state, const struct hit *hit, struct err *err)
{
    struct absence *a = state;
    struct slice key;
    if (key_of(a, a->host.rule->partner_key, hit, &key, err) < 0)
        return -1;
    if (!key.ptr)
        return 0;
    if (note(a->partners, key, hit->time_ns, SLICE(""), err) < 0)
        return -1;
    int64_t from_ns = groups_earlier(hit->time_ns, a->grace_ns), to_ns = groups_later(hit->time_ns, BEFORE_NS);
    struct group *waiting = groups_find(a->waiting, key), *found = groups_find(a->found, key);
    for (uint32_t at; (at = first_between(waiting, from_ns, to_ns)) != UINT32_MAX; a->waits--)
        group_remove(waiting, at);
    for (uint32_t at; (at = first_between(found, from_ns, to_ns)) != UINT32_MAX; group_remove(found, at))
        if (retract(a, key, hit->time_ns, group_text(found, at), err) < 0)
            return -1;
    return 0;
}

/* ---- time passes ---- */

/* Chooses anew: the oldest eighth of all that wait, and those of the time of its last. */
static int choose_next(struct absence *a, struct err *err)
{
    struct group *group;
    size_t at = 0, count = 0;
    if (room_for_next(a, a->waits, err) < 0)
        return -1;
    while ((group = groups_next(a->waiting, &at)))
        for (uint32_t i = 0; i < group->count; i++)
            a->next[count++] = (struct over){group, group_at(group, i)->time_ns};
    if (count > 1)
        qsort(a->next, count, sizeof(*a->next), by_time_and_key);
    size_t kept = count / 8 + NEXT_LEAST < count ? count / 8 + NEXT_LEAST : count;
    while (kept < count && a->next[kept].time_ns == a->next[kept - 1].time_ns)
        kept++;
    a->rest_ns = kept < count ? a->next[kept].time_ns : INT64_MAX;
    a->waits = count; /* fewer where groups were forgotten */
    a->next_at = 0;
    a->next_count = kept;
    a->next_evicted = groups_stats(a->waiting).evicted;
    return 0;
}

static int tell(struct absence *a, const struct over *over, struct err *err)
{
    struct finding finding;
    struct slice key = over->group->key;
    uint32_t at = group_from(over->group, over->time_ns);
    if (at == over->group->count || group_at(over->group, at)->time_ns != over->time_ns)
        return 0; /* a partner has come */
    int64_t from_ns = groups_earlier(over->time_ns, a->grace_ns), to_ns = groups_later(over->time_ns, a->grace_ns);
    int result = 0;
    if (!has_between(a->found, key, from_ns, to_ns)) {
        result = finding_decode(group_text(over->group, at), a->host.moment, &finding, err);
        finding.raised_ns = groups_later(over->time_ns, a->grace_ns);
        if (result == 0)
            result = note(a->found, key, over->time_ns, slice_of(finding.id, 32), err);
        if (result == 0)
            result = raise(a, &finding, err);
    }
    group_remove(over->group, at);
    a->waits--;
    return result;
}

static void sweep(struct absence *a, int64_t now_ns)
{
    if (groups_stats(a->waiting).groups > 2 * a->waits + EMPTY_MAX) {
        groups_drop_before(a->waiting, INT64_MIN); /* those without a trigger */
        choose_again(a);
    }
    if (a->swept_ns >= groups_earlier(now_ns, NS_PER_HOUR))
        return;
    int64_t late_ns = groups_earlier(groups_earlier(now_ns, LATE_NS), a->grace_ns);
    a->swept_ns = now_ns;
    groups_drop_before(a->partners, groups_earlier(late_ns, BEFORE_NS));
    groups_drop_before(a->found, late_ns);
}

static int advance(void *state, int64_t now_ns, struct err *err)
{
    struct absence *a = state;
    struct arena_mark mark = arena_mark(a->host.moment);
    int result = 0;
    choose_again_if_gone(a);
    while (result == 0 && due_ns(a) < now_ns) {
        if (a->next_at == a->next_count)
            result = choose_next(a, err);
        else
            result = tell(a, &a->next[a->next_at++], err);
        arena_rewind(a->host.moment, &mark);
    }
    if (result == 0)
        sweep(a, now_ns);
    return result;
}

/* ---- snapshots ---- */

static void save(const void *state, struct buffer *to)
{
    const struct absence *a = state;
    buffer_put_varint(to, a->late);
    buffer_put_varint(to, a->left_out);
    groups_save(a->partners, to);
    groups_save(a->waiting, to);
    groups_save(a->found, to);
}

static int load(void *state, struct slice *from, struct err *err)
{
    struct absence *a = state;
    struct group *group;
    if (!slice_take_varint(from, &a->late) || !slice_take_varint(from, &a->left_out))
        return err_set(err, ERR_CORRUPT, "a snapshot of a rule of absence is damaged");
    if (groups_load(a->partners, from, err) < 0 || groups_load(a->waiting, from, err) < 0 ||
        groups_load(a->found, from, err) < 0)
        return -1;
    choose_again(a);
    for (size_t at = 0; (group = groups_next(a->waiting, &at));)
        a->waits += group->count;
    return 0;
}

static void stats(const void *state, struct operator_stats *add)
{
    const struct absence *a = state;
    const struct groups *const all[] = {a->partners, a->waiting, a->found};
    for (size_t i = 0; i < ARRAY_COUNT(all); i++) {
        struct groups_stats held = groups_stats(all[i]);
        add->keys += held.groups;
        add->bytes += held.bytes;
        add->evicted += held.evicted;
        add->cut += held.cut;
    }
    add->late += a->late;
    add->left_out += a->left_out;
}

/* What it only remembers goes before what it waits for. */
static bool shrink(void *state)
{
    struct absence *a = state;
    return groups_shrink(a->partners) || groups_shrink(a->found) || groups_shrink(a->waiting);
}

const struct operator_kind operator_absence = {
    .name = "absence",
    .saved_since = 3,
    .make = absence_make,
    .free = absence_free,
    .take = take_trigger,
    .partner = partner,
    .due_ns = due_ns,
    .advance = advance,
    .save = save,
    .load = load,
    .stats = stats,
    .shrink = shrink,
};
