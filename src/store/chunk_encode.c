/* store/chunk_encode: chooses an encoding from the data and writes its streams. */
#include "store/segment_writer.h"

#include "base/bits.h"
#include "base/hash.h"
#include "base/mem.h"
#include "base/utf8.h"
#include "event/schema.h"
#include "event/value_bytes.h"
#include "store/bloom.h"
#include "store/bytes.h"
#include "store/ints.h"
#include "store/skeleton.h"
#include "store/time_counts.h"

#include <assert.h>
#include <stdlib.h>

enum {
    SPARSE_DIVISOR = 16,   /* fewer rows than this part of the block: row numbers, not bits */
    FILTER_TEXT_MAX = 256, /* longer texts are not looked for as whole values */
    FILTER_MEAN_MAX = 48,  /* ids and names, not sentences */
    IP4_ENTRY_BYTES = 4,   /* of an address in a compressed dictionary, about */
    INT_DICT_MAX = 1024,   /* integers with more different values are packed as integers */
};

static bool is_type(uint16_t types_seen, enum value_type type)
{
    return types_seen == 1U << type;
}

/* The buffer becomes a stream and is cleared; when memory ran out while it was filled, the segment
 * fails, for a clear forgets that. */
static void put_scratch(struct segment_writer *writer, enum stream_kind kind, uint8_t width,
                        bool compress)
{
    struct slice raw = buffer_slice(&writer->scratch);
    if (buffer_failed(&writer->scratch) || raw.len > CHUNK_STREAM_RAW_MAX)
        writer->pending.failed = true;
    else if (compress)
        segment_writer_put_stream(writer, kind, width, raw);
    else
        segment_writer_put_ready(writer, kind, STREAM_PLAIN, width, (uint32_t)raw.len, raw);
    buffer_clear(&writer->scratch);
}

static void put_ints(struct segment_writer *writer, enum stream_kind kind, const int64_t *numbers,
                     size_t count)
{
    buffer_clear(&writer->scratch);
    ints_encode(numbers, count, &writer->scratch);
    put_scratch(writer, kind, 0, false);
}

static void *work_array(struct segment_writer *writer, size_t count, size_t size)
{
    void *array = arena_alloc(writer->work, count * size + 8);
    if (!array)
        writer->pending.failed = true;
    return array;
}

/* ---- presence --------------------------------------------------------------------------- */

static void put_presence_bits(struct segment_writer *writer, const struct chunk_input *input)
{
    size_t words = bits_words(input->block_rows);
    uint64_t *bits = work_array(writer, words, 8);
    if (!bits)
        return;
    memset(bits, 0, words * 8);
    for (uint32_t i = 0; i < input->count; i++)
        bits_set(bits, input->rows[i]);
    buffer_clear(&writer->scratch);
    for (size_t i = 0; i < words; i++)
        buffer_put_le64(&writer->scratch, bits[i]);
    put_scratch(writer, STREAM_PRESENCE_BITS, 0, true);
}

/* A column of the block that has exactly the same rows: those of one kind of event mostly do. */
static const struct chunk_ref *same_presence(const struct chunk_input *input)
{
    const struct chunk_refs *refs = input->refs;
    for (uint32_t i = 0; refs && !input->multi && i < refs->count; i++) {
        const struct chunk_input *other = refs->list[i].input;
        if (other->rows && !other->multi && other->count == input->count &&
            memcmp(other->rows, input->rows, input->count * sizeof(*input->rows)) == 0)
            return &refs->list[i];
    }
    return NULL;
}

