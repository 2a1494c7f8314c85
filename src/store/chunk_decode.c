/* store/chunk_decode: a column of a block out of its streams, as far as it is asked for. */
#include "store/chunk_read.h"

#include "event/schema.h"
#include "event/value_bytes.h"
#include "store/bloom.h"
#include "store/bytes.h"
#include "store/ints.h"

#include <pthread.h>

static uint32_t identity[BLOCK_ROWS_MAX];

static void fill_identity(void)
{
    for (uint32_t i = 0; i < BLOCK_ROWS_MAX; i++)
        identity[i] = i;
}

const uint32_t *segment_identity_rows(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, fill_identity);
    return identity;
}

int chunk_damaged(const struct segment_column *column, struct err *err, const char *what)
{
    struct slice name = segment_column_name(column->segment, column->chunk->column);
    return err_set(err, ERR_CORRUPT, "column %.*s: %s", SLICE_ARG(name), what);
}

const struct chunk_stream *chunk_find_stream(const struct chunk *chunk, enum stream_kind kind)
{
    for (uint32_t i = 0; i < chunk->stream_count; i++)
        if (chunk->streams[i].kind == kind)
            return &chunk->streams[i];
    return NULL;
}

int chunk_read_kind(const struct segment_column *column, enum stream_kind kind,
                    struct arena *arena, struct slice *out, struct err *err)
{
    const struct chunk_stream *stream = chunk_find_stream(column->chunk, kind);
    if (!stream)
        return chunk_damaged(column, err, "a stream is missing");
    return segment_read_stream(column->segment, stream, arena, out, err);
}

static int read_ints(const struct segment_column *column, enum stream_kind kind, size_t count,
                     struct arena *arena, int64_t **out, struct err *err)
{
    struct slice raw;
    if (chunk_read_kind(column, kind, arena, &raw, err) < 0)
        return -1;
    *out = arena_alloc(arena, count * sizeof(int64_t) + 8);
    if (!*out)
        return err_nomem(err);
    return ints_decode(raw, *out, count) ? 0 : chunk_damaged(column, err, "packed integers are damaged");
}

void segment_column_init(struct segment_column *column, const struct segment *segment,
                         uint32_t block, const struct chunk *chunk)
{
    *column = (struct segment_column){
        .segment = segment,
        .chunk = chunk,
        .block = block,
        .block_rows = segment_get_block(segment, block)->row_count,
        .count = chunk->count,
    };
}

int segment_columns_init(struct segment_columns *columns, const struct segment *segment,
                         uint32_t block, struct arena *arena, struct err *err)
{
    uint32_t count = segment_get_block(segment, block)->chunk_count;
    *columns = (struct segment_columns){.segment = segment, .block = block};
    columns->list = arena_array(arena, count + 1U, sizeof(*columns->list));
    return columns->list ? 0 : err_nomem(err);
}

struct segment_column *segment_columns_at(struct segment_columns *columns, size_t chunk)
{
    const struct segment_block *in = segment_get_block(columns->segment, columns->block);
    struct segment_column *column = &columns->list[chunk];
    if (!column->chunk) {
        segment_column_init(column, columns->segment, columns->block, &in->chunks[chunk]);
        column->peers = columns;
    }
    return column;
}

/* ---- rows ------------------------------------------------------------------------------- */

int chunk_read_presence(const struct segment_column *column, struct arena *arena, struct slice *out,
                        struct err *err)
{
    struct slice raw;
    if (chunk_read_kind(column, STREAM_PRESENCE_BITS, arena, &raw, err) < 0)
        return -1;
    if (raw.len != bits_words(column->block_rows) * 8)
        return chunk_damaged(column, err, "the presence bits have the wrong size");
    *out = raw;
    return 0;
}

static int rows_from_bits(const struct segment_column *column, struct slice raw, uint32_t *rows,
                          struct err *err)
{
    uint32_t n = 0, want = column->chunk->row_count;
    for (uint32_t word = 0; word < raw.len / 8; word++)
        for (uint64_t bits = bytes_get_le64(raw.ptr + word * 8); bits; bits &= bits - 1) {
            uint32_t row = word * 64 + (uint32_t)__builtin_ctzll(bits);
            if (n == want || row >= column->block_rows)
                return chunk_damaged(column, err, "the presence bits do not add up");
            rows[n++] = row;
        }
    return n == want ? 0 : chunk_damaged(column, err, "the presence bits do not add up");
}

