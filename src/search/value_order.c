#include "search/value_order.h"

#include <stdlib.h>

/* kind: numbers come before text, what is missing is last (value_compare). */
enum { ORDER_NUMBER, ORDER_TEXT, ORDER_MISSING };

struct order_key {
    uint64_t high, low; /* of texts the first 16 bytes: a whole IPv4 address, most names */
    uint32_t index;
    uint8_t kind;
};

static uint64_t take_be64(struct slice *text)
{
    unsigned char bytes[8] = {0};
    size_t n = text->len < 8 ? text->len : 8;
    uint64_t word = 0;
    memcpy(bytes, text->ptr, n);
    *text = slice_from(*text, n);
    for (int i = 0; i < 8; i++)
        word = word << 8 | bytes[i];
    return word;
}

static void set_key(struct order_key *key, struct value v)
{
    char small[VALUE_TEXT_SIZE];
    key->kind = ORDER_MISSING;
    if (v.type == VALUE_NULL)
        return;
    key->kind = ORDER_NUMBER;
    bool number = v.type != VALUE_IP && value_compare(v, value_string(SLICE(""))) < 0;
    if (number)
        return;
    struct slice text = value_text_small(v, small);
    key->kind = ORDER_TEXT;
    key->high = take_be64(&text);
    key->low = take_be64(&text);
}

static int by_key(const void *a, const void *b, void *context)
{
    const struct order_key *x = a, *y = b;
    const struct value *values = context;
    if (x->kind != y->kind)
        return x->kind < y->kind ? -1 : 1;
    if (x->high != y->high)
        return x->high < y->high ? -1 : 1;
    if (x->low != y->low)
        return x->low < y->low ? -1 : 1;
    struct value v = values[x->index], w = values[y->index];
    bool times = v.type == VALUE_TIME && w.type == VALUE_TIME;
    int order = times ? (v.i64 > w.i64) - (v.i64 < w.i64) : value_compare(v, w);
    return order ? order : (x->index > y->index) - (x->index < y->index);
}

/* Keys by kind, then high, equal ones in the order they are: a byte at a time from the least (D. E.
 * Knuth, The Art of Computer Programming 3, 5.2.5). Returns the place of the sorted ones. */
static struct order_key *radix(struct order_key *keys, struct order_key *room, uint32_t count)
{
    for (unsigned byte = 0; byte <= 8; byte++) {
        uint32_t starts[257] = {0};
        for (uint32_t i = 0; i < count; i++)
            starts[(byte < 8 ? keys[i].high >> 8 * byte & 0xff : keys[i].kind) + 1]++;
        bool all_same = false;
        for (unsigned b = 1; b <= 256; b++)
            all_same |= starts[b] == count;
        if (all_same)
            continue;
        for (unsigned b = 0; b < 256; b++)
            starts[b + 1] += starts[b];
        for (uint32_t i = 0; i < count; i++)
            room[starts[byte < 8 ? keys[i].high >> 8 * byte & 0xff : keys[i].kind]++] = keys[i];
        struct order_key *swap = keys;
        keys = room;
        room = swap;
    }
    return keys;
}

/* Runs of equal kind and high are sorted by the rest. */
static void sort_runs(struct order_key *keys, uint32_t count, const struct value *values)
{
    for (uint32_t at = 0, end; at < count; at = end) {
        for (end = at + 1; end < count && keys[end].high == keys[at].high &&
                           keys[end].kind == keys[at].kind; end++)
            continue;
        if (end - at > 1)
            qsort_r(keys + at, end - at, sizeof(*keys), by_key, (void *)(uintptr_t)values);
    }
}

enum { RADIX_FROM = 2048 }; /* fewer keys are sorted as quickly by comparing */

uint32_t *value_order(const struct value *values, uint32_t count, struct arena *arena)
{
    struct order_key *keys = arena_array(arena, count + 1U, sizeof(*keys));
    uint32_t *order = arena_alloc(arena, (count + 1U) * sizeof(*order));
    if (!keys || !order)
        return NULL;
    for (uint32_t i = 0; i < count; i++) {
        keys[i].index = i;
        set_key(&keys[i], values[i]);
    }
    if (count < RADIX_FROM) {
        qsort_r(keys, count, sizeof(*keys), by_key, (void *)(uintptr_t)values);
    } else {
        struct order_key *room = arena_alloc(arena, count * sizeof(*room));
        if (!room)
            return NULL;
        keys = radix(keys, room, count);
        sort_runs(keys, count, values);
    }
    for (uint32_t i = 0; i < count; i++)
        order[i] = keys[i].index;
    return order;
}
