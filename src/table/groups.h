#pragma once
/*
 * table/groups: keys, each with the events of a sliding window by event time, for rules that count or order
 * events.
 *
 *   key "alice"   events  12:00:03  12:00:09  12:04:40      ascending; equal times in order of arrival
 *                 texts   what the caller notes of each (which event it was)
 *
 * An event that comes late is put in its place. A group with more than events_max events merges those that are
 * alike within a step of time (a CORRELATION_STEPS-th of the window); a merged event has the later time, so that a
 * window may look a step too far back, never too short. Only when that is not enough the oldest go, counted.
 *
 * Ownership  Keys and texts are copied. A pointer to a group is good until groups_get or groups_drop_before.
 * Threads    One at a time.
 * Limits     bytes_max, looked at by groups_get; beyond, the tenth of the groups whose newest event is oldest goes,
 *            counted.
 */
#include "base/buffer.h"
#include "base/err.h"
#include "event/decimal.h"

/* Which events of a group may become one when there are too many. */
enum group_merge { MERGE_PART, MERGE_VALUE, MERGE_SUM, MERGE_LEAST, MERGE_MOST };

struct groups_options {
    size_t bytes_max;
    uint32_t events_max;
    int64_t window_ns;
    enum group_merge merge;
    bool numbers; /* events have one */
};

struct group_event {
    int64_t time_ns;
    uint64_t value; /* a hash of what is counted */
    uint32_t text_at, text_len;
    uint32_t times; /* events that it stands for */
    uint16_t part;
    uint16_t marks; /* the caller's; kept by one that is merged into another */
};

/* What was counted of a run of events, for the next one, which mostly begins and ends a little later. Not saved; all zero
 * when an event of the run has changed. */
struct group_sums {
    uint32_t from, end;
    uint64_t all, counted;
};

struct group {
    struct group_sums sums; /* the caller's */
    struct slice key;
    uint32_t count, size, first;
    struct group_event *events; /* from first on; group_at() */
    struct decimal *numbers;    /* beside events, or NULL */
    char *text;
    uint32_t text_len, text_size, text_dead;
    /* the caller's; saved with the group */
    int64_t fired_ns, open_ns, due_ns;
    uint64_t since;
    bool fired;
    char told[33];
};

/* A time less a span; the earliest there is when that cannot be told. */
static inline int64_t groups_earlier(int64_t time_ns, int64_t span_ns)
{
    int64_t out;
    return __builtin_sub_overflow(time_ns, span_ns, &out) ? INT64_MIN : out;
}
static inline int64_t groups_later(int64_t time_ns, int64_t span_ns)
{
    int64_t out;
    return __builtin_add_overflow(time_ns, span_ns, &out) ? INT64_MAX : out;
}

struct groups;

MUST_USE struct groups *groups_new(const struct groups_options *options);
void groups_free(struct groups *groups);

struct group *groups_find(const struct groups *groups, struct slice key); /* NULL: there is none */
/* Finds or makes; NULL when memory is out. A new one has fired_ns and open_ns INT64_MIN, due_ns INT64_MAX. */
MUST_USE struct group *groups_get(struct groups *groups, struct slice key);
/* Puts an event in its place; text is copied, its place in event is not read. Its index, or -1 when memory is out. */
MUST_USE int64_t group_insert(struct groups *groups, struct group *group, const struct group_event *event,
                              struct slice text, const struct decimal *number);
static inline const struct group_event *group_at(const struct group *group, uint32_t i)
{
    return &group->events[group->first + i];
}
static inline void group_mark(struct group *group, uint32_t i, uint16_t marks)
{
    group->events[group->first + i].marks |= marks;
}
static inline const struct decimal *group_number(const struct group *group, uint32_t i)
{
    return &group->numbers[group->first + i];
}
static inline struct slice group_text(const struct group *group, uint32_t i)
{
    const struct group_event *event = group_at(group, i);
    return slice_of(group->text + event->text_at, event->text_len);
}
/* The first event that is not before a time; count when there is none. */
uint32_t group_from(const struct group *group, int64_t time_ns);
void group_remove(struct group *group, uint32_t i);
void group_forget_before(struct groups *groups, struct group *group, int64_t time_ns);

/* Start with *at = 0; NULL at the end. No groups_get in between. */
struct group *groups_next(struct groups *groups, size_t *at);
/* Drops events before a time, and groups that have none left unless they are fired or open. */
void groups_drop_before(struct groups *groups, int64_t time_ns);

struct groups_stats {
    uint64_t groups, bytes;
    uint64_t evicted; /* groups that went because memory was out */
    uint64_t cut;     /* events that went because their group had too many */
};
struct groups_stats groups_stats(const struct groups *groups);
/* The tenth whose newest event is oldest goes, counted. False when there was nothing to go. */
bool groups_shrink(struct groups *groups);

void groups_save(const struct groups *groups, struct buffer *to);
MUST_USE int groups_load(struct groups *groups, struct slice *from, struct err *err);
