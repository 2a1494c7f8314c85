/* export/parquet_column: levels and values become pages, dictionary or plain, packed by zstd. */
#include "export/parquet_column.h"

#include "base/mem.h"

#include <math.h>
#include <stdlib.h>
#include <zlib.h>
#include <zstd.h>

enum { ENCODING_PLAIN = 0, ENCODING_RLE = 3, ENCODING_RLE_DICTIONARY = 8 };
enum { PAGE_DATA = 0, PAGE_DICTIONARY = 2, CODEC_ZSTD = 6 };
enum { DICTIONARY_MAX = 65536, STATISTIC_BYTES_MAX = 64, ZSTD_LEVEL = 3 };

struct parquet_packer {
    ZSTD_CCtx *zstd;
    struct arena *arena;
    struct buffer page, packed, bits;
};

struct parquet_packer *parquet_packer_new(void)
{
    struct parquet_packer *packer = mem_calloc(1, sizeof(*packer));
    if (!packer)
        return NULL;
    packer->zstd = ZSTD_createCCtx();
    packer->arena = arena_new(4 * EXPORT_WORK_BYTES);
    buffer_init(&packer->page, 8 * EXPORT_GROUP_BYTES);
    buffer_init(&packer->packed, 8 * EXPORT_GROUP_BYTES);
    buffer_init(&packer->bits, EXPORT_WORK_BYTES);
    if (!packer->zstd || !packer->arena) {
        parquet_packer_free(packer);
        return NULL;
    }
    ZSTD_CCtx_setParameter(packer->zstd, ZSTD_c_compressionLevel, ZSTD_LEVEL);
    return packer;
}

void parquet_packer_free(struct parquet_packer *packer)
{
    if (!packer)
        return;
    ZSTD_freeCCtx(packer->zstd);
    arena_free(packer->arena);
    buffer_close(&packer->page);
    buffer_close(&packer->packed);
    buffer_close(&packer->bits);
    mem_free(packer);
}

/* ---- RLE and bit packing (Encodings.md) ---- */

static void put_packed(struct buffer *to, const uint32_t *values, size_t count, unsigned width)
{
    size_t groups = (count + 7) / 8;
    uint64_t bits = 0;
    unsigned held = 0;
    if (!groups)
        return;
    buffer_put_varint(to, groups << 1 | 1);
    for (size_t i = 0; i < groups * 8; i++) {
        bits |= (uint64_t)(i < count ? values[i] : 0) << held;
        for (held += width; held >= 8; held -= 8, bits >>= 8)
            buffer_put_char(to, (char)(uint8_t)bits);
    }
}

static void put_repeated(struct buffer *to, uint32_t value, size_t count, unsigned width)
{
    buffer_put_varint(to, count << 1);
    for (unsigned at = 0; at < width; at += 8)
        buffer_put_char(to, (char)(uint8_t)(value >> at));
}

/* Packed values come in eights, so a repetition lends some to what is before it. */
static void put_hybrid(struct buffer *to, const uint32_t *values, size_t count, unsigned width)
{
    size_t start = 0, at = 0;
    while (at < count) {
        size_t end = at + 1;
        while (end < count && values[end] == values[at])
            end++;
        size_t lent = (8 - (at - start) % 8) % 8;
        if (end - at >= 8 + lent) {
            put_packed(to, values + start, at + lent - start, width);
            put_repeated(to, values[at], end - at - lent, width);
            start = end;
        }
        at = end;
    }
    put_packed(to, values + start, count - start, width);
}

/* ---- what a column has ---- */

struct work {
    const struct parquet_column *column;
    uint32_t *defs, *reps;  /* per entry */
    struct slice *values;   /* per value, as PLAIN without the length of texts */
    uint32_t *codes;        /* per value; NULL: no dictionary */
    struct slice *entries;  /* of the dictionary */
    uint32_t entry_count;
    unsigned full, code_width;
};

