/*
 * Rules of what is more than usual, or less:
 *
 *   usual: {key: user.name, calendar: japan, above: 4, below: 4, at_least: 10, learn: 14d}
 *
 * Events of a key are counted by the hour. What is usual is learnt for each hour of the week, and for each hour of
 * holidays, where the calendar is: mean and variance, the last eight weeks weighing most. An hour is unusual when its
 * count is above the mean by so many deviations (of the counts, at least of chance) and at least so high; a key is judged
 * when its hour of the week has been seen as often as the time of learning has weeks. A holiday that is not known yet is
 * taken for a Sunday.
 *
 *   hour of now ──► 168 hours of the week, 24 of holidays: {mean, variance, times seen}
 *
 * The finding comes with the event that is too much, once an hour. Hours without an event count as nought. What is
 * learnt of an unusual hour is cut to what would just have been usual. An event that comes late still counts in the hour
 * before the newest one of its key; an older one is counted as late.
 *
 * Too little is known when an hour and a grace are over, by event time or the clock, for keys without any event as well: where
 * the mean is at_least and the square root of the count is so many deviations below (of counts by chance it has one of a
 * half, also near nought). It is told once, until an hour is as usual again.
 */
#include "base/limits.h"
#include "base/mem.h"
#include "detect/explain.h"
#include "detect/hit.h"
#include "table/calendar.h"
#include "table/groups.h"
#include "table/timed_map.h"

#include <math.h>
#include <stdlib.h>

enum { WEEK_HOURS = 168, SLOTS = WEEK_HOURS + 24, OPEN_HOURS = 2, WEIGHT_TIMES = 8, SUNDAY = 0, WEEKS_BACK = 8, GRACE_MINUTES = 10 };

struct usual_slot {
    float mean, variance;
    uint32_t seen;
};

/* What is known of a key: the bytes of an entry of the map, and of a snapshot. */
struct profile {
    int64_t hour; /* the newest, since 1970 by local time */
    uint32_t counts[OPEN_HOURS]; /* of it and of the one before */
    uint8_t told[OPEN_HOURS];
    uint8_t opened; /* hours that are open */
    uint8_t low; /* too little, and told of */
    uint8_t zero[4];
    int64_t low_hour; /* hours up to this one have been looked at for too little */
    struct usual_slot slots[SLOTS];
};

struct usual {
    struct operator_host host;
    struct timed_map *profiles;
    const struct calendar *calendar; /* NULL: UTC, without holidays */
    uint64_t late, left_out;
    int64_t due_ns; /* when the next hour can be looked at for too little; INT64_MAX: none is */
};

static void usual_free(void *state)
{
    struct usual *u = state;
    if (!u)
        return;
    timed_map_free(u->profiles);
    mem_free(u);
}

static void *usual_make(const struct operator_host *host)
{
    struct usual *u = mem_calloc(1, sizeof(*u));
    if (!u)
        return NULL;
    *u = (struct usual){.host = *host, .profiles = timed_map_new(USUAL_KEYS_MAX), .calendar = host->rule->calendar,
                        .due_ns = INT64_MAX};
    if (u->profiles)
        return u;
    usual_free(u);
    return NULL;
}

/* ---- hours ---- */

static int64_t hour_of(const struct usual *u, int64_t time_ns)
{
    int64_t offset_s = u->calendar ? zone_offset(calendar_zone(u->calendar), time_ns) : 0;
    int64_t seconds = time_ns / NS_PER_SECOND + offset_s;
    return seconds / 3600 - (seconds % 3600 < 0);
}

static size_t week_slot(int64_t hour)
{
    return (size_t)((hour % WEEK_HOURS + WEEK_HOURS) % WEEK_HOURS);
}

static size_t slot_of(const struct usual *u, int64_t hour)
{
    int64_t day = hour / 24 - (hour % 24 < 0);
    if (u->calendar && calendar_off(u->calendar, day, (int)(hour - day * 24)).ptr)
        return WEEK_HOURS + (size_t)(hour - day * 24);
    return week_slot(hour);
}