static int rows_from_numbers(const struct segment_column *column, const int64_t *numbers,
                             uint32_t *rows, struct err *err)
{
    int64_t before = -1;
    for (uint32_t i = 0; i < column->chunk->row_count; i++) {
        if (numbers[i] <= before || numbers[i] >= column->block_rows)
            return chunk_damaged(column, err, "row numbers are out of order");
        before = numbers[i];
        rows[i] = (uint32_t)before;
    }
    return 0;
}

int chunk_presence_of(const struct segment_column *column, struct arena *arena,
                      const struct chunk **out, struct err *err)
{
    const struct segment_block *block = segment_get_block(column->segment, column->block);
    const struct chunk *chunk = column->chunk;
    struct slice raw;
    uint64_t number;
    *out = NULL;
    if (chunk_read_kind(column, STREAM_PRESENCE_OF, arena, &raw, err) < 0)
        return -1;
    if (!slice_take_varint(&raw, &number))
        return chunk_damaged(column, err, "the column with the same rows is not named");
    for (const struct chunk *other = block->chunks; other < chunk; other++)
        if (other->column == number && other->row_count == chunk->row_count &&
            !(other->flags & CHUNK_MULTI) && !chunk_find_stream(other, STREAM_PRESENCE_OF))
            *out = other;
    return *out ? 0 : chunk_damaged(column, err, "the column with the same rows is not there");
}

static int load_present_of(const struct segment_column *column, struct arena *arena,
                           const uint32_t **out, struct err *err)
{
    const struct segment_block *block = segment_get_block(column->segment, column->block);
    const struct chunk *same;
    struct segment_column own, *other = &own;
    if (chunk_presence_of(column, arena, &same, err) < 0)
        return -1;
    if (column->peers)
        other = segment_columns_at(column->peers, (size_t)(same - block->chunks));
    else
        segment_column_init(&own, column->segment, column->block, same);
    if (segment_load_rows(other, arena, err) < 0)
        return -1;
    *out = other->rows;
    return 0;
}

/* One row number per row that has values. */
static int load_present(const struct segment_column *column, struct arena *arena,
                        const uint32_t **out, struct err *err)
{
    const struct chunk *chunk = column->chunk;
    if (chunk->flags & CHUNK_ALL_ROWS) {
        *out = segment_identity_rows();
        return 0;
    }
    if (chunk_find_stream(chunk, STREAM_PRESENCE_OF))
        return load_present_of(column, arena, out, err);
    uint32_t *rows = arena_alloc(arena, chunk->row_count * sizeof(*rows) + 8);
    if (!rows)
        return err_nomem(err);
    *out = rows;
    if (chunk_find_stream(chunk, STREAM_PRESENCE_BITS)) {
        struct slice raw;
        return chunk_read_presence(column, arena, &raw, err) < 0
                   ? -1
                   : rows_from_bits(column, raw, rows, err);
    }
    int64_t *numbers;
    if (read_ints(column, STREAM_PRESENCE_ROWS, chunk->row_count, arena, &numbers, err) < 0)
        return -1;
    return rows_from_numbers(column, numbers, rows, err);
}

static int repeat_rows(const struct segment_column *column, const uint32_t *present,
                       struct arena *arena, const uint32_t **out, struct err *err)
{
    const struct chunk *chunk = column->chunk;
    int64_t *counts;
    uint32_t *rows = arena_alloc(arena, (size_t)chunk->count * sizeof(*rows) + 8);
    if (!rows)
        return err_nomem(err);
    if (read_ints(column, STREAM_COUNTS, chunk->row_count, arena, &counts, err) < 0)
        return -1;
    uint32_t n = 0;
    for (uint32_t i = 0; i < chunk->row_count; i++) {
        if (counts[i] < 1 || (uint64_t)counts[i] > chunk->count - n)
            return chunk_damaged(column, err, "value counts do not add up");
        for (int64_t k = 0; k < counts[i]; k++)
            rows[n++] = present[i];
    }
    *out = rows;
    return n == chunk->count ? 0 : chunk_damaged(column, err, "value counts do not add up");
}