static int expand_levels(struct work *work, struct arena *arena)
{
    const struct buffer *levels = &work->column->levels;
    struct level_run run;
    size_t at = 0, count = work->column->entries;
    work->defs = arena_array(arena, count + 1, sizeof(*work->defs));
    work->reps = arena_array(arena, count + 1, sizeof(*work->reps));
    if (!work->defs || !work->reps)
        return -1;
    for (size_t from = 0; from < levels->len; from += sizeof(run)) {
        memcpy(&run, levels->ptr + from, sizeof(run));
        for (uint32_t i = 0; i < run.count; i++, at++) {
            work->defs[at] = run.def;
            work->reps[at] = run.rep;
        }
    }
    return 0;
}

static int cut_values(struct work *work, struct arena *arena)
{
    const struct parquet_column *column = work->column;
    struct slice rest = buffer_slice(&column->values);
    size_t width = column->kind == PARQUET_BOOL ? 1
                   : column->kind == PARQUET_DECIMAL ? PARQUET_DECIMAL_BYTES : 8;
    work->values = arena_array(arena, column->value_count + 1U, sizeof(*work->values));
    if (!work->values)
        return -1;
    for (uint32_t i = 0; i < column->value_count; i++) {
        uint32_t len = (uint32_t)width;
        if (column->kind == PARQUET_BYTES)
            (void)slice_take_le32(&rest, &len);
        (void)slice_take(&rest, len, &work->values[i]);
    }
    return 0;
}

/* Worth it when values come twice or more on average. */
static int make_dictionary(struct work *work, struct arena *arena)
{
    uint32_t count = work->column->value_count, most = count / 2 < DICTIONARY_MAX ? count / 2 : DICTIONARY_MAX;
    struct map map;
    if (work->column->kind == PARQUET_BOOL || most == 0)
        return 0;
    map_init(&map, arena);
    uint32_t *codes = arena_array(arena, count, sizeof(*codes));
    work->entries = arena_array(arena, most + 1U, sizeof(*work->entries));
    if (!codes || !work->entries)
        return -1;
    for (uint32_t i = 0; i < count; i++) {
        void **slot = map_slot(&map, work->values[i]);
        if (!slot)
            return -1;
        if (!*slot) {
            if (work->entry_count == most)
                return 0;
            work->entries[work->entry_count++] = work->values[i];
            *slot = &work->entries[work->entry_count - 1];
        }
        codes[i] = (uint32_t)((struct slice *)*slot - work->entries);
    }
    work->codes = codes;
    work->code_width = 1;
    while (work->entry_count > 1U << work->code_width)
        work->code_width++;
    return 0;
}

/* ---- pages ---- */

struct chunk_out {
    struct parquet_packer *packer;
    struct buffer *to;
    size_t start;
    int64_t plain; /* bytes without zstd, headers included */
    struct err *err;
};

/* PageHeader and page; the page's fields are those of parquet.thrift. */
static int put_page(struct chunk_out *out, bool dictionary, uint32_t count, int encoding)
{
    struct parquet_packer *packer = out->packer;
    struct slice page = buffer_slice(&packer->page);
    struct thrift thrift;
    buffer_clear(&packer->packed);
    size_t bound = ZSTD_compressBound(page.len);
    char *room = buffer_reserve(&packer->packed, bound);
    if (!room || buffer_failed(&packer->page))
        return err_nomem(out->err);
    size_t len = ZSTD_compress2(packer->zstd, room, bound, page.ptr, page.len);
    if (ZSTD_isError(len))
        return err_set(out->err, ERR_NOMEM, "zstd: %s", ZSTD_getErrorName(len));
    size_t before = out->to->len;
    thrift_init(&thrift, out->to);
    thrift_i32(&thrift, 1, dictionary ? PAGE_DICTIONARY : PAGE_DATA);
    thrift_i32(&thrift, 2, (int32_t)page.len);
    thrift_i32(&thrift, 3, (int32_t)len);
    thrift_i32(&thrift, 4, (int32_t)crc32(0, (const Bytef *)room, (uInt)len));
    thrift_struct(&thrift, dictionary ? 7 : 5);
    thrift_i32(&thrift, 1, (int32_t)count);
    thrift_i32(&thrift, 2, encoding);
    if (!dictionary) {
        thrift_i32(&thrift, 3, ENCODING_RLE);
        thrift_i32(&thrift, 4, ENCODING_RLE);
    }
    thrift_end(&thrift);
    thrift_end(&thrift);
    out->plain += (int64_t)(out->to->len - before + page.len);
    buffer_put(out->to, slice_of(room, len));
    return 0;
}

