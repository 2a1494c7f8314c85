/*
 * Cells that remember who came: each value or member with the time of its latest coming, the oldest first.
 *
 *   distinct  (time, 8 | XXH3-128 of the text, 16) ...
 *   values    (time, 8 | varint length, text) ...
 *   total     number, the sum; (XXH3-128 of the member, 16 | time, 8 | number) ... in no order
 *
 * What is out of the window goes as in state_window.c: as seen from the fourth newest.
 */
#include "base/hash.h"
#include "base/limits.h"
#include "table/state_cell.h"

enum { AHEAD = 4, HASH_BYTES = 16, SEEN_BYTES = 8 + HASH_BYTES, MEMBER_BYTES = HASH_BYTES + 8 };

struct came {
    int64_t time_ns;
    struct slice what; /* 16 bytes of hash, or the text */
};

struct came_list {
    struct came list[STATE_DISTINCT_MAX + 1];
    size_t count;
};

static_assert((int)STATE_VALUES_MAX <= (int)STATE_DISTINCT_MAX, "a list has room for both");

static void hash_text(struct slice text, char to[HASH_BYTES])
{
    struct hash128 hash = hash_bytes128(text);
    for (int i = 0; i < 8; i++) {
        to[i] = (char)(hash.low >> 8 * i);
        to[8 + i] = (char)(hash.high >> 8 * i);
    }
}

/* fixed: every one is a hash, without a length. */
static bool take_came(struct slice *cell, bool fixed, struct came *out)
{
    uint64_t time_ns;
    if (!slice_take_le64(cell, &time_ns))
        return false;
    out->time_ns = (int64_t)time_ns;
    return fixed ? slice_take(cell, HASH_BYTES, &out->what) : slice_take_block(cell, &out->what);
}

static void take_list(struct slice cell, bool fixed, struct came_list *out)
{
    out->count = 0;
    while (out->count < STATE_DISTINCT_MAX && take_came(&cell, fixed, &out->list[out->count]))
        out->count++;
}

static void put_list(const struct came_list *list, bool fixed, struct buffer *to)
{
    for (size_t i = 0; i < list->count; i++) {
        buffer_put_le64(to, (uint64_t)list->list[i].time_ns);
        if (fixed)
            buffer_put(to, list->list[i].what);
        else
            buffer_put_block(to, list->list[i].what);
    }
}

static void remove_at(struct came_list *list, size_t at, size_t count)
{
    list->count -= count;
    memmove(list->list + at, list->list + at + count, (list->count - at) * sizeof(list->list[0]));
}

/* what must live as long as the list. */
static void come(struct came_list *list, size_t most, struct slice what, int64_t time_ns)
{
    size_t at = list->count;
    for (size_t i = 0; i < list->count; i++)
        if (slice_equal(list->list[i].what, what)) {
            if (time_ns <= list->list[i].time_ns)
                return;
            remove_at(list, i, 1);
            at = list->count;
            break;
        }
    while (at && list->list[at - 1].time_ns > time_ns)
        at--;
    memmove(list->list + at + 1, list->list + at, (list->count - at) * sizeof(list->list[0]));
    list->list[at] = (struct came){time_ns, what};
    list->count++;
    if (list->count > most)
        remove_at(list, 0, 1);
}

/* Before b by more than the window; times may be anything that was in a snapshot. */
static bool out_of_window(int64_t time_ns, int64_t of_ns, int64_t window_ns)
{
    int64_t oldest_ns;
    return !__builtin_sub_overflow(of_ns, window_ns, &oldest_ns) && time_ns < oldest_ns;
}

static void drop_old(struct came_list *list, int64_t window_ns)
{
    size_t old = 0;
    while (list->count - old > AHEAD &&
           out_of_window(list->list[old].time_ns, list->list[list->count - AHEAD].time_ns, window_ns))
        old++;
    remove_at(list, 0, old);
}

void distinct_put(const struct state_field *field, struct slice old, const struct cell_input *input, struct buffer *to)
{
    struct came_list list;
    char hashes[STATE_DISTINCT_MAX][HASH_BYTES], small[VALUE_TEXT_SIZE];
    uint32_t count = input->values.count < STATE_DISTINCT_MAX ? input->values.count : STATE_DISTINCT_MAX;
    take_list(old, true, &list);
    for (uint32_t i = 0; i < count; i++) {
        if (input->values.values[i].type == VALUE_NULL)
            continue;
        hash_text(value_text_small(input->values.values[i], small), hashes[i]);
        come(&list, STATE_DISTINCT_MAX, slice_of(hashes[i], HASH_BYTES), input->time_ns);
    }
    drop_old(&list, field->window_ns);
    put_list(&list, true, to);
}

void values_put(const struct state_field *field, struct slice old, const struct cell_input *input, struct buffer *to)
{
    struct came_list list;
    char small[STATE_VALUES_MAX][VALUE_TEXT_SIZE];
    uint32_t count = input->values.count < STATE_VALUES_MAX ? input->values.count : STATE_VALUES_MAX;
    take_list(old, false, &list);
    for (uint32_t i = 0; i < count; i++) {
        struct slice text = value_text_small(input->values.values[i], small[i]);
        if (!text.ptr)
            continue;
        come(&list, STATE_VALUES_MAX, slice_sub(text, 0, STATE_TEXT_BYTES_MAX), input->time_ns);
    }
    drop_old(&list, field->window_ns);
    put_list(&list, false, to);
}

