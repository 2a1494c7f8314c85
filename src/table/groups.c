#include "table/groups.h"

#include "base/hash.h"
#include "base/limits.h"
#include "base/mem.h"

#include <stdlib.h>

enum { SLOTS_FIRST = 64, EVENTS_FIRST = 2, TEXT_FIRST = 48, ALLOCATION_COST = 16 };

struct groups {
    struct groups_options options;
    struct group **slots; /* open addressing */
    size_t size, count, bytes;
    uint64_t evicted, cut;
};

struct groups *groups_new(const struct groups_options *options)
{
    struct groups *groups = mem_calloc(1, sizeof(*groups));
    if (groups)
        groups->options = *options;
    return groups;
}

/* ---- groups ---- */

static size_t event_bytes(const struct groups *groups)
{
    return sizeof(struct group_event) + (groups->options.numbers ? sizeof(struct decimal) : 0);
}

static size_t bytes_of(const struct groups *groups, const struct group *group)
{
    return sizeof(*group) + group->key.len + group->text_size + group->size * event_bytes(groups) +
           5 * (size_t)ALLOCATION_COST;
}

static void group_free(struct group *group)
{
    if (!group)
        return;
    mem_free((char *)(uintptr_t)group->key.ptr);
    mem_free(group->events);
    mem_free(group->numbers);
    mem_free(group->text);
    mem_free(group);
}

void groups_free(struct groups *groups)
{
    if (!groups)
        return;
    for (size_t i = 0; i < groups->size; i++)
        group_free(groups->slots[i]);
    mem_free(groups->slots);
    mem_free(groups);
}

static struct group **probe(struct group **slots, size_t size, struct slice key)
{
    for (size_t at = hash_bytes_seeded(key, hash_seed) & (size - 1);; at = (at + 1) & (size - 1))
        if (!slots[at] || slice_equal(slots[at]->key, key))
            return &slots[at];
}

/* Newest event of a group; one that is new has none and stays. */
static int64_t newest(const struct group *group)
{
    return group->count ? group_at(group, group->count - 1)->time_ns : INT64_MAX;
}

/* Which groups stay: those whose newest event is at or after a time, but for so many of that time itself. */
struct keeping {
    int64_t limit_ns;
    size_t fewer;
    bool needed; /* those that are fired or open stay as well, and none without events */
};

static bool keeps(struct keeping *keeping, const struct group *group)
{
    if (keeping->needed)
        return (group->count && newest(group) >= keeping->limit_ns) || group->fired || group->open_ns != INT64_MIN;
    if (newest(group) == keeping->limit_ns && keeping->fewer) {
        keeping->fewer--;
        return false;
    }
    return newest(group) >= keeping->limit_ns;
}

/* The groups that stay, in a table of that size. */
static int rebuild(struct groups *groups, size_t size, struct keeping keeping)
{
    struct group **slots = mem_calloc(size, sizeof(struct group *));
    if (!slots)
        return -1;
    groups->count = groups->bytes = 0;
    for (size_t i = 0; i < groups->size; i++) {
        struct group *group = groups->slots[i];
        if (group && !keeps(&keeping, group)) {
            group_free(group);
        } else if (group) {
            *probe(slots, size, group->key) = group;
            groups->bytes += bytes_of(groups, group);
            groups->count++;
        }
    }
    mem_free(groups->slots);
    groups->slots = slots;
    groups->size = size;
    return 0;
}