int segment_load_rows(struct segment_column *column, struct arena *arena, struct err *err)
{
    const uint32_t *present = NULL;
    if (column->rows)
        return 0;
    if (load_present(column, arena, &present, err) < 0)
        return -1;
    if (column->chunk->flags & CHUNK_MULTI)
        return repeat_rows(column, present, arena, &column->rows, err);
    column->dense = column->chunk->flags & CHUNK_ALL_ROWS;
    column->rows = present;
    return 0;
}

/* ---- dictionaries ----------------------------------------------------------------------- */

/* What nearly every dictionary of texts is: texts of less than 128 bytes. False: look closely. */
static bool take_short_texts(struct slice raw, struct value *values, uint32_t count)
{
    const char *at = raw.ptr, *end = raw.ptr + raw.len;
    for (uint32_t i = 0; i < count; i++) {
        if (end - at < 2 || at[0] != VALUE_STRING || (uint8_t)at[1] >= 0x80 ||
            end - at - 2 < (uint8_t)at[1])
            return false;
        values[i] = value_string(slice_of(at + 2, (uint8_t)at[1]));
        at += 2 + (uint8_t)at[1];
    }
    return at == end;
}

/* IPv4 only: all entries are of one size. */
static bool take_ip4s(struct slice raw, struct arena *arena, struct value *values, uint32_t count)
{
    enum { ENTRY = 6 }; /* type, family, address */
    static const uint8_t prefix[12] = {[10] = 0xff, [11] = 0xff};
    uint8_t *ip = raw.len == (size_t)count * ENTRY ? arena_alloc(arena, (size_t)count * 16) : NULL;
    for (uint32_t i = 0; ip && i < count; i++, ip += 16) {
        const char *at = raw.ptr + (size_t)i * ENTRY;
        if (at[0] != VALUE_IP || at[1] != 4)
            return false;
        memcpy(ip, prefix, sizeof(prefix));
        memcpy(ip + 12, at + 2, 4);
        values[i] = (struct value){.type = VALUE_IP, .scale = 4, .ip = ip};
    }
    return ip != NULL;
}

static int take_values(const struct segment_column *column, struct slice raw, uint32_t count,
                       struct arena *arena, const struct value **out, struct err *err)
{
    if (count > raw.len) /* each takes a byte at least */
        return chunk_damaged(column, err, "it claims more values than it has bytes");
    struct value *values = arena_alloc(arena, count * sizeof(*values) + 8);
    if (!values)
        return err_nomem(err);
    *out = values;
    if (column->chunk->types_seen == 1U << VALUE_STRING && take_short_texts(raw, values, count))
        return 0;
    if (column->chunk->types_seen == 1U << VALUE_IP && take_ip4s(raw, arena, values, count))
        return 0;
    for (uint32_t i = 0; i < count; i++) {
        if (!value_take_bytes(&raw, arena, &values[i]))
            return chunk_damaged(column, err, "a value cannot be read");
        if (!(column->chunk->types_seen >> values[i].type & 1))
            return chunk_damaged(column, err, "a value has a type that it should not have");
    }
    return raw.len == 0 ? 0 : chunk_damaged(column, err, "bytes are left over");
}

int segment_load_raw_dict(struct segment_column *column, struct arena *arena, struct err *err)
{
    return column->raw_dict.ptr ? 0 : chunk_read_kind(column, STREAM_VALUES, arena, &column->raw_dict, err);
}

int segment_load_dict(struct segment_column *column, struct arena *arena, struct err *err)
{
    uint64_t count = 1;
    if (column->dict)
        return 0;
    if (segment_load_raw_dict(column, arena, err) < 0)
        return -1;
    struct slice raw = column->raw_dict;
    if (column->chunk->encoding == CHUNK_DICT &&
        (!slice_take_varint(&raw, &count) || count < 2 || count > 65536))
        return chunk_damaged(column, err, "its dictionary has an impossible size");
    column->dict_count = (uint32_t)count;
    return take_values(column, raw, (uint32_t)count, arena, &column->dict, err);
}