static void put_presence(struct segment_writer *writer, struct chunk *chunk,
                         const struct chunk_input *input)
{
    if (!input->rows) {
        chunk->flags |= CHUNK_ALL_ROWS;
        chunk->row_count = input->block_rows;
        return;
    }
    const struct chunk_ref *same = same_presence(input);
    if (same) {
        chunk->row_count = input->count;
        buffer_clear(&writer->scratch);
        buffer_put_varint(&writer->scratch, same->column);
        put_scratch(writer, STREAM_PRESENCE_OF, 0, false);
        return;
    }
    int64_t *rows = work_array(writer, input->count, 8);
    int64_t *counts = work_array(writer, input->count, 8);
    if (!rows || !counts)
        return;
    uint32_t n = 0;
    for (uint32_t i = 0; i < input->count; i++) {
        if (i && input->rows[i] == input->rows[i - 1]) {
            counts[n - 1]++;
            continue;
        }
        rows[n] = input->rows[i];
        counts[n++] = 1;
    }
    chunk->row_count = n;
    if (n == input->block_rows)
        chunk->flags |= CHUNK_ALL_ROWS;
    else if (n < input->block_rows / SPARSE_DIVISOR)
        put_ints(writer, STREAM_PRESENCE_ROWS, rows, n);
    else
        put_presence_bits(writer, input);
    if (n != input->count) {
        chunk->flags |= CHUNK_MULTI;
        put_ints(writer, STREAM_COUNTS, counts, n);
    }
}

/* For the words of the block. */
static void add_words(const struct chunk_input *input, const struct value *values, uint32_t count)
{
    char small[VALUE_TEXT_SIZE];
    for (uint32_t i = 0; input->refs && input->refs->words && i < count; i++) {
        struct slice text = value_text_small(values[i], small);
        if (text.ptr)
            words_add(input->refs->words, text);
    }
}

/* ---- encodings -------------------------------------------------------------------------- */

static void put_const(struct segment_writer *writer, struct chunk *chunk, struct value v)
{
    chunk->encoding = CHUNK_CONST;
    buffer_clear(&writer->scratch);
    value_put_bytes(&writer->scratch, v);
    put_scratch(writer, STREAM_VALUES, 0, true);
}

/* One plane per byte of the codes: the low bytes vary, the high ones compress away. */
void chunk_put_codes(struct segment_writer *writer, const uint32_t *codes, size_t count,
                     uint32_t dict_count)
{
    uint8_t width = dict_count <= 256 ? 1 : 2;
    unsigned bits = dict_count > 1 ? 32 - (unsigned)__builtin_clz(dict_count - 1) : 0;
    buffer_clear(&writer->scratch);
    char *room = buffer_reserve(&writer->scratch, count * width);
    size_t bound = 0;
    if (!room) {
        writer->pending.failed = true;
        return;
    }
    for (size_t i = 0; i < count; i++)
        room[i] = (char)codes[i];
    for (size_t i = 0; width == 2 && i < count; i++)
        room[count + i] = (char)(codes[i] >> 8);
    buffer_commit(&writer->scratch, count * width);
    bound = ints_packed_size(count, bits);
    uint64_t before = writer->pending.len;
    uint32_t streams = writer->chunk.stream_count;
    put_scratch(writer, STREAM_CODES, width, true);
    if (writer->pending.failed || writer->pending.len - before <= bound)
        return;
    writer->pending.len = before; /* packing is smaller: take the stream back */
    writer->chunk.stream_count = streams;
    room = buffer_reserve(&writer->scratch, bound);
    if (!room) {
        writer->pending.failed = true;
        return;
    }
    ints_pack(codes, count, bits, room);
    segment_writer_put_ready(writer, STREAM_CODES, STREAM_PACKED, (uint8_t)bits,
                             (uint32_t)bound, slice_of(room, bound));
}

static void put_dict(struct segment_writer *writer, struct chunk *chunk,
                     const struct chunk_input *input)
{
    chunk->encoding = CHUNK_DICT;
    buffer_clear(&writer->scratch);
    buffer_put_varint(&writer->scratch, input->dict_count);
    for (uint32_t i = 0; i < input->dict_count; i++)
        value_put_bytes(&writer->scratch, input->dict[i]);
    put_scratch(writer, STREAM_VALUES, 0, true);
    chunk_put_codes(writer, input->codes, input->count, input->dict_count);
}