static int by_time(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

bool groups_shrink(struct groups *groups)
{
    int64_t *times = mem_calloc(groups->count + 1, sizeof(*times));
    size_t count = 0, before = groups->count, tenth = groups->count / 10, of_limit = 0;
    for (size_t i = 0; times && i < groups->size; i++)
        if (groups->slots[i])
            times[count++] = newest(groups->slots[i]);
    if (count) {
        qsort(times, count, sizeof(*times), by_time);
        for (size_t i = 0; i <= tenth && i < count; i++)
            of_limit += times[i] == times[tenth];
        struct keeping keeping = {.limit_ns = times[tenth], .fewer = of_limit};
        if (rebuild(groups, groups->size, keeping) == 0)
            groups->evicted += before - groups->count;
    }
    mem_free(times);
    return groups->count < before;
}

static struct group *add_group(struct groups *groups, struct slice key)
{
    struct keeping all = {.limit_ns = INT64_MIN};
    if (groups->count * 4 >= groups->size * 3 &&
        rebuild(groups, groups->size ? groups->size * 2 : SLOTS_FIRST, all) < 0)
        return NULL;
    char *copy = mem_strdup(key.ptr, key.len);
    struct group *group = copy ? mem_calloc(1, sizeof(*group)) : NULL;
    if (!group) {
        mem_free(copy);
        return NULL;
    }
    group->key = slice_of(copy, key.len);
    group->fired_ns = group->open_ns = INT64_MIN;
    group->due_ns = INT64_MAX;
    *probe(groups->slots, groups->size, group->key) = group;
    groups->count++;
    groups->bytes += bytes_of(groups, group);
    return group;
}

struct group *groups_find(const struct groups *groups, struct slice key)
{
    return groups->size ? *probe(groups->slots, groups->size, key) : NULL;
}

struct group *groups_get(struct groups *groups, struct slice key)
{
    if (groups->bytes > groups->options.bytes_max)
        (void)groups_shrink(groups);
    struct group *group = groups_find(groups, key);
    return group ? group : add_group(groups, key);
}

struct group *groups_next(struct groups *groups, size_t *at)
{
    while (*at < groups->size) {
        struct group *group = groups->slots[(*at)++];
        if (group)
            return group;
    }
    return NULL;
}

void groups_drop_before(struct groups *groups, int64_t time_ns)
{
    for (size_t i = 0; i < groups->size; i++)
        if (groups->slots[i])
            group_forget_before(groups, groups->slots[i], time_ns);
    struct keeping needed = {.limit_ns = time_ns, .needed = true};
    if (groups->count && rebuild(groups, groups->size, needed) < 0)
        return; /* no memory to shrink: they stay a little longer */
}

struct groups_stats groups_stats(const struct groups *groups)
{
    return (struct groups_stats){groups->count, groups->bytes + groups->size * sizeof(*groups->slots),
                                 groups->evicted, groups->cut};
}

/* ---- events of a group ---- */

uint32_t group_from(const struct group *group, int64_t time_ns)
{
    uint32_t low = 0, high = group->count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (group_at(group, middle)->time_ns < time_ns)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static void forget(struct group *group, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        group->text_dead += group_at(group, i)->text_len;
    group->first += count;
    group->count -= count;
    if (group->sums.from >= count) {
        group->sums.from -= count;
        group->sums.end -= count;
    } else {
        group->sums = (struct group_sums){0};
    }
}

void group_forget_before(struct groups *groups, struct group *group, int64_t time_ns)
{
    (void)groups;
    forget(group, group_from(group, time_ns));
}

void group_remove(struct group *group, uint32_t i)
{
    uint32_t behind = group->count - i - 1;
    group->sums = (struct group_sums){0};
    struct group_event *place = &group->events[group->first + i];
    group->text_dead += place->text_len;
    memmove(place, place + 1, behind * sizeof(*place));
    if (group->numbers) {
        struct decimal *number = &group->numbers[group->first + i];
        memmove(number, number + 1, behind * sizeof(*number));
    }
    group->count--;
}

/* Texts of events that are gone leave. */
static void pack_text(struct group *group)
{
    uint32_t len = 0;
    char *packed = mem_alloc(group->text_size + 1);
    if (!packed)
        return;
    for (uint32_t i = 0; i < group->count; i++) {
        struct group_event *event = &group->events[group->first + i];
        memcpy(packed + len, group->text + event->text_at, event->text_len);
        event->text_at = len;
        len += event->text_len;
    }
    mem_free(group->text);
    group->text = packed;
    group->text_len = len;
    group->text_dead = 0;
}

static bool make_text_room(struct group *group, size_t len)
{
    if (group->text_len + len > group->text_size && group->text_dead > group->text_len / 2)
        pack_text(group);
    if (group->text_len + len <= group->text_size)
        return true;
    size_t size = group->text_size ? group->text_size : TEXT_FIRST;
    while (size < group->text_len + len)
        size += size / 2;
    char *text = size < UINT32_MAX ? mem_realloc(group->text, size) : NULL;
    if (!text)
        return false;
    group->text = text;
    group->text_size = (uint32_t)size;
    return true;
}

static void to_front(struct group *group)
{
    memmove(group->events, group->events + group->first, group->count * sizeof(*group->events));
    if (group->numbers)
        memmove(group->numbers, group->numbers + group->first, group->count * sizeof(*group->numbers));
    group->first = 0;
}

static bool make_event_room(const struct groups *groups, struct group *group)
{
    if (group->first + group->count < group->size)
        return true;
    if (group->first > group->size / 4) {
        to_front(group);
        return true;
    }
    uint32_t size = group->size ? group->size + group->size / 2 + 1 : EVENTS_FIRST;
    struct group_event *events = mem_realloc(group->events, size * sizeof(*events));
    if (!events)
        return false;
    group->events = events;
    if (groups->options.numbers) {
        struct decimal *numbers = mem_realloc(group->numbers, size * sizeof(*numbers));
        if (!numbers)
            return false;
        group->numbers = numbers;
    }
    group->size = size;
    return true;
}

/* ---- too many events in one group ---- */

static bool merge_numbers(enum group_merge merge, struct decimal *into, const struct decimal *other)
{
    if (merge == MERGE_SUM)
        return decimal_add(*into, *other, into);
    if ((merge == MERGE_LEAST && decimal_compare(*other, *into) < 0) ||
        (merge == MERGE_MOST && decimal_compare(*other, *into) > 0))
        *into = *other;
    return true;
}

static bool may_merge(const struct groups *groups, const struct group_event *a, const struct group_event *b,
                      int64_t step_ns)
{
    bool values = groups->options.merge == MERGE_VALUE;
    return a->part == b->part && (!values || a->value == b->value) && b->time_ns / step_ns == a->time_ns / step_ns &&
           a->times <= UINT32_MAX - b->times;
}

static void merge_steps(const struct groups *groups, struct group *group)
{
    int64_t step_ns = groups->options.window_ns / CORRELATION_STEPS + 1;
    uint32_t kept = 0;
    group->sums = (struct group_sums){0};
    to_front(group);
    for (uint32_t i = 0; i < group->count; i++) {
        struct group_event *event = &group->events[i], *last = kept ? &group->events[kept - 1] : NULL;
        if (last && may_merge(groups, last, event, step_ns) &&
            (!group->numbers ||
             merge_numbers(groups->options.merge, &group->numbers[kept - 1], &group->numbers[i]))) {
            last->times += event->times;
            last->marks |= event->marks;
            last->time_ns = event->time_ns;
            group->text_dead += event->text_len;
            continue;
        }
        group->events[kept] = *event;
        if (group->numbers)
            group->numbers[kept] = group->numbers[i];
        kept++;
    }
    group->count = kept;
}

/* What only a late event would look at goes first. */
static void thin(struct groups *groups, struct group *group)
{
    forget(group, group_from(group, groups_earlier(newest(group), groups->options.window_ns)));
    if (group->count < groups->options.events_max)
        return;
    merge_steps(groups, group);
    if (group->count < groups->options.events_max - groups->options.events_max / 8)
        return;
    for (uint32_t i = 0; i < group->count / 4; i++)
        groups->cut += group_at(group, i)->times;
    forget(group, group->count / 4);
}

int64_t group_insert(struct groups *groups, struct group *group, const struct group_event *event, struct slice text,
                     const struct decimal *number)
{
    size_t before = bytes_of(groups, group);
    if (group->count >= groups->options.events_max)
        thin(groups, group);
    bool room = make_text_room(group, text.len) && make_event_room(groups, group);
    groups->bytes += bytes_of(groups, group) - before;
    if (!room)
        return -1;
    uint32_t at = group->count;
    while (at && group_at(group, at - 1)->time_ns > event->time_ns)
        at--;
    if (at < group->sums.end)
        group->sums = (struct group_sums){0};
    struct group_event *place = &group->events[group->first + at];
    memmove(place + 1, place, (group->count - at) * sizeof(*place));
    *place = *event;
    place->text_at = group->text_len;
    place->text_len = (uint32_t)text.len;
    if (text.len)
        memcpy(group->text + group->text_len, text.ptr, text.len);
    group->text_len += (uint32_t)text.len;
    if (group->numbers) {
        struct decimal *beside = &group->numbers[group->first + at];
        memmove(beside + 1, beside, (group->count - at) * sizeof(*beside));
        *beside = *number;
    }
    group->count++;
    return at;
}

/* ---- snapshots ---- */

static void save_group(const struct group *group, struct buffer *to)
{
    buffer_put_block(to, group->key);
    buffer_put_le64(to, (uint64_t)group->fired_ns);
    buffer_put_le64(to, (uint64_t)group->open_ns);
    buffer_put_le64(to, (uint64_t)group->due_ns);
    buffer_put_varint(to, group->since);
    buffer_put_char(to, (char)group->fired);
    buffer_put_block(to, slice_text(group->told));
    buffer_put_varint(to, group->count);
    for (uint32_t i = 0; i < group->count; i++) {
        const struct group_event *event = group_at(group, i);
        buffer_put_le64(to, (uint64_t)event->time_ns);
        buffer_put_le64(to, event->value);
        buffer_put_varint(to, event->times);
        buffer_put_varint(to, event->part);
        buffer_put_varint(to, event->marks);
        buffer_put_block(to, group_text(group, i));
        if (group->numbers) {
            char text[DECIMAL_TEXT_SIZE];
            buffer_put_block(to, slice_of(text, decimal_format(*group_number(group, i), text)));
        }
    }
}

void groups_save(const struct groups *groups, struct buffer *to)
{
    buffer_put_varint(to, groups->count);
    buffer_put_varint(to, groups->evicted);
    buffer_put_varint(to, groups->cut);
    for (size_t i = 0; i < groups->size; i++)
        if (groups->slots[i])
            save_group(groups->slots[i], to);
}

static bool load_event(struct groups *groups, struct group *group, struct slice *from)
{
    uint64_t time_ns, times, part, marks;
    struct group_event event;
    struct decimal number = {0};
    struct slice text, digits;
    if (!slice_take_le64(from, &time_ns) || !slice_take_le64(from, &event.value) ||
        !slice_take_varint(from, &times) || !slice_take_varint(from, &part) || !slice_take_varint(from, &marks) ||
        !slice_take_block(from, &text) || times > UINT32_MAX || part >= CORRELATION_RULES_MAX || marks > UINT16_MAX)
        return false;
    if (groups->options.numbers && (!slice_take_block(from, &digits) || !decimal_parse(digits, &number)))
        return false;
    event.time_ns = (int64_t)time_ns;
    event.times = (uint32_t)times;
    event.part = (uint16_t)part;
    event.marks = (uint16_t)marks;
    return group_insert(groups, group, &event, text, &number) >= 0;
}

static bool load_group(struct groups *groups, struct slice *from)
{
    struct slice key, fired, told;
    uint64_t fired_ns, open_ns, due_ns, since, count;
    if (!slice_take_block(from, &key) || !slice_take_le64(from, &fired_ns) || !slice_take_le64(from, &open_ns) ||
        !slice_take_le64(from, &due_ns) || !slice_take_varint(from, &since) || !slice_take(from, 1, &fired) ||
        !slice_take_block(from, &told) || told.len >= sizeof(((struct group *)NULL)->told) ||
        !slice_take_varint(from, &count))
        return false;
    struct group *group = groups_get(groups, key);
    for (uint64_t i = 0; group && i < count; i++)
        if (!load_event(groups, group, from))
            return false;
    if (!group)
        return false;
    group->fired_ns = (int64_t)fired_ns;
    group->open_ns = (int64_t)open_ns;
    group->due_ns = (int64_t)due_ns;
    group->since = since;
    group->fired = fired.ptr[0] != 0;
    memcpy(group->told, told.ptr, told.len);
    group->told[told.len] = '\0';
    return true;
}

int groups_load(struct groups *groups, struct slice *from, struct err *err)
{
    uint64_t count;
    bool ok = slice_take_varint(from, &count) && slice_take_varint(from, &groups->evicted) &&
              slice_take_varint(from, &groups->cut);
    for (uint64_t i = 0; ok && i < count; i++)
        ok = load_group(groups, from);
    return ok ? 0 : err_set(err, ERR_CORRUPT, "a snapshot of grouped events is damaged");
}
