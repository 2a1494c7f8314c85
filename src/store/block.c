#include "store/block.h"

#include "event/event_id.h"
#include "event/schema.h"

struct batch *block_batch_new(struct arena *arena, uint32_t row_count)
{
    struct batch *batch = arena_calloc(arena, sizeof(*batch));
    if (!batch)
        return NULL;
    batch->arena = arena;
    batch->row_count = row_count;
    map_init(&batch->by_name, arena);
    return batch;
}

/* What the store hands out is not written to again; struct column has no const for the others. */
static void *writable(const void *ptr)
{
    return (void *)(uintptr_t)ptr;
}

/* Which entries stand in selected rows, ascending; the count. at has room for all. A column that
 * has every row is asked by the bits alone, so a few rows of a block cost next to nothing. */
static uint32_t entries_of(const struct column *column, bool dense, const uint64_t *selected,
                           uint32_t *at)
{
    uint32_t n = 0;
    if (!dense) {
        for (uint32_t i = 0; i < column->count; i++) {
            at[n] = i;
            n += bits_get(selected, column->rows[i]);
        }
        return n;
    }
    for (size_t word = 0; word < bits_words(column->count); word++)
        for (uint64_t left = selected[word]; left; left &= left - 1)
            at[n++] = (uint32_t)(word * 64) + (uint32_t)__builtin_ctzll(left);
    return n;
}

/* The entries of selected rows only. */
static int thin_out(struct batch *batch, struct column *to, bool dense, const uint64_t *selected,
                    struct err *err)
{
    uint32_t *rows = arena_alloc(batch->arena, to->count * sizeof(*rows) + 1), *codes = NULL;
    struct value *values = NULL;
    if (!rows)
        return err_nomem(err);
    uint32_t n = entries_of(to, dense, selected, rows);
    if (n == to->count)
        return 0;
    if (to->codes)
        codes = arena_alloc(batch->arena, n * sizeof(*codes) + 1);
    if (to->values)
        values = arena_alloc(batch->arena, n * sizeof(*values) + 1);
    if ((to->codes && !codes) || (to->values && !values))
        return err_nomem(err);
    for (uint32_t i = 0; codes && i < n; i++)
        codes[i] = to->codes[rows[i]];
    for (uint32_t i = 0; values && i < n; i++)
        values[i] = to->values[rows[i]];
    for (uint32_t i = 0; i < n; i++)
        rows[i] = to->rows[rows[i]];
    to->rows = rows;
    to->codes = codes;
    to->values = values;
    to->count = to->size = n;
    return 0;
}

static bool has_dict(const struct segment_column *column)
{
    return column->chunk->encoding == CHUNK_CONST || column->chunk->encoding == CHUNK_DICT;
}

/* Integers of selected rows, without values for the others. */
static int put_numbers(struct batch *batch, struct column *to, struct segment_column *column,
                       const uint64_t *selected, struct err *err)
{
    if (segment_load_numbers(column, batch->arena, err) < 0)
        return -1;
    uint32_t *rows = arena_alloc(batch->arena, to->count * sizeof(*rows) + 1);
    if (!rows)
        return err_nomem(err);
    uint32_t n = entries_of(to, column->dense, selected, rows);
    struct value *values = arena_alloc(batch->arena, n * sizeof(*values) + 1);
    if (!values)
        return err_nomem(err);
    for (uint32_t i = 0; i < n; i++) {
        values[i] = (struct value){.type = column->chunk->type, .i64 = column->numbers[rows[i]]};
        rows[i] = to->rows[rows[i]];
    }
    to->rows = rows;
    to->values = values;
    to->count = to->size = n;
    return 0;
}

int block_put_column(struct batch *batch, struct slice name, struct segment_column *column,
                     const uint64_t *selected, bool codes_only, struct err *err)
{
    if (segment_load_rows(column, batch->arena, err) < 0)
        return -1;
    bool dict = has_dict(column), numbers = selected && column->chunk->encoding == CHUNK_INT;
    if (dict && segment_load_codes(column, batch->arena, err) < 0)
        return -1;
    if (!(dict && codes_only) && !numbers &&
        segment_load_values(column, selected, batch->arena, err) < 0)
        return -1;
    struct column *to = batch_column(batch, name);
    if (!to)
        return err_nomem(err);
    to->count = to->size = column->count;
    to->rows = writable(column->rows);
    to->values = (dict && codes_only) || numbers ? NULL : writable(column->values);
    to->codes = dict ? writable(column->codes) : NULL;
    to->dict = dict ? column->dict : NULL;
    to->dict_count = dict ? column->dict_count : 0;
    to->dict_epoch = dict ? memtable_next_epoch() : 0;
    to->types_seen = column->chunk->types_seen;
    to->multi = column->chunk->flags & CHUNK_MULTI;
    if (numbers)
        return put_numbers(batch, to, column, selected, err);
    return selected ? thin_out(batch, to, column->dense, selected, err) : 0;
}

int block_put_matching(struct batch *batch, struct slice name, struct segment_column *column,
                       const uint64_t *selected, const struct skeleton_match *match,
                       struct err *err)
{
    struct skeleton_texts texts;
    if (skeleton_read_matching(column, selected, match, batch->arena, &texts, err) < 0)
        return -1;
    struct column *to = texts.count ? batch_column(batch, name) : NULL;
    if (!texts.count)
        return 0;
    if (!to)
        return err_nomem(err);
    to->count = to->size = texts.count;
    to->rows = texts.rows;
    to->values = texts.values;
    to->types_seen = 1U << VALUE_STRING;
    return 0;
}

