#include "store/memtable.h"

#include "base/mem.h"
#include "event/schema.h"

#include <assert.h>
#include <stdatomic.h>

enum {
    DICT_FIRST = 64,
    DICT_MAX = 65536,     /* a code fits 16 bits */
    PLAIN_FROM = 2048,    /* no judgement on fewer different values */
    PLAIN_RATIO = 2,      /* every second value is new: a dictionary does not pay */
    REMAP_MAX = 1 << 20,
    SHORT_MAX = 16,
    GROUP = 32,
};

struct memtable *memtable_new(int64_t day, struct slice stream)
{
    struct arena *arena = arena_new(MEMTABLE_ARENA_MAX);
    struct memtable *table = arena ? arena_calloc(arena, sizeof(*table)) : NULL;
    if (!table) {
        arena_free(arena);
        return NULL;
    }
    table->arena = arena;
    table->day = day;
    table->stream = arena_copy(arena, stream);
    map_init(&table->by_name, arena);
    if (table->stream.ptr)
        return table;
    arena_free(arena);
    return NULL;
}

void memtable_free(struct memtable *table)
{
    if (table)
        arena_free(table->arena);
}

uint64_t memtable_next_epoch(void)
{
    static atomic_uint_fast64_t epochs; /* only names things; no order is needed */
    return atomic_fetch_add(&epochs, 1) + 1;
}

static struct mem_column *add_column(struct memtable *table, struct slice name)
{
    if (table->column_count == table->column_size) {
        uint32_t size = table->column_size ? table->column_size * 2 : 64;
        void *fresh = arena_grow(table->arena, table->columns,
                                 table->column_count * sizeof(*table->columns),
                                 size * sizeof(*table->columns));
        if (!fresh)
            return NULL;
        table->columns = fresh;
        table->column_size = size;
    }
    struct mem_column *column = arena_calloc(table->arena, sizeof(*column));
    if (!column)
        return NULL;
    column->name = arena_copy(table->arena, name);
    column->plain = slice_equal(name, FIELD_ORIGINAL);
    column->epoch = memtable_next_epoch();
    if (!column->name.ptr || map_put(&table->by_name, column->name, column) < 0)
        return NULL;
    column->index = table->column_count;
    table->columns[table->column_count++] = column;
    return column;
}

/* ---- dictionary ------------------------------------------------------------------------- */

static struct slice value_bytes(const struct value *v)
{
    switch ((enum value_type)v->type) {
    case VALUE_STRING:
        return slice_of(v->text, v->len);
    case VALUE_IP:
        return slice_of(v->ip, 16);
    case VALUE_DECIMAL:
        return slice_of(v->decimal, 16);
    case VALUE_NULL:
    case VALUE_I64:
    case VALUE_F64:
    case VALUE_BOOL:
    case VALUE_TIME:
    case VALUE_TYPE_COUNT:
        break;
    }
    return slice_of(&v->i64, 8);
}

/* Of up to SHORT_MAX bytes: the first and last eight are all of them. */
static uint64_t hash_short(struct slice bytes)
{
    uint64_t a = 0, b = 0;
    if (bytes.len >= 8) {
        memcpy(&a, bytes.ptr, 8);
        memcpy(&b, bytes.ptr + bytes.len - 8, 8);
    } else if (bytes.len >= 4) {
        memcpy(&a, bytes.ptr, 4);
        memcpy(&b, bytes.ptr + bytes.len - 4, 4);
    } else if (bytes.len) {
        a = (uint64_t)(uint8_t)bytes.ptr[0] << 8 | (uint8_t)bytes.ptr[bytes.len - 1];
        b = (uint8_t)bytes.ptr[bytes.len / 2];
    }
    uint128 product = (uint128)(a ^ UINT64_C(0x9e3779b97f4a7c15)) *
                      (b ^ (bytes.len * UINT64_C(0xc2b2ae3d27d4eb4f)) ^ UINT64_C(0x2545f4914f6cdd1d));
    return (uint64_t)product ^ (uint64_t)(product >> 64);
}

static uint32_t hash_value(const struct value *v)
{
    struct slice bytes = v->type == VALUE_NULL ? SLICE("") : value_bytes(v);
    bool scaled = v->type == VALUE_IP || v->type == VALUE_DECIMAL;
    uint64_t hash = bytes.len <= SHORT_MAX ? hash_short(bytes) : hash_bytes(bytes);
    hash += ((uint64_t)v->type << 8 | (scaled ? v->scale : 0)) * UINT64_C(0x9e3779b97f4a7c15);
    return (uint32_t)(hash ^ hash >> 32);
}