static void set_range(struct chunk *chunk, const int64_t *numbers, size_t count)
{
    chunk->flags |= CHUNK_HAS_RANGE;
    chunk->low = INT64_MAX;
    chunk->high = INT64_MIN;
    for (size_t i = 0; i < count; i++) {
        chunk->low = numbers[i] < chunk->low ? numbers[i] : chunk->low;
        chunk->high = numbers[i] > chunk->high ? numbers[i] : chunk->high;
    }
}

static void put_int_chunk(struct segment_writer *writer, struct chunk *chunk,
                          const struct chunk_input *input, const struct value *values,
                          uint32_t count)
{
    int64_t *numbers = work_array(writer, count, 8);
    if (!numbers)
        return;
    for (uint32_t i = 0; i < count; i++)
        numbers[i] = values[i].i64;
    chunk->encoding = CHUNK_INT;
    chunk->type = values[0].type;
    set_range(chunk, numbers, count);
    put_ints(writer, STREAM_INTS, numbers, count);
    buffer_clear(&writer->scratch);
    if (input->time_counts && count && time_counts_put(numbers, count, &writer->scratch))
        put_scratch(writer, STREAM_TIME_COUNTS, 0, false);
}

static bool put_decimal_chunk(struct segment_writer *writer, struct chunk *chunk,
                              const struct value *values, uint32_t count)
{
    int64_t *numbers = work_array(writer, count, 8);
    bool one_scale = true;
    if (!numbers)
        return true;
    for (uint32_t i = 0; i < count; i++) {
        int128 n = *values[i].decimal;
        if (n < INT64_MIN || n > INT64_MAX)
            return false;
        numbers[i] = (int64_t)n;
        one_scale &= values[i].scale == values[0].scale;
    }
    chunk->encoding = CHUNK_DECIMAL;
    chunk->type = values[0].scale;
    if (one_scale)
        set_range(chunk, numbers, count);
    put_ints(writer, STREAM_INTS, numbers, count);
    if (one_scale)
        return true;
    for (uint32_t i = 0; i < count; i++)
        buffer_put_char(&writer->scratch, (char)values[i].scale);
    put_scratch(writer, STREAM_SCALES, 0, true);
    return true;
}

/* An address and its code, in a table of open addressing. */
struct ip4_entry {
    uint32_t ip, code;
    const struct value *value; /* NULL: free */
};

static int by_ip(const void *a, const void *b)
{
    const struct ip4_entry *x = a, *y = b;
    return (x->ip > y->ip) - (x->ip < y->ip);
}

static struct ip4_entry *find_ip4(struct ip4_entry *table, uint32_t mask, uint32_t ip)
{
    uint32_t at = (ip * UINT32_C(0x9e3779b1)) >> 7 & mask;
    while (table[at].value && table[at].ip != ip)
        at = (at + 1) & mask;
    return &table[at];
}

/* The different addresses in ascending order: neighbours share their first bytes. */
static uint32_t list_ip4(struct ip4_entry *table, uint32_t size, struct value *dict)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < size; i++)
        if (table[i].value)
            table[count++] = table[i];
    qsort(table, count, sizeof(*table), by_ip);
    for (uint32_t i = 0; i < count; i++)
        dict[i] = *table[i].value;
    return count;
}