static void put_plain(const struct work *work, const struct slice *values, uint32_t count,
                      struct buffer *to)
{
    uint64_t bits = 0;
    for (uint32_t i = 0; i < count; i++) {
        if (work->column->kind == PARQUET_BOOL) {
            bits |= (uint64_t)values[i].ptr[0] << (i & 7);
            if ((i & 7) == 7 || i + 1 == count) {
                buffer_put_char(to, (char)(uint8_t)bits);
                bits = 0;
            }
            continue;
        }
        if (work->column->kind == PARQUET_BYTES)
            buffer_put_le32(to, (uint32_t)values[i].len);
        buffer_put(to, values[i]);
    }
}

static void put_levels(struct parquet_packer *packer, const uint32_t *levels, uint32_t count, unsigned width)
{
    buffer_clear(&packer->bits);
    put_hybrid(&packer->bits, levels, count, width);
    buffer_put_le32(&packer->page, (uint32_t)packer->bits.len);
    buffer_put(&packer->page, buffer_slice(&packer->bits));
    packer->page.failed |= buffer_failed(&packer->bits);
}

static int put_data_page(struct chunk_out *out, const struct work *work, uint32_t from, uint32_t to,
                         uint32_t value_from, uint32_t value_to)
{
    struct parquet_packer *packer = out->packer;
    buffer_clear(&packer->page);
    if (work->column->list)
        put_levels(packer, work->reps + from, to - from, 1);
    put_levels(packer, work->defs + from, to - from, work->column->list ? 2 : 1);
    if (work->codes) {
        buffer_put_char(&packer->page, (char)work->code_width);
        put_hybrid(&packer->page, work->codes + value_from, value_to - value_from, work->code_width);
    } else {
        put_plain(work, work->values + value_from, value_to - value_from, &packer->page);
    }
    return put_page(out, false, to - from, work->codes ? ENCODING_RLE_DICTIONARY : ENCODING_PLAIN);
}

/* Pages of about PARQUET_PAGE_BYTES, each beginning with a row. */
static int put_data_pages(struct chunk_out *out, const struct work *work)
{
    uint32_t from = 0, value_from = 0, value = 0, entries = work->column->entries;
    size_t bytes = 0;
    for (uint32_t at = 0; at < entries; at++) {
        if (bytes >= PARQUET_PAGE_BYTES && work->reps[at] == 0) {
            if (put_data_page(out, work, from, at, value_from, value) < 0)
                return -1;
            from = at;
            value_from = value;
            bytes = 0;
        }
        if (work->defs[at] == work->full)
            bytes += work->codes ? 2 : work->values[value].len + 4;
        value += work->defs[at] == work->full;
    }
    return put_data_page(out, work, from, entries, value_from, value);
}

/* ---- statistics ---- */

static int64_t as_i64(struct slice value)
{
    int64_t n;
    memcpy(&n, value.ptr, sizeof(n));
    return n;
}

static double as_f64(struct slice value)
{
    double n;
    memcpy(&n, value.ptr, sizeof(n));
    return n;
}

/* The order that ColumnOrder TYPE_ORDER means. */
static int compare(enum parquet_kind kind, struct slice a, struct slice b)
{
    if (kind == PARQUET_I64 || kind == PARQUET_TIME)
        return (as_i64(a) > as_i64(b)) - (as_i64(a) < as_i64(b));
    if (kind == PARQUET_F64)
        return (as_f64(a) > as_f64(b)) - (as_f64(a) < as_f64(b));
    if (kind == PARQUET_DECIMAL && ((a.ptr[0] ^ b.ptr[0]) & 0x80))
        return a.ptr[0] & 0x80 ? -1 : 1;
    return slice_compare(a, b);
}