/* Not value_equal(): a stored value comes back in its own type and scale. */
static bool same_value(const struct value *a, const struct value *b)
{
    if (a->type != b->type)
        return false;
    if (a->type == VALUE_STRING)
        return a->len == b->len && slice_same_bytes(a->text, b->text, a->len);
    if (a->type == VALUE_IP || a->type == VALUE_DECIMAL)
        return a->scale == b->scale && memcmp(a->ip, b->ip, 16) == 0;
    return a->type == VALUE_NULL || a->i64 == b->i64;
}

static void put_entry(struct mem_entry *table, uint32_t size, struct mem_entry entry)
{
    uint32_t slot = entry.hash & (size - 1);
    while (table[slot].code)
        slot = (slot + 1) & (size - 1);
    table[slot] = entry;
}

static int grow_table(struct memtable *table, struct mem_column *column)
{
    uint32_t size = column->table_size ? column->table_size * 2 : DICT_FIRST * 2;
    struct mem_entry *fresh = arena_array(table->arena, size, sizeof(*fresh));
    if (!fresh)
        return -1;
    for (uint32_t slot = 0; slot < column->table_size; slot++)
        if (column->table[slot].code)
            put_entry(fresh, size, column->table[slot]);
    column->table = fresh;
    column->table_size = size;
    return 0;
}

/* The old place stays as it is: parts point there. */
static int grow_dict(struct memtable *table, struct mem_column *column)
{
    uint32_t size = column->dict_size ? column->dict_size * 2 : DICT_FIRST;
    struct value *dict = arena_alloc(table->arena, size * sizeof(*dict));
    if (!dict)
        return -1;
    if (column->dict_count)
        memcpy(dict, column->dict, column->dict_count * sizeof(*dict));
    column->dict = dict;
    column->dict_size = size;
    return 0;
}

static int add_entry(struct memtable *table, struct mem_column *column, const struct value *v,
                     uint32_t hash, uint32_t *code)
{
    if (column->dict_count == column->dict_size && grow_dict(table, column) < 0)
        return -1;
    struct value copy = value_copy(*v, table->arena);
    if (copy.type != v->type)
        return -1;
    copy.flags = 0;
    *code = column->dict_count;
    column->dict[*code] = copy;
    put_entry(column->table, column->table_size, (struct mem_entry){hash, *code + 1});
    column->dict_count++;
    return 0;
}

static int find_or_add(struct memtable *table, struct mem_column *column, const struct value *v,
                       uint32_t hash, uint32_t *code)
{
    uint32_t mask = column->table_size - 1, slot = hash & mask;
    for (; column->table[slot].code; slot = (slot + 1) & mask) {
        const struct mem_entry *entry = &column->table[slot];
        if (entry->hash == hash && same_value(&column->dict[entry->code - 1], v)) {
            *code = entry->code - 1;
            return 0;
        }
    }
    return add_entry(table, column, v, hash, code);
}

/* Said once for the whole delivery, not by each event. */
static bool is_same_text(const struct value *a, const struct value *b)
{
    return a->type == VALUE_STRING && b->type == VALUE_STRING && a->text == b->text &&
           a->len == b->len;
}

/* Elsewhere, behind a pointer. */
static bool has_bytes(const struct value *v)
{
    return v->type == VALUE_STRING || v->type == VALUE_IP || v->type == VALUE_DECIMAL;
}

/* Up to GROUP values. What is looked at is asked of the memory for all of them before it is needed:
 * the tables of columns with many different values are in no cache. */
static int intern(struct memtable *table, struct mem_column *column,
                  const struct value *const *values, uint32_t count, uint32_t *codes)
{
    UNSET uint32_t hashes[GROUP];
    uint32_t same = 0; /* bit i: as the value before */
    while ((column->dict_count + count) * 4 >= column->table_size * 3)
        if (grow_table(table, column) < 0)
            return -1;
    uint32_t mask = column->table_size - 1;
    for (uint32_t i = 0; i < count; i++) {
        if (i && is_same_text(values[i], values[i - 1])) {
            same |= UINT32_C(1) << i;
            hashes[i] = hashes[i - 1];
            continue;
        }
        hashes[i] = hash_value(values[i]);
        __builtin_prefetch(&column->table[hashes[i] & mask]);
    }
    for (uint32_t i = 0; i < count; i++) {
        uint32_t code = column->table[hashes[i] & mask].code;
        if (code)
            __builtin_prefetch(&column->dict[code - 1]);
    }
    for (uint32_t i = 0; i < count; i++) {
        uint32_t code = column->table[hashes[i] & mask].code;
        if (code && has_bytes(&column->dict[code - 1]))
            __builtin_prefetch(column->dict[code - 1].text);
    }
    for (uint32_t i = 0; i < count; i++)
        if (same >> i & 1)
            codes[i] = codes[i - 1];
        else if (find_or_add(table, column, values[i], hashes[i], &codes[i]) < 0)
            return -1;
    return 0;
}