/* Addresses as a dictionary: false when they repeat too seldom, then nothing was written. */
static bool put_ip4_dict(struct segment_writer *writer, struct chunk *chunk,
                         const struct chunk_input *input, const struct value *values,
                         const int64_t *numbers, size_t ints_size)
{
    struct chunk_input as_codes = *input;
    uint32_t size = 64, count = input->count, used;
    while (size < 2 * count)
        size *= 2;
    struct ip4_entry *table = work_array(writer, size, sizeof(*table));
    struct value *dict = work_array(writer, count, sizeof(*dict));
    uint32_t *codes = work_array(writer, count, sizeof(*codes));
    if (!table || !dict || !codes)
        return true;
    memset(table, 0, size * sizeof(*table));
    for (uint32_t i = 0; i < count; i++)
        *find_ip4(table, size - 1, (uint32_t)numbers[i]) =
            (struct ip4_entry){.ip = (uint32_t)numbers[i], .value = &values[i]};
    used = list_ip4(table, size, dict);
    unsigned width = used > 1 ? 32 - (unsigned)__builtin_clz(used - 1) : 0;
    if (used < 2 || used > 65536 ||
        used * IP4_ENTRY_BYTES + ints_packed_size(count, width) > ints_size)
        return false;
    struct ip4_entry *sorted = work_array(writer, used, sizeof(*sorted));
    if (!sorted)
        return true;
    memcpy(sorted, table, used * sizeof(*sorted));
    memset(table, 0, size * sizeof(*table));
    for (uint32_t i = 0; i < used; i++) {
        sorted[i].code = i;
        *find_ip4(table, size - 1, sorted[i].ip) = sorted[i];
    }
    for (uint32_t i = 0; i < count; i++)
        codes[i] = find_ip4(table, size - 1, (uint32_t)numbers[i])->code;
    as_codes.codes = codes;
    as_codes.dict = dict;
    as_codes.dict_count = used;
    put_dict(writer, chunk, &as_codes);
    return true;
}

/* Packed integers, or a dictionary where that is smaller: it is also what makes grouping and
 * tests cheap. */
static bool put_ip4_chunk(struct segment_writer *writer, struct chunk *chunk,
                          const struct value *values, const struct chunk_input *input)
{
    uint32_t count = input->count;
    int64_t *numbers = work_array(writer, count, 8);
    if (!numbers)
        return true;
    for (uint32_t i = 0; i < count; i++) {
        if (values[i].scale != 4)
            return false;
        numbers[i] = ip4_number(values[i].ip);
    }
    buffer_clear(&writer->scratch);
    ints_encode(numbers, count, &writer->scratch);
    if (put_ip4_dict(writer, chunk, input, values, numbers, writer->scratch.len))
        return true;
    chunk->encoding = CHUNK_IP4;
    set_range(chunk, numbers, count);
    put_scratch(writer, STREAM_INTS, 0, false);
    return true;
}

/* Folded already? Most ids are lower-case ASCII and need no copy. */
static bool is_folded(struct slice text)
{
    unsigned changes = 0;
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.ptr[i];
        changes |= (c & 0x80U) | (unsigned)((unsigned char)(c - 'A') < 26);
    }
    return changes == 0;
}

static void put_filter(struct segment_writer *writer, const struct value *values, uint32_t count)
{
    uint64_t bytes = 0;
    assert(count > 0);
    for (uint32_t i = 0; i < count; i++)
        bytes += values[i].len;
    if (bytes / count > FILTER_MEAN_MAX)
        return;
    size_t size = bloom_size(count);
    char *filter = work_array(writer, size, 1);
    UNSET char folded[3 * FILTER_TEXT_MAX];
    if (!filter)
        return;
    memset(filter, 0, size);
    for (uint32_t i = 0; i < count; i++) {
        if (values[i].len > FILTER_TEXT_MAX)
            return; /* a filter must know every value */
        struct slice text = value_slice(values[i]);
        if (!is_folded(text))
            text = slice_of(folded, utf8_fold_text(text, folded));
        bloom_add(filter, size, bloom_hash_folded(text));
    }
    segment_writer_put_ready(writer, STREAM_FILTER, STREAM_PLAIN, 0, (uint32_t)size,
                             slice_of(filter, size));
}