static int codes_from_planes(const struct segment_column *column, struct slice raw, unsigned width,
                             uint32_t *codes, struct err *err)
{
    size_t count = column->count;
    const unsigned char *low = (const unsigned char *)raw.ptr, *high = low + count;
    uint32_t limit = column->dict_count, largest = 0;
    for (size_t i = 0; width == 1 && i < count; i++)
        codes[i] = low[i];
    for (size_t i = 0; width == 2 && i < count; i++)
        codes[i] = low[i] | (uint32_t)high[i] << 8;
    for (size_t i = 0; i < count; i++)
        largest = codes[i] > largest ? codes[i] : largest;
    return largest < limit || count == 0 ? 0 : chunk_damaged(column, err, "a code names no entry");
}

static int codes_from_bits(const struct segment_column *column, struct slice raw, unsigned width,
                           uint32_t *codes, struct err *err)
{
    uint32_t largest = 0;
    if (!ints_unpack(raw, codes, column->count, width))
        return chunk_damaged(column, err, "its codes have the wrong size");
    for (uint32_t i = 0; i < column->count; i++)
        largest = codes[i] > largest ? codes[i] : largest;
    return largest < column->dict_count || column->count == 0
               ? 0
               : chunk_damaged(column, err, "a code names no entry");
}

int segment_load_raw_codes(struct segment_column *column, const struct chunk_stream **stream,
                           struct arena *arena, struct err *err)
{
    *stream = chunk_find_stream(column->chunk, STREAM_CODES);
    if (!*stream)
        return chunk_damaged(column, err, "its codes are missing");
    if (column->raw_codes.ptr)
        return 0;
    struct slice raw;
    if (segment_read_stream(column->segment, *stream, arena, &raw, err) < 0)
        return -1;
    bool packed = (*stream)->method == STREAM_PACKED;
    unsigned width = (*stream)->width;
    size_t size = packed ? ints_packed_size(column->count, width) : (size_t)column->count * width;
    if ((packed ? width > 32 : width != 1 && width != 2) || raw.len != size)
        return chunk_damaged(column, err, "its codes have the wrong size");
    column->raw_codes = raw;
    return 0;
}

int segment_load_codes(struct segment_column *column, struct arena *arena, struct err *err)
{
    const struct chunk_stream *stream;
    struct slice raw;
    if (column->codes)
        return 0;
    if (segment_load_dict(column, arena, err) < 0)
        return -1;
    uint32_t *codes = arena_alloc(arena, (size_t)column->count * sizeof(*codes) + 8);
    if (!codes)
        return err_nomem(err);
    if (column->chunk->encoding == CHUNK_CONST) {
        memset(codes, 0, (size_t)column->count * sizeof(*codes));
        column->codes = codes;
        return 0;
    }
    if (segment_load_raw_codes(column, &stream, arena, err) < 0)
        return -1;
    raw = column->raw_codes;
    int result = stream->method == STREAM_PACKED
                     ? codes_from_bits(column, raw, stream->width, codes, err)
                     : codes_from_planes(column, raw, stream->width, codes, err);
    if (result == 0)
        column->codes = codes;
    return result;
}

/* ---- values ----------------------------------------------------------------------------- */

/* Only what is wanted is written: memory that is not touched costs nothing, and an answer of some
 * rows reads many columns for them. */
static bool is_wanted(const struct segment_column *column, const uint64_t *wanted, uint32_t i)
{
    return !wanted || bits_get(wanted, column->rows[i]);
}

static int dict_values(struct segment_column *column, const uint64_t *wanted,
                       struct value *values, struct arena *arena, struct err *err)
{
    if (segment_load_codes(column, arena, err) < 0)
        return -1;
    for (uint32_t i = 0; i < column->count; i++)
        if (is_wanted(column, wanted, i))
            values[i] = column->dict[column->codes[i]];
    return 0;
}

int segment_load_numbers(struct segment_column *column, struct arena *arena, struct err *err)
{
    int64_t *numbers;
    uint8_t type = column->chunk->type;
    if (column->numbers)
        return 0;
    if (type != VALUE_I64 && type != VALUE_TIME)
        return chunk_damaged(column, err, "its integers have no such type");
    if (read_ints(column, STREAM_INTS, column->count, arena, &numbers, err) < 0)
        return -1;
    column->numbers = numbers;
    return 0;
}