bool distinct_read(const struct state_field *field, struct slice cell, int64_t now_ns, struct arena *scratch,
                   struct value_list *out)
{
    struct came one;
    int64_t count = 0;
    while (take_came(&cell, true, &one))
        count += !out_of_window(one.time_ns, now_ns, field->window_ns);
    return cell_one(value_i64(count), scratch, out);
}

bool values_read(const struct state_field *field, struct slice cell, int64_t now_ns, struct arena *scratch,
                 struct value_list *out)
{
    struct came one;
    uint32_t count = 0;
    struct value *list = arena_array(scratch, STATE_VALUES_MAX, sizeof(*list));
    while (list && count < STATE_VALUES_MAX && take_came(&cell, false, &one)) {
        if (out_of_window(one.time_ns, now_ns, field->window_ns))
            continue;
        struct slice copy = arena_copy(scratch, one.what);
        if (!copy.ptr)
            return false;
        list[count++] = value_string(copy);
    }
    *out = (struct value_list){list, count};
    return count > 0;
}

static bool list_valid(struct slice cell, bool fixed, size_t most)
{
    struct came one;
    int64_t before = INT64_MIN;
    size_t count = 0;
    for (; cell.len; count++) {
        if (count == most || !take_came(&cell, fixed, &one) || one.time_ns < before ||
            one.what.len > STATE_TEXT_BYTES_MAX)
            return false;
        before = one.time_ns;
    }
    return count > 0;
}

bool distinct_valid(struct slice cell)
{
    return list_valid(cell, true, STATE_DISTINCT_MAX);
}

bool values_valid(struct slice cell)
{
    return list_valid(cell, false, STATE_VALUES_MAX);
}

/* ---- total ---- */

struct member {
    struct slice all, hash; /* its bytes */
    int64_t time_ns;
    struct decimal_sum amount;
};

static bool take_member(struct slice *cell, struct member *out)
{
    uint64_t time_ns;
    struct slice rest = *cell;
    if (!slice_take(&rest, HASH_BYTES, &out->hash) || !slice_take_le64(&rest, &time_ns) ||
        !number_take(&rest, &out->amount))
        return false;
    out->time_ns = (int64_t)time_ns;
    return slice_take(cell, cell->len - rest.len, &out->all);
}

static void subtract(struct decimal_sum *from, const struct decimal_sum *amount)
{
    struct decimal one;
    if (!decimal_sum_total(amount, &one)) /* a member's amount is always one that a decimal can be */
        return;
    one.coefficient = -one.coefficient;
    decimal_sum_add(from, one);
}

/* The member that the input names, or, where there are as many as can be, the one heard longest ago. */
static bool find_member(struct slice members, struct slice hash, struct member *out, bool *same)
{
    struct member one;
    size_t count = 0;
    *same = false;
    while (take_member(&members, &one)) {
        if (slice_equal(one.hash, hash)) {
            *out = one;
            *same = true;
            return true;
        }
        if (count++ == 0 || one.time_ns < out->time_ns)
            *out = one;
    }
    return count >= STATE_MEMBERS_MAX;
}

void total_put(struct slice old, const struct cell_input *input, struct arena *scratch, struct buffer *to, uint64_t *left)
{
    char hash[HASH_BYTES], small[VALUE_TEXT_SIZE];
    struct decimal_sum total = {0}, now = {0};
    struct decimal amount;
    struct slice members = old;
    struct member goes;
    bool same;
    if (input->member.type == VALUE_NULL || !number_of(input->values.values[0], scratch, &amount)) {
        buffer_put(to, old);
        return;
    }
    if (old.len)
        (void)number_take(&members, &total);
    hash_text(value_text_small(input->member, small), hash);
    bool replaces = find_member(members, slice_of(hash, HASH_BYTES), &goes, &same);
    if (same && input->time_ns < goes.time_ns) {
        buffer_put(to, old);
        return;
    }
    decimal_sum_add(&now, amount);
    decimal_sum_add(&total, amount);
    if (replaces)
        subtract(&total, &goes.amount);
    *left += replaces && !same;
    size_t before = replaces ? (size_t)(goes.all.ptr - members.ptr) : members.len;
    number_put(to, &total);
    buffer_put(to, slice_sub(members, 0, before));
    if (replaces)
        buffer_put(to, slice_from(members, before + goes.all.len));
    buffer_put(to, slice_of(hash, HASH_BYTES));
    buffer_put_le64(to, (uint64_t)input->time_ns);
    number_put(to, &now);
}

bool total_read(struct slice cell, struct arena *scratch, struct value_list *out)
{
    struct decimal_sum total;
    return number_take(&cell, &total) && cell_one(number_value(&total, scratch), scratch, out);
}

bool total_valid(struct slice cell)
{
    struct decimal_sum total, sum = {0};
    struct decimal one;
    struct member member;
    if (!number_take(&cell, &total))
        return false;
    for (size_t count = 0; cell.len; count++) {
        if (count == STATE_MEMBERS_MAX || !take_member(&cell, &member) || !decimal_sum_total(&member.amount, &one))
            return false;
        decimal_sum_merge(&sum, &member.amount);
    }
    return decimal_sum_compare(&total, &sum) == 0;
}