static void put_text_chunk(struct segment_writer *writer, struct chunk *chunk,
                           const struct value *values, uint32_t count,
                           const struct chunk_input *input)
{
    struct chunk_input as_values = *input;
    as_values.codes = NULL;
    as_values.values = values;
    if (skeleton_encode(writer, chunk, &as_values)) {
        put_filter(writer, values, count);
        return;
    }
    int64_t *lengths = work_array(writer, count, 8);
    if (!lengths)
        return;
    for (uint32_t i = 0; i < count; i++)
        lengths[i] = values[i].len;
    chunk->encoding = CHUNK_TEXT;
    add_words(input, values, count);
    put_ints(writer, STREAM_LENGTHS, lengths, count);
    put_filter(writer, values, count);
    for (uint32_t i = 0; i < count; i++) {
        buffer_put(&writer->scratch, value_slice(values[i]));
        if (writer->scratch.len >= CHUNK_PAGE_BYTES)
            put_scratch(writer, STREAM_PAGE, 0, true);
    }
    if (writer->scratch.len || buffer_failed(&writer->scratch))
        put_scratch(writer, STREAM_PAGE, 0, true);
}

static void put_values_chunk(struct segment_writer *writer, struct chunk *chunk,
                             const struct value *values, uint32_t count)
{
    chunk->encoding = CHUNK_VALUES;
    buffer_clear(&writer->scratch);
    for (uint32_t i = 0; i < count; i++)
        value_put_bytes(&writer->scratch, values[i]);
    put_scratch(writer, STREAM_VALUES, 0, true);
}

static void put_by_type(struct segment_writer *writer, struct chunk *chunk,
                        const struct value *values, const struct chunk_input *input)
{
    uint16_t types = chunk->types_seen;
    uint32_t count = input->count;
    buffer_clear(&writer->scratch);
    if (is_type(types, VALUE_I64) || is_type(types, VALUE_TIME))
        put_int_chunk(writer, chunk, input, values, count);
    else if (is_type(types, VALUE_STRING))
        put_text_chunk(writer, chunk, values, count, input);
    else if (is_type(types, VALUE_DECIMAL) && put_decimal_chunk(writer, chunk, values, count))
        return;
    else if (is_type(types, VALUE_IP) && put_ip4_chunk(writer, chunk, values, input))
        return;
    else {
        put_values_chunk(writer, chunk, values, count);
        add_words(input, values, count);
    }
}

/* Dictionaries pay while values repeat; integers pack well without one. */
static bool wants_dict(const struct chunk_input *input)
{
    bool numbers = is_type(input->types_seen, VALUE_I64) || is_type(input->types_seen, VALUE_TIME);
    return input->dict_count <= (numbers ? (uint32_t)INT_DICT_MAX : 65536U) &&
           input->dict_count <= input->count / 2 + 16;
}

void chunk_put_words(struct segment_writer *writer, const struct words *words)
{
    struct slice filter = words_filter(words, writer->work);
    if (filter.len)
        segment_writer_put_ready(writer, STREAM_WORDS, STREAM_PLAIN, 0, (uint32_t)filter.len, filter);
    struct slice trigrams = words_trigrams(words);
    if (trigrams.len)
        segment_writer_put_stream(writer, STREAM_TRIGRAMS, 0, trigrams);
}

void chunk_encode(struct segment_writer *writer, struct chunk *chunk,
                  const struct chunk_input *input)
{
    put_presence(writer, chunk, input);
    if (input->codes && input->dict_count == 1) {
        put_const(writer, chunk, input->dict[0]);
        add_words(input, input->dict, 1);
        return;
    }
    if (input->codes && wants_dict(input)) {
        put_dict(writer, chunk, input);
        add_words(input, input->dict, input->dict_count);
        return;
    }
    const struct value *values = input->values;
    if (input->codes) {
        struct value *copy = work_array(writer, input->count, sizeof(*copy));
        for (uint32_t i = 0; copy && i < input->count; i++)
            copy[i] = input->dict[input->codes[i]];
        values = copy;
    }
    if (values)
        put_by_type(writer, chunk, values, input);
}