int block_put_part_column(struct batch *batch, const struct mem_part_column *from,
                          const uint64_t *selected, struct err *err)
{
    struct column *to = batch_column(batch, from->name);
    if (!to)
        return err_nomem(err);
    to->count = to->size = from->count;
    to->rows = writable(from->rows ? from->rows : segment_identity_rows());
    to->types_seen = from->types_seen;
    to->multi = from->multi;
    to->values = writable(from->values);
    to->codes = writable(from->codes);
    if (selected && thin_out(batch, to, !from->rows, selected, err) < 0)
        return -1;
    if (!from->codes)
        return 0;
    to->dict = from->dict;
    to->dict_count = from->dict_count;
    to->dict_epoch = from->epoch;
    to->values = arena_alloc(batch->arena, to->count * sizeof(*to->values) + 1);
    if (!to->values)
        return err_nomem(err);
    for (uint32_t i = 0; i < to->count; i++)
        to->values[i] = from->dict[to->codes[i]];
    return 0;
}

static struct value *put_dense(struct batch *batch, struct slice name, enum value_type type)
{
    struct column *to = batch_column(batch, name);
    if (!to)
        return NULL;
    to->count = to->size = batch->row_count;
    to->rows = writable(segment_identity_rows());
    to->types_seen = (uint16_t)(1U << type);
    to->values = arena_alloc(batch->arena, batch->row_count * sizeof(*to->values) + 1);
    return to->values;
}

int block_put_part_keys(struct batch *batch, const struct mem_part *part, bool time, bool seq,
                        struct err *err)
{
    struct value *times = time ? put_dense(batch, FIELD_TIMESTAMP, VALUE_TIME) : NULL;
    struct value *seqs = seq ? put_dense(batch, FIELD_SEQ, VALUE_I64) : NULL;
    if ((time && !times) || (seq && !seqs))
        return err_nomem(err);
    for (uint32_t i = 0; i < part->row_count; i++) {
        if (time)
            times[i] = value_time(part->time_ns[i]);
        if (seq)
            seqs[i] = value_i64((int64_t)part->seq[i]);
    }
    return 0;
}

/* Rows that have an id keep it. */
int block_put_ids(struct batch *batch, uint64_t store_id, const struct value *seq,
                  const uint64_t *selected, struct err *err)
{
    struct column *old = batch_find(batch, FIELD_EVENT_ID);
    struct column fresh = {0};
    uint32_t at = 0;
    for (uint32_t row = 0; row < batch->row_count; row++) {
        bool has = false;
        for (; old && at < old->count && old->rows[at] == row; at++, has = true)
            if (column_add(batch, &fresh, row, column_value(old, at)) < 0)
                return err_nomem(err);
        if (has || (selected && !bits_get(selected, row)))
            continue;
        char *text = arena_alloc(batch->arena, EVENT_ID_SIZE);
        if (!text)
            return err_nomem(err);
        event_id_from_seq(store_id, (uint64_t)seq[row].i64, text);
        if (column_add(batch, &fresh, row, value_string(slice_of(text, EVENT_ID_SIZE))) < 0)
            return err_nomem(err);
    }
    struct column *to = old ? old : batch_column(batch, FIELD_EVENT_ID);
    if (!to)
        return err_nomem(err);
    fresh.name = to->name;
    fresh.index = to->index;
    *to = fresh;
    return 0;
}

static int take_keys(const struct batch *batch, struct mem_rows *rows, struct err *err)
{
    const struct column *time = batch_find(batch, FIELD_TIMESTAMP);
    const struct column *seq = batch_find(batch, FIELD_SEQ);
    if (!time || !seq || time->count != batch->row_count || seq->count != batch->row_count ||
        time->types_seen != 1U << VALUE_TIME || seq->types_seen != 1U << VALUE_I64)
        return err_set(err, ERR_CORRUPT, "a block has no @timestamp or no hinomi.seq");
    int64_t *time_ns = arena_alloc(batch->arena, batch->row_count * sizeof(*time_ns));
    uint64_t *numbers = arena_alloc(batch->arena, batch->row_count * sizeof(*numbers));
    if (!time_ns || !numbers)
        return err_nomem(err);
    for (uint32_t i = 0; i < batch->row_count; i++) {
        time_ns[i] = time->values[i].i64;
        numbers[i] = (uint64_t)seq->values[i].i64;
    }
    *rows = (struct mem_rows){.time_ns = time_ns, .seq = numbers, .count = batch->row_count};
    return 0;
}

int block_read_all(const struct segment *segment, uint32_t block, struct arena *arena,
                   struct batch **out, struct mem_rows *rows, struct err *err)
{
    const struct segment_block *in = segment_get_block(segment, block);
    struct segment_columns columns;
    *out = block_batch_new(arena, in->row_count);
    if (!*out)
        return err_nomem(err);
    if (segment_columns_init(&columns, segment, block, arena, err) < 0)
        return -1;
    for (uint32_t i = 0; i < in->chunk_count; i++)
        if (block_put_column(*out, segment_column_name(segment, in->chunks[i].column),
                             segment_columns_at(&columns, i), NULL, false, err) < 0)
            return -1;
    return take_keys(*out, rows, err);
}