/* Which slot tells what is usual in an hour: the Sunday before for holidays that are not known yet. */
static const struct usual_slot *judge_slot(const struct usual *u, const struct profile *profile, int64_t hour)
{
    size_t slot = slot_of(u, hour);
    if (slot < WEEK_HOURS || profile->slots[slot].seen >= u->host.rule->learn_times)
        return &profile->slots[slot];
    int64_t day = hour / 24 - (hour % 24 < 0);
    int64_t weekday = ((day + 4) % 7 + 7) % 7; /* 1970 began on a Thursday */
    return &profile->slots[week_slot(hour - (weekday - SUNDAY) * 24)];
}

/* The highest count that is still usual; infinite while it is being learnt. */
static double limit_of(const struct usual *u, const struct profile *profile, int64_t hour)
{
    const struct usual_slot *slot = judge_slot(u, profile, hour);
    const struct rule *rule = u->host.rule;
    if (slot->seen < rule->learn_times || rule->above <= 0)
        return INFINITY;
    double spread = slot->variance > slot->mean ? slot->variance : slot->mean; /* counts by chance vary so much */
    double limit = slot->mean + rule->above * sqrt(spread > 0 ? spread : 0);
    return limit > rule->at_least - 1 ? limit : rule->at_least - 1;
}

/* Below it is too little; 0 while it is being learnt, and where nought is usual. */
static double least_of(const struct usual *u, const struct profile *profile, int64_t hour)
{
    const struct usual_slot *slot = judge_slot(u, profile, hour);
    const struct rule *rule = u->host.rule;
    double mean = (double)slot->mean;
    if (rule->below <= 0 || slot->seen < rule->learn_times || mean < rule->at_least)
        return 0;
    double spread = slot->variance > slot->mean ? (double)slot->variance / mean : 1;
    double root = sqrt(mean) - rule->below * sqrt(spread) / 2;
    return root > 0 ? root * root : 0;
}

static void learn(const struct usual *u, struct profile *profile, int64_t hour, double count)
{
    double limit = limit_of(u, profile, hour);
    struct usual_slot *slot = &profile->slots[slot_of(u, hour)];
    if (count > limit)
        count = limit;
    limit = least_of(u, profile, hour);
    if (count < limit)
        count = limit;
    slot->seen += slot->seen < UINT32_MAX;
    double weight = slot->seen < WEIGHT_TIMES ? 1.0 / slot->seen : 1.0 / WEIGHT_TIMES;
    double off = count - (double)slot->mean;
    slot->mean = (float)((double)slot->mean + weight * off);
    slot->variance = (float)((1 - weight) * ((double)slot->variance + weight * off * off));
}

/* The hours up to this one are over, those without an event as well. */
static void move_to(const struct usual *u, struct profile *profile, int64_t hour)
{
    const int64_t most = WEEKS_BACK * WEEK_HOURS;
    if (profile->opened && hour - profile->hour > most) {
        learn(u, profile, profile->hour, profile->counts[0]);
        profile->hour = hour - most;
        profile->counts[0] = profile->counts[1] = 0;
    }
    while (profile->opened && profile->hour < hour) {
        if (profile->opened == OPEN_HOURS)
            learn(u, profile, profile->hour - 1, profile->counts[1]);
        profile->counts[1] = profile->counts[0];
        profile->told[1] = profile->told[0];
        profile->counts[0] = profile->told[0] = 0;
        profile->opened = OPEN_HOURS;
        profile->hour++;
    }
    if (!profile->opened) {
        profile->opened = 1;
        profile->hour = hour;
    }
}

/* ---- an event ---- */

static struct profile *profile_of(struct usual *u, struct slice key, int64_t time_ns)
{
    static const struct profile none;
    struct timed_entry *entry = timed_map_touch(u->profiles, key, time_ns);
    if (entry && !entry->text.len && timed_map_set_text(entry, slice_of(&none, sizeof(none))) < 0)
        return NULL;
    return entry ? (struct profile *)(uintptr_t)entry->text.ptr : NULL;
}