static int int_values(struct segment_column *column, const uint64_t *wanted, struct value *values,
                      struct arena *arena, struct err *err)
{
    if (segment_load_numbers(column, arena, err) < 0)
        return -1;
    const int64_t *numbers = column->numbers;
    uint8_t type = column->chunk->type;
    for (uint32_t i = 0; i < column->count; i++)
        if (is_wanted(column, wanted, i))
            values[i] = (struct value){.type = type, .i64 = numbers[i]};
    return 0;
}

static int decimal_values(struct segment_column *column, struct value *values,
                          struct arena *arena, struct err *err)
{
    int64_t *numbers;
    struct slice scales = SLICE_NONE;
    if (read_ints(column, STREAM_INTS, column->count, arena, &numbers, err) < 0)
        return -1;
    if (chunk_find_stream(column->chunk, STREAM_SCALES) &&
        chunk_read_kind(column, STREAM_SCALES, arena, &scales, err) < 0)
        return -1;
    if (scales.ptr && scales.len != column->count)
        return chunk_damaged(column, err, "its scales have the wrong size");
    int128 *coefficients = arena_alloc(arena, (size_t)column->count * sizeof(*coefficients) + 16);
    if (!coefficients)
        return err_nomem(err);
    for (uint32_t i = 0; i < column->count; i++) {
        uint8_t scale = scales.ptr ? (uint8_t)scales.ptr[i] : column->chunk->type;
        if (scale > DECIMAL_DIGITS_MAX)
            return chunk_damaged(column, err, "a scale is too large");
        coefficients[i] = numbers[i];
        values[i] = (struct value){.type = VALUE_DECIMAL, .scale = scale,
                                   .decimal = &coefficients[i]};
    }
    return 0;
}

static int ip4_values(struct segment_column *column, const uint64_t *wanted, struct value *values,
                      struct arena *arena, struct err *err)
{
    int64_t *numbers;
    uint8_t *bytes = arena_alloc(arena, (size_t)column->count * 16 + 8);
    if (!bytes)
        return err_nomem(err);
    if (read_ints(column, STREAM_INTS, column->count, arena, &numbers, err) < 0)
        return -1;
    for (uint32_t i = 0; i < column->count; i++) {
        if (!is_wanted(column, wanted, i))
            continue;
        uint8_t *ip = bytes + (size_t)i * 16;
        uint64_t n = (uint64_t)numbers[i];
        if (n > UINT32_MAX)
            return chunk_damaged(column, err, "an address is too large");
        memset(ip, 0, 10);
        ip[10] = ip[11] = 0xff;
        ip[12] = (uint8_t)(n >> 24);
        ip[13] = (uint8_t)(n >> 16);
        ip[14] = (uint8_t)(n >> 8);
        ip[15] = (uint8_t)n;
        values[i] = (struct value){.type = VALUE_IP, .scale = 4, .ip = ip};
    }
    return 0;
}

/* Fills the values of one page, [first, end), if any is wanted. */
static int page_values(struct segment_column *column, const struct chunk_stream *page,
                       const int64_t *lengths, uint32_t first, uint32_t end,
                       const uint64_t *wanted, struct value *values, struct arena *arena,
                       struct err *err)
{
    bool any = false;
    for (uint32_t i = first; i < end && !any; i++)
        any = is_wanted(column, wanted, i);
    struct slice text;
    if (!any)
        return 0;
    if (segment_read_stream(column->segment, page, arena, &text, err) < 0)
        return -1;
    size_t at = 0;
    for (uint32_t i = first; i < end; i++) {
        values[i] = value_string(slice_of(text.ptr + at, (size_t)lengths[i]));
        at += (size_t)lengths[i];
    }
    return 0;
}

static int text_values(struct segment_column *column, const uint64_t *wanted,
                       struct value *values, struct arena *arena, struct err *err)
{
    const struct chunk *chunk = column->chunk;
    int64_t *lengths;
    if (read_ints(column, STREAM_LENGTHS, column->count, arena, &lengths, err) < 0)
        return -1;
    for (uint32_t i = 0; i < column->count; i++) {
        if (lengths[i] < 0 || (uint64_t)lengths[i] > CHUNK_STREAM_RAW_MAX)
            return chunk_damaged(column, err, "a text has an impossible length");
        values[i] = lengths[i] ? value_null() : value_string(SLICE(""));
    }
    uint32_t at = 0;
    for (uint32_t s = 0; s < chunk->stream_count; s++) {
        const struct chunk_stream *page = &chunk->streams[s];
        if (page->kind != STREAM_PAGE)
            continue;
        uint32_t first = at;
        uint64_t bytes = 0;
        while (at < column->count && bytes + (uint64_t)lengths[at] <= page->raw_len)
            bytes += (uint64_t)lengths[at++];
        if (bytes != page->raw_len)
            return chunk_damaged(column, err, "its texts do not fill their page");
        if (page_values(column, page, lengths, first, at, wanted, values, arena, err) < 0)
            return -1;
    }
    while (at < column->count && lengths[at] == 0)
        at++;
    return at == column->count ? 0 : chunk_damaged(column, err, "a page of text is missing");
}