/* ---- one column of one batch ------------------------------------------------------------ */

/* The entries of a batch's column that belong to the wanted rows. */
struct picked {
    const struct column *from;
    uint32_t *entry; /* NULL: all */
    uint32_t *rows;  /* of the part; NULL when dense */
    uint32_t count;
};

static bool is_dense(const struct column *column, uint32_t row_count)
{
    return column->count == row_count && !column->multi &&
           (row_count == 0 || (column->rows[0] == 0 && column->rows[row_count - 1] == row_count - 1));
}

static int pick(struct memtable *table, const struct column *from, const struct mem_rows *rows,
                uint32_t batch_rows, struct picked *out)
{
    *out = (struct picked){.from = from, .count = from->count};
    if (!rows->row && is_dense(from, batch_rows))
        return 0;
    uint32_t *kept = arena_alloc(table->arena, from->count * sizeof(uint32_t) + 1);
    if (!kept)
        return -1;
    out->rows = kept;
    if (!rows->row) {
        memcpy(kept, from->rows, from->count * sizeof(uint32_t));
        return 0;
    }
    out->entry = arena_alloc(table->arena, from->count * sizeof(uint32_t) + 1);
    if (!out->entry)
        return -1;
    out->count = 0;
    uint32_t at = 0;
    for (uint32_t i = 0; i < from->count && at < rows->count; i++) {
        while (at < rows->count && rows->row[at] < from->rows[i])
            at++;
        if (at < rows->count && rows->row[at] == from->rows[i]) {
            out->entry[out->count] = i;
            kept[out->count++] = at;
        }
    }
    return 0;
}

static const struct value *picked_value(const struct picked *picked, uint32_t i)
{
    return &picked->from->values[picked->entry ? picked->entry[i] : i];
}

/* Room to remember what a code of the batches' dictionary is in ours. */
static bool use_remap(struct mem_column *column, const struct column *from)
{
    if (!from->codes)
        return false;
    if (column->remap_epoch != from->dict_epoch) {
        column->remap_epoch = from->dict_epoch;
        if (column->remap_size)
            memset(column->remap, 0xff, column->remap_size * sizeof(uint32_t));
    }
    return true;
}

static uint32_t *remap_slot(struct memtable *table, struct mem_column *column, uint32_t code)
{
    if (code >= REMAP_MAX)
        return NULL;
    if (code >= column->remap_size) {
        uint32_t size = column->remap_size ? column->remap_size : 256;
        while (size <= code)
            size *= 2;
        uint32_t *fresh = arena_alloc(table->arena, size * sizeof(*fresh));
        if (!fresh)
            return NULL;
        memset(fresh, 0xff, size * sizeof(*fresh));
        if (column->remap_size)
            memcpy(fresh, column->remap, column->remap_size * sizeof(*fresh));
        column->remap = fresh;
        column->remap_size = size;
    }
    return &column->remap[code];
}

/* Entries whose code in the batches' dictionary was met before need no search. */
static int remap_code(struct memtable *table, struct mem_column *column,
                      const struct picked *picked, uint32_t i, uint32_t *code)
{
    const struct value *v = picked_value(picked, i);
    uint32_t theirs = picked->from->codes[picked->entry ? picked->entry[i] : i];
    uint32_t *known = v->type == VALUE_STRING ? remap_slot(table, column, theirs) : NULL;
    if (known && *known != UINT32_MAX) {
        *code = *known;
        return 0;
    }
    if (intern(table, column, &v, 1, code) < 0)
        return -1;
    if (known)
        *known = *code;
    return 0;
}

static int fill_codes(struct memtable *table, struct mem_column *column,
                      const struct picked *picked, uint32_t *codes)
{
    UNSET const struct value *values[GROUP];
    uint32_t count;
    if (use_remap(column, picked->from)) {
        for (uint32_t i = 0; i < picked->count; i++)
            if (remap_code(table, column, picked, i, &codes[i]) < 0)
                return -1;
        return 0;
    }
    for (uint32_t i = 0; i < picked->count; i += count) {
        count = picked->count - i < GROUP ? picked->count - i : GROUP;
        for (uint32_t k = 0; k < count; k++)
            values[k] = picked_value(picked, i + k);
        if (intern(table, column, values, count, codes + i) < 0)
            return -1;
    }
    return 0;
}

static int store_codes(struct memtable *table, struct mem_column *column,
                       const struct picked *picked, struct mem_part_column *out)
{
    uint32_t *codes = arena_alloc(table->arena, picked->count * sizeof(*codes) + 1);
    if (!codes || fill_codes(table, column, picked, codes) < 0)
        return -1;
    out->codes = codes;
    out->dict = column->dict;
    out->dict_count = column->dict_count;
    out->epoch = column->epoch;
    return 0;
}