/* In one finding: what is usual, and the key as its group. */
static int raise(struct usual *u, const struct hit *hit, struct slice key, const struct profile *profile, int64_t hour,
                 struct finding *finding, struct err *err)
{
    struct arena *arena = u->host.moment;
    const struct usual_slot *slot = judge_slot(u, profile, hour);
    struct entity *group = arena_calloc(arena, sizeof(*group));
    if (!group)
        return err_nomem(err);
    *group = (struct entity){u->host.rule->key_name, key};
    finding->groups = group;
    finding->group_count = 1;
    finding->group_key = arena_printf(arena, "%.*s %lld%s", SLICE_ARG(key), (long long)hour, hit ? "" : " low");
    if (!finding->group_key.ptr || hit_explain(u->host.rule, hit, arena, finding) < 0)
        return err_nomem(err);
    finding->explanation_en = arena_printf(arena, "%.*s Usual in this hour: %.1f, give or take %.1f.",
                                           SLICE_ARG(finding->explanation_en), (double)slot->mean,
                                           sqrt((double)slot->variance));
    finding->explanation_ja = arena_printf(arena, "%.*sこの時間帯の普段: %.1f ± %.1f 件。",
                                           SLICE_ARG(finding->explanation_ja), (double)slot->mean,
                                           sqrt((double)slot->variance));
    if (!finding->explanation_en.ptr || !finding->explanation_ja.ptr)
        return err_nomem(err);
    finding_set_id(finding);
    return u->host.raise(u->host.context, u->host.rule, finding, hit, err);
}

static int raise_much(struct usual *u, const struct hit *hit, struct slice key, const struct profile *profile,
                      int64_t hour, uint32_t count, struct err *err)
{
    struct finding finding;
    if (hit_finding(u->host.rule, hit, u->host.moment, &finding, err) < 0)
        return -1;
    finding.evidence_seen = count;
    return raise(u, hit, key, profile, hour, &finding, err);
}

/* ---- too little ---- */

static int64_t hour_end_ns(const struct usual *u, int64_t hour)
{
    int64_t end_ns = (hour + 1) * NS_PER_HOUR;
    return end_ns - (u->calendar ? zone_offset(calendar_zone(u->calendar), end_ns) * NS_PER_SECOND : 0);
}

static int64_t count_in(const struct profile *profile, int64_t hour)
{
    int64_t back = profile->hour - hour;
    return back >= 0 && back < OPEN_HOURS ? profile->counts[back] : 0;
}

static int raise_little(struct usual *u, const struct timed_entry *entry, const struct profile *profile, int64_t hour,
                        struct err *err)
{
    struct finding finding = finding_of_rule(u->host.rule, hour_end_ns(u, hour));
    struct arena_mark mark = arena_mark(u->host.moment);
    struct slice type = explain_entity_type(u->host.rule->key_name);
    struct entity entity = {type.ptr ? type : u->host.rule->key_name, entry->key};
    finding.entities = &entity;
    finding.entity_count = 1;
    int64_t count = count_in(profile, hour);
    finding.evidence_seen = (uint64_t)count;
    int result = raise(u, NULL, entry->key, profile, hour, &finding, err);
    arena_rewind(u->host.moment, &mark);
    return result;
}

/* Hours of a key that are over and were not looked at; not those before its first event, nor those that are learnt already. */
static int look_for_little(struct usual *u, const struct timed_entry *entry, int64_t last_hour, struct err *err)
{
    struct profile *profile = (struct profile *)(uintptr_t)entry->text.ptr;
    int64_t hour = profile->low_hour + 1 > profile->hour - 1 ? profile->low_hour + 1 : profile->hour - 1;
    for (; hour <= last_hour && hour - profile->hour < WEEK_HOURS; hour++) {
        double least = least_of(u, profile, hour);
        bool low = (double)count_in(profile, hour) < least, tell = low && !profile->low;
        if (least > 0)
            profile->low = low;
        if (tell && raise_little(u, entry, profile, hour, err) < 0)
            return -1;
    }
    profile->low_hour = last_hour;
    return 0;
}

static int by_key(const void *a, const void *b)
{
    return slice_compare((*(struct timed_entry *const *)a)->key, (*(struct timed_entry *const *)b)->key);
}

/* In the order of keys, which does not depend on the table. */
static int advance(void *state, int64_t now_ns, struct err *err)
{
    struct usual *u = state;
    int64_t last_hour = hour_of(u, groups_earlier(now_ns, GRACE_MINUTES * NS_PER_MINUTE + 1)) - 1;
    size_t count = 0, at = 0;
    struct timed_entry **list = mem_calloc(timed_map_count(u->profiles) + 1, sizeof(struct timed_entry *));
    int result = list ? 0 : err_nomem(err);
    for (struct timed_entry *entry; list && (entry = timed_map_next(u->profiles, &at));)
        list[count++] = entry;
    if (list)
        qsort(list, count, sizeof(struct timed_entry *), by_key);
    for (size_t i = 0; i < count && result == 0; i++)
        result = look_for_little(u, list[i], last_hour, err);
    mem_free(list);
    u->due_ns = groups_later(hour_end_ns(u, last_hour + 1), GRACE_MINUTES * NS_PER_MINUTE);
    return result;
}

