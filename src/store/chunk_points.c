/* store/chunk_points: a few rows of a column, without decoding the others. */
#include "store/bytes.h"
#include "store/chunk_read.h"
#include "store/ints.h"

/* ---- entries of rows ---------------------------------------------------------------------- */

/* Rows are stored as bits, which count themselves: the entry of a row is how many bits stand before
 * it. */
static int entries_by_bits(struct segment_column *column, const uint32_t *rows, uint32_t count,
                           struct arena *arena, uint32_t *entries, struct err *err)
{
    struct slice *raw = &column->raw_present;
    uint32_t word = 0, before = 0;
    if (!raw->ptr && chunk_read_presence(column, arena, raw, err) < 0)
        return -1;
    for (uint32_t i = 0; i < count; i++) {
        for (; word < rows[i] / 64; word++)
            before += (uint32_t)__builtin_popcountll(bytes_get_le64(raw->ptr + word * 8));
        uint64_t bits = bytes_get_le64(raw->ptr + word * 8), bit = UINT64_C(1) << rows[i] % 64;
        entries[i] = bits & bit ? before + (uint32_t)__builtin_popcountll(bits & (bit - 1))
                                : UINT32_MAX;
        if (entries[i] != UINT32_MAX && entries[i] >= column->count)
            return chunk_damaged(column, err, "the presence bits do not add up");
    }
    return 0;
}

static void entries_by_rows(const struct segment_column *column, const uint32_t *rows,
                            uint32_t count, uint32_t *entries)
{
    uint32_t low = 0;
    for (uint32_t i = 0; i < count; i++) {
        for (uint32_t high = column->count; low < high;) {
            uint32_t middle = low + (high - low) / 2;
            if (column->rows[middle] < rows[i])
                low = middle + 1;
            else
                high = middle;
        }
        entries[i] = low < column->count && column->rows[low] == rows[i] ? low : UINT32_MAX;
    }
}

/* The column that says which rows this one has. */
static int find_teller(struct segment_column *column, struct arena *arena,
                       struct segment_column **out, struct err *err)
{
    const struct segment_block *block = segment_get_block(column->segment, column->block);
    const struct chunk *same;
    *out = column;
    if (!column->peers || !chunk_find_stream(column->chunk, STREAM_PRESENCE_OF))
        return 0;
    if (chunk_presence_of(column, arena, &same, err) < 0)
        return -1;
    *out = segment_columns_at(column->peers, (size_t)(same - block->chunks));
    return 0;
}

static int find_entries(struct segment_column *column, const uint32_t *rows, uint32_t count,
                        struct arena *arena, uint32_t *entries, struct err *err)
{
    struct segment_column *teller;
    if (column->chunk->flags & CHUNK_ALL_ROWS) {
        memcpy(entries, rows, count * sizeof(*entries));
        return 0;
    }
    if (find_teller(column, arena, &teller, err) < 0)
        return -1;
    if (!teller->rows && chunk_find_stream(teller->chunk, STREAM_PRESENCE_BITS))
        return entries_by_bits(teller, rows, count, arena, entries, err);
    if (segment_load_rows(teller, arena, err) < 0)
        return -1;
    entries_by_rows(teller, rows, count, entries);
    return 0;
}

/* ---- codes of entries --------------------------------------------------------------------- */

static int read_codes(struct segment_column *column, const uint32_t *entries, uint32_t count,
                      struct arena *arena, uint32_t *codes, struct err *err)
{
    const struct chunk_stream *stream;
    if (segment_load_raw_codes(column, &stream, arena, err) < 0)
        return -1;
    bool packed = stream->method == STREAM_PACKED;
    unsigned width = stream->width;
    struct slice raw = column->raw_codes;
    const unsigned char *low = (const unsigned char *)raw.ptr, *high = low + column->count;
    for (uint32_t i = 0; i < count; i++) {
        uint32_t at = entries[i];
        codes[i] = at == UINT32_MAX ? UINT32_MAX
                   : packed         ? ints_unpack_one(raw, at, width)
                   : width == 1     ? low[at]
                                    : low[at] | (uint32_t)high[at] << 8;
        if (at != UINT32_MAX && codes[i] >= column->dict_count)
            return chunk_damaged(column, err, "a code names no entry");
    }
    return 0;
}

int segment_point_codes(struct segment_column *column, const uint32_t *rows, uint32_t count,
                        struct arena *arena, uint32_t *codes, struct err *err)
{
    uint32_t *entries = arena_alloc(arena, count * sizeof(*entries) + 1);
    if (!entries)
        return err_nomem(err);
    if (segment_load_dict(column, arena, err) < 0 ||
        find_entries(column, rows, count, arena, entries, err) < 0)
        return -1;
    if (column->chunk->encoding != CHUNK_CONST && !column->codes)
        return read_codes(column, entries, count, arena, codes, err);
    for (uint32_t i = 0; i < count; i++)
        codes[i] = entries[i] == UINT32_MAX ? UINT32_MAX
                   : column->codes          ? column->codes[entries[i]]
                                            : 0;
    return 0;
}