/* Texts of a part lie one behind the other. */
static int store_values(struct memtable *table, const struct picked *picked,
                        struct mem_part_column *out)
{
    size_t text_bytes = 0;
    for (uint32_t i = 0; i < picked->count; i++) {
        const struct value *v = picked_value(picked, i);
        text_bytes += v->type == VALUE_STRING ? v->len : 0;
    }
    struct value *values = arena_alloc(table->arena, picked->count * sizeof(*values) + 1);
    char *text = arena_alloc(table->arena, text_bytes + 1);
    if (!values || !text)
        return -1;
    for (uint32_t i = 0; i < picked->count; i++) {
        struct value v = *picked_value(picked, i);
        v.flags = 0;
        if (v.type == VALUE_STRING) {
            if (v.len)
                memcpy(text, v.text, v.len);
            v.text = text;
            text += v.len;
        } else if (v.type == VALUE_IP || v.type == VALUE_DECIMAL) {
            v = value_copy(v, table->arena);
            if (v.type == VALUE_NULL)
                return -1;
        }
        values[i] = v;
    }
    out->values = values;
    return 0;
}

/* A batch's column may know of types that it lost since: only a single one is sure. */
static bool is_one_type(uint16_t types_seen)
{
    return types_seen && (types_seen & (types_seen - 1)) == 0;
}

static int store_column(struct memtable *table, struct mem_column *column,
                        const struct picked *picked, struct mem_part_column *out)
{
    uint16_t types = 0;
    *out = (struct mem_part_column){.name = column->name,
                                    .index = column->index,
                                    .count = picked->count,
                                    .rows = picked->rows};
    if (is_one_type(picked->from->types_seen))
        out->types_seen = picked->from->types_seen;
    for (uint32_t i = 0; !out->types_seen && i < picked->count; i++)
        types |= (uint16_t)(1U << picked_value(picked, i)->type);
    out->types_seen |= types;
    for (uint32_t i = 1; picked->from->multi && picked->rows && i < picked->count; i++)
        out->multi |= picked->rows[i] == picked->rows[i - 1];
    if (column->dict_count > PLAIN_FROM &&
        (column->dict_count * PLAIN_RATIO > column->values_seen ||
         column->dict_count + picked->count > DICT_MAX))
        column->plain = true;
    column->values_seen += picked->count;
    if (column->plain)
        return store_values(table, picked, out);
    return store_codes(table, column, picked, out);
}

/* ---- parts ------------------------------------------------------------------------------ */

static bool is_key_column(struct slice name)
{
    return slice_equal(name, FIELD_TIMESTAMP) || slice_equal(name, FIELD_SEQ);
}

static int store_columns(struct memtable *table, const struct batch *batch,
                         const struct mem_rows *rows, struct mem_part *part)
{
    part->columns = arena_array(table->arena, batch->column_count + 1U, sizeof(*part->columns));
    if (!part->columns)
        return -1;
    for (uint32_t i = 0; i < batch->column_count; i++) {
        const struct column *from = batch->columns[i];
        struct picked picked;
        if (!from->count || is_key_column(from->name))
            continue;
        struct mem_column *column = map_find(&table->by_name, from->name);
        if (!column)
            column = add_column(table, from->name);
        if (!column || pick(table, from, rows, batch->row_count, &picked) < 0)
            return -1;
        if (picked.count &&
            store_column(table, column, &picked, &part->columns[part->column_count++]) < 0)
            return -1;
    }
    return 0;
}

static int store_keys(struct memtable *table, const struct mem_rows *rows, struct mem_part *part)
{
    int64_t *time_ns = arena_alloc(table->arena, rows->count * sizeof(*time_ns) + 1);
    uint64_t *seq = arena_alloc(table->arena, rows->count * sizeof(*seq) + 1);
    if (!time_ns || !seq)
        return -1;
    memcpy(time_ns, rows->time_ns, rows->count * sizeof(*time_ns));
    memcpy(seq, rows->seq, rows->count * sizeof(*seq));
    part->time_ns = time_ns;
    part->seq = seq;
    part->time_min = INT64_MAX;
    part->time_max = INT64_MIN;
    for (uint32_t i = 0; i < rows->count; i++) {
        part->time_min = time_ns[i] < part->time_min ? time_ns[i] : part->time_min;
        part->time_max = time_ns[i] > part->time_max ? time_ns[i] : part->time_max;
    }
    return 0;
}

struct mem_part *memtable_append(struct memtable *table, const struct batch *batch,
                                 const struct mem_rows *rows)
{
    struct mem_part *part = arena_calloc(table->arena, sizeof(*part));
    if (!part)
        return NULL;
    part->row_count = rows->count;
    if (store_keys(table, rows, part) < 0 || store_columns(table, batch, rows, part) < 0)
        return NULL;
    return part;
}