static int plain_values(struct segment_column *column, struct arena *arena,
                        const struct value **out, struct err *err)
{
    struct slice raw;
    if (chunk_read_kind(column, STREAM_VALUES, arena, &raw, err) < 0)
        return -1;
    return take_values(column, raw, column->count, arena, out, err);
}

static int fill_values(struct segment_column *column, const uint64_t *wanted,
                       struct value *values, struct arena *arena, struct err *err)
{
    switch (column->chunk->encoding) {
    case CHUNK_CONST:
    case CHUNK_DICT:
        return dict_values(column, wanted, values, arena, err);
    case CHUNK_INT:
        return int_values(column, wanted, values, arena, err);
    case CHUNK_DECIMAL:
        return decimal_values(column, values, arena, err);
    case CHUNK_IP4:
        return ip4_values(column, wanted, values, arena, err);
    case CHUNK_TEXT:
        return text_values(column, wanted, values, arena, err);
    case CHUNK_SKELETON:
        return skeleton_read(column, wanted, values, arena, err);
    default:
        return chunk_damaged(column, err, "its encoding is unknown");
    }
}

int segment_load_values(struct segment_column *column, const uint64_t *wanted,
                        struct arena *arena, struct err *err)
{
    if (column->values && (!column->values_of || column->values_of == wanted))
        return 0;
    if (segment_load_rows(column, arena, err) < 0)
        return -1;
    column->values_of = NULL;
    if (column->chunk->encoding == CHUNK_VALUES)
        return plain_values(column, arena, &column->values, err);
    struct value *values = arena_alloc(arena, (size_t)column->count * sizeof(*values) + 8);
    if (!values)
        return err_nomem(err);
    if (fill_values(column, wanted, values, arena, err) < 0)
        return -1;
    column->values = values;
    column->values_of = wanted;
    return 0;
}

/* A stream that helps and is not needed: empty when it is not there or is damaged. */
static struct slice read_helper(const struct segment *segment, uint32_t block, struct slice column,
                                enum stream_kind kind, struct arena *arena)
{
    const struct chunk *chunk = segment_find_chunk(segment, block, column);
    const struct chunk_stream *stream = chunk ? chunk_find_stream(chunk, kind) : NULL;
    struct slice bytes;
    if (!stream || segment_read_stream(segment, stream, arena, &bytes, NULL) < 0)
        return SLICE("");
    return bytes;
}

struct slice segment_words(const struct segment *segment, uint32_t block, struct arena *arena)
{
    return read_helper(segment, block, FIELD_ORIGINAL, STREAM_WORDS, arena);
}

struct slice segment_trigrams(const struct segment *segment, uint32_t block, struct arena *arena)
{
    return read_helper(segment, block, FIELD_ORIGINAL, STREAM_TRIGRAMS, arena);
}

bool segment_time_counts(const struct segment *segment, uint32_t block, struct arena *arena,
                         struct time_counts *out)
{
    struct slice bytes = read_helper(segment, block, FIELD_TIMESTAMP, STREAM_TIME_COUNTS, arena);
    return time_counts_take(bytes, segment_get_block(segment, block)->row_count, arena, out);
}

bool segment_may_have_text(const struct segment *segment, const struct chunk *chunk,
                           struct slice folded, struct arena *arena)
{
    const struct chunk_stream *stream = chunk_find_stream(chunk, STREAM_FILTER);
    struct slice filter;
    if (!stream || segment_read_stream(segment, stream, arena, &filter, NULL) < 0)
        return true;
    return bloom_may_have(filter, bloom_hash_folded(folded));
}