/* False: there is none that a reader could use. */
static bool find_range(const struct work *work, struct slice *low, struct slice *high)
{
    const struct slice *values = work->codes ? work->entries : work->values;
    uint32_t count = work->codes ? work->entry_count : work->column->value_count;
    enum parquet_kind kind = work->column->kind;
    for (uint32_t i = 0; i < count; i++) {
        if (kind == PARQUET_F64 && (isnan(as_f64(values[i])) || as_f64(values[i]) == 0))
            return false; /* NaN has no place, and zero has two */
        *low = i == 0 || compare(kind, values[i], *low) < 0 ? values[i] : *low;
        *high = i == 0 || compare(kind, values[i], *high) > 0 ? values[i] : *high;
    }
    return count && low->len <= STATISTIC_BYTES_MAX && high->len <= STATISTIC_BYTES_MAX;
}

static void put_statistics(const struct work *work, struct thrift *meta)
{
    struct slice low, high;
    thrift_struct(meta, 12);
    thrift_i64(meta, 3, (int64_t)work->column->entries - work->column->value_count);
    if (find_range(work, &low, &high)) {
        thrift_binary(meta, 5, high);
        thrift_binary(meta, 6, low);
        thrift_bool(meta, 7, true);
        thrift_bool(meta, 8, true);
    }
    thrift_end(meta);
}

static void put_meta(const struct work *work, const struct chunk_out *out, uint64_t offset,
                     size_t dictionary_bytes, struct thrift *meta)
{
    const struct parquet_column *column = work->column;
    thrift_i32(meta, 1, (int32_t)parquet_column_type(column));
    thrift_list(meta, 2, THRIFT_I32, work->codes ? 3 : 2);
    thrift_put_i32(meta, ENCODING_RLE);
    thrift_put_i32(meta, ENCODING_PLAIN);
    if (work->codes)
        thrift_put_i32(meta, ENCODING_RLE_DICTIONARY);
    thrift_list(meta, 3, THRIFT_BINARY, column->list ? 3 : 1);
    thrift_put_binary(meta, column->name);
    if (column->list) {
        thrift_put_binary(meta, SLICE("list"));
        thrift_put_binary(meta, SLICE("element"));
    }
    thrift_i32(meta, 4, CODEC_ZSTD);
    thrift_i64(meta, 5, column->entries);
    thrift_i64(meta, 6, out->plain);
    thrift_i64(meta, 7, (int64_t)(out->to->len - out->start));
    thrift_i64(meta, 9, (int64_t)(offset + dictionary_bytes));
    if (work->codes)
        thrift_i64(meta, 11, (int64_t)offset);
    put_statistics(work, meta);
    thrift_end(meta);
}

static int put_chunk(struct work *work, struct chunk_out *out, uint64_t offset,
                     struct thrift *meta)
{
    struct arena *arena = out->packer->arena;
    size_t dictionary_bytes = 0;
    if (expand_levels(work, arena) < 0 || cut_values(work, arena) < 0 ||
        make_dictionary(work, arena) < 0)
        return err_nomem(out->err);
    if (work->codes) {
        buffer_clear(&out->packer->page);
        put_plain(work, work->entries, work->entry_count, &out->packer->page);
        if (put_page(out, true, work->entry_count, ENCODING_PLAIN) < 0)
            return -1;
        dictionary_bytes = out->to->len - out->start;
    }
    if (put_data_pages(out, work) < 0)
        return -1;
    put_meta(work, out, offset, dictionary_bytes, meta);
    return 0;
}

int parquet_column_flush(struct parquet_column *column, uint32_t rows, uint64_t offset,
                         struct parquet_packer *packer, struct buffer *to, struct thrift *meta,
                         struct parquet_sizes *sizes, struct err *err)
{
    struct work work = {.column = column, .full = column->list ? 3 : 1};
    struct chunk_out out = {.packer = packer, .to = to, .start = to->len, .err = err};
    parquet_column_fill(column, rows);
    if (buffer_failed(&column->values) || buffer_failed(&column->levels))
        return err_set(err, ERR_LIMIT, "the values of %.*s need too much memory", SLICE_ARG(column->name));
    arena_reset(packer->arena);
    if (put_chunk(&work, &out, offset, meta) < 0)
        return -1;
    sizes->packed = (int64_t)(to->len - out.start);
    sizes->plain = out.plain;
    buffer_clear(&column->values);
    buffer_clear(&column->levels);
    column->rows = column->entries = column->value_count = 0;
    return 0;
}
