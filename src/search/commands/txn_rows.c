#include "search/commands/txn_rows.h"

#include "event/schema.h"
#include "search/group.h"
#include "search/lexer.h"

#include <stdlib.h>

static int by_text(const void *a, const void *b)
{
    return value_compare(*(const struct value *)a, *(const struct value *)b);
}

/* mvlist=t, or the field is in its list. */
static bool lists(struct slice mv_list, struct slice field)
{
    struct slice rest = mv_list, part;
    if (slice_is_nocase(rest, "t") || slice_is_nocase(rest, "true") || slice_is(rest, "1"))
        return true;
    if (slice_is_nocase(rest, "f") || slice_is_nocase(rest, "false") || slice_is(rest, "0"))
        return false;
    while (rest.len && slice_next_part(&rest, ',', &part))
        if (slice_equal(spl_field_alias(slice_trim(part)), field))
            return true;
    return false;
}

/* The different values of one row of a column; many of them are looked up by number. */
struct distinct {
    struct column *to;
    uint32_t begin; /* its first entry */
    struct intern seen;
    struct arena *scratch;
};

enum { LOOK_AT_EACH = 16 };

static int is_known(struct distinct *d, struct value v, bool *known)
{
    uint32_t count = d->to->count - d->begin;
    const struct value *values = d->to->values + d->begin;
    *known = false;
    if (count < LOOK_AT_EACH) {
        for (uint32_t i = 0; i < count && !*known; i++)
            *known = value_equal(values[i], v);
        return 0;
    }
    for (uint32_t i = d->seen.count; i < count; i++)
        if (intern_value(&d->seen, d->scratch, values[i]) == GROUP_NONE)
            return -1;
    uint32_t number = intern_value(&d->seen, d->scratch, v);
    *known = number < count;
    return number == GROUP_NONE ? -1 : 0;
}

static int put_all(struct batch *out, struct column *to, uint32_t at, const struct column *from,
                   const uint32_t *rows, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        uint32_t first, n = column_range(from, rows[i], &first);
        for (uint32_t k = 0; k < n; k++)
            if (column_add(out, to, at, column_value(from, first + k)) < 0)
                return -1;
    }
    return 0;
}

static int put_distinct(const struct txn_maker *maker, struct batch *out, struct column *to,
                        uint32_t at, const struct column *from, const uint32_t *rows, uint32_t count)
{
    struct distinct d = {.to = to, .begin = to->count, .scratch = maker->scratch};
    struct value last = value_null();
    arena_reset(maker->scratch);
    for (uint32_t i = 0; i < count; i++) {
        uint32_t first, n = column_range(from, rows[i], &first);
        for (uint32_t k = 0; k < n; k++) {
            struct value v = column_value(from, first + k);
            bool known = i + k > 0 && v.type == last.type && v.len == last.len && v.i64 == last.i64 &&
                         v.scale == last.scale;
            if (!known && is_known(&d, v, &known) < 0)
                return -1;
            if (!known && column_add(out, to, at, v) < 0)
                return -1;
            last = v;
        }
    }
    if (to->count > d.begin + 1)
        qsort(to->values + d.begin, to->count - d.begin, sizeof(struct value), by_text);
    return 0;
}

static bool is_made(struct slice name)
{
    return slice_is(name, "duration") || slice_is(name, "eventcount") || slice_is(name, "closed_txn");
}

static int put_made(const struct txn *txn, struct batch *out, uint32_t at)
{
    struct value duration;
    if (txn->orphan)
        return batch_put(out, at, SLICE("_txn_orphan"), value_i64(1));
    return !value_to_number(value_time(txn->last_ns - txn->first_ns), out->arena, &duration) ||
                   batch_put(out, at, SLICE("duration"), duration) < 0 ||
                   batch_put(out, at, SLICE("eventcount"), value_i64(txn->count)) < 0 ||
                   batch_put(out, at, SLICE("closed_txn"), value_i64(txn->closed)) < 0
               ? -1
               : 0;
}

int txn_make(const struct txn_maker *maker, const struct batch *from, const uint32_t *rows,
             const struct txn *txn, struct batch *out)
{
    uint32_t at = out->row_count++, count = txn->count;
    for (uint32_t c = 0; from && c < from->column_count; c++) {
        const struct column *column = from->columns[c];
        if (!txn->orphan && is_made(column->name))
            continue;
        struct column *to = batch_column(out, column->name);
        bool all = slice_equal(column->name, FIELD_ORIGINAL) || lists(maker->mv_list, column->name);
        int result = !to ? -1
                     : slice_equal(column->name, FIELD_TIMESTAMP)
                         ? column_add(out, to, at, value_time(txn->first_ns))
                     : all ? put_all(out, to, at, column, rows, count)
                           : put_distinct(maker, out, to, at, column, rows, count);
        if (result < 0)
            return -1;
    }
    return put_made(txn, out, at);
}