/* What is too much is known at once; hours are closed by events. */
static int64_t due_ns(const void *state)
{
    return ((const struct usual *)state)->due_ns;
}

/* ---- an event comes ---- */

static int take(void *state, const struct hit *hit, struct err *err)
{
    struct usual *u = state;
    struct slice key;
    int64_t hour = hour_of(u, hit->time_ns);
    if (hit_key(u->host.rule->key, hit, u->host.moment, &key, err) < 0)
        return -1;
    if (!key.ptr) {
        u->left_out++;
        return 0;
    }
    struct profile *profile = profile_of(u, key, hit->time_ns);
    if (!profile)
        return err_nomem(err);
    if (!profile->opened)
        profile->low_hour = hour; /* it may not be a whole one */
    if (u->due_ns == INT64_MAX && u->host.rule->below > 0)
        u->due_ns = groups_later(hour_end_ns(u, hour), GRACE_MINUTES * NS_PER_MINUTE);
    if (!profile->opened || hour > profile->hour)
        move_to(u, profile, hour);
    int64_t back = profile->hour - hour;
    if (back >= OPEN_HOURS) {
        u->late++;
        return 0;
    }
    profile->opened = back >= profile->opened ? OPEN_HOURS : profile->opened;
    uint32_t count = ++profile->counts[back];
    if (profile->told[back] || count <= limit_of(u, profile, hour))
        return 0;
    profile->told[back] = 1;
    return raise_much(u, hit, key, profile, hour, count, err);
}

static void save(const void *state, struct buffer *to)
{
    const struct usual *u = state;
    buffer_put_varint(to, u->late);
    buffer_put_varint(to, u->left_out);
    timed_map_save(u->profiles, to);
}

static bool is_profile(const struct timed_entry *entry)
{
    struct profile profile;
    if (entry->text.len != sizeof(profile))
        return false;
    memcpy(&profile, entry->text.ptr, sizeof(profile));
    const int64_t most = INT64_MAX / NS_PER_HOUR;
    return profile.opened <= OPEN_HOURS && profile.hour <= most && profile.hour >= -most && profile.low_hour <= most &&
           profile.low_hour >= -most;
}

static int load(void *state, struct slice *from, struct err *err)
{
    struct usual *u = state;
    if (!slice_take_varint(from, &u->late) || !slice_take_varint(from, &u->left_out))
        return err_set(err, ERR_CORRUPT, "a snapshot of what is usual is damaged");
    if (timed_map_load(u->profiles, from, err) < 0)
        return -1;
    struct timed_entry *entry;
    for (size_t at = 0; (entry = timed_map_next(u->profiles, &at));)
        if (!is_profile(entry))
            return err_set(err, ERR_CORRUPT, "a snapshot of what is usual is damaged");
    if (u->host.rule->below > 0 && timed_map_count(u->profiles))
        u->due_ns = INT64_MIN; /* found out at the next advance */
    return 0;
}

static void stats(const void *state, struct operator_stats *add)
{
    const struct usual *u = state;
    add->keys += timed_map_count(u->profiles);
    add->bytes += timed_map_count(u->profiles) * (sizeof(struct profile) + sizeof(struct timed_entry));
    add->evicted += timed_map_evicted(u->profiles);
    add->late += u->late;
    add->left_out += u->left_out;
}

/* One week more, since the first is not whole. */
static int64_t history_ns(const struct rule *rule)
{
    return (rule->learn_times + INT64_C(1)) * 7 * NS_PER_DAY;
}

const struct operator_kind operator_usual = {
    .name = "usual",
    .saved_since = 3,
    .make = usual_make,
    .free = usual_free,
    .take = take,
    .due_ns = due_ns,
    .advance = advance,
    .save = save,
    .load = load,
    .stats = stats,
    .history_ns = history_ns,
};
