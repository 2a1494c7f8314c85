/*
 * Snapshots of state tables (docs/format/checkpoint.md).
 *
 *   varint 2, then of each table: text name | varint fields | of each: text name, kind 1, varint window in ns |
 *       rows 8 | bytes of rows 8 | rows: touched 8, text key, text cells (as in table/state_rows.h)
 *   an empty name ends
 *
 * Version 1 had a row's table and fields by name in each row; it is read.
 */
#include "base/mem.h"
#include "table/state_parts.h"

#define HEADS_BYTES_MAX (16 * MIB) /* more than all definitions can take */

enum { VERSION = 2, VERSION_ONE = 1, ROW_BYTES_LEAST = 8 + 1 + 1, ROWS_AHEAD = 16 };

/* ---- saving ---- */

static void put_head(const struct state_table_definition *table, struct buffer *to)
{
    buffer_put_block(to, table->name);
    buffer_put_varint(to, table->field_count);
    for (uint32_t f = 0; f < table->field_count; f++) {
        buffer_put_block(to, table->fields[f].name);
        buffer_put_char(to, (char)table->fields[f].kind);
        buffer_put_varint(to, (uint64_t)table->fields[f].window_ns);
    }
}

static void put_heads(const struct state *state, bool with_rows, struct buffer *to)
{
    buffer_put_varint(to, VERSION);
    for (uint32_t t = 0; t < state->definitions->table_count; t++) {
        const struct rows *rows = &state->tables[t];
        put_head(&state->definitions->tables[t], to);
        buffer_put_le64(to, rows->count);
        buffer_put_le64(to, rows->saved_bytes);
        if (with_rows)
            rows_save(rows, to);
    }
    buffer_put_block(to, SLICE(""));
}

uint64_t state_saved_bytes(const struct state *state)
{
    struct buffer heads;
    buffer_init(&heads, HEADS_BYTES_MAX);
    put_heads(state, false, &heads);
    uint64_t bytes = heads.len;
    for (uint32_t t = 0; t < state->definitions->table_count; t++)
        bytes += state->tables[t].saved_bytes;
    if (buffer_failed(&heads))
        bytes = 0;
    buffer_close(&heads);
    return bytes;
}

void state_save(const struct state *state, struct buffer *to)
{
    put_heads(state, true, to);
}

/* ---- loading ---- */

/* A table as it was saved, and where its fields are now. */
struct saved_table {
    const struct state_table_definition *now; /* NULL: it is no longer defined */
    struct state_field fields[STATE_FIELDS_MAX]; /* as they were */
    ptrdiff_t places[STATE_FIELDS_MAX];          /* -1: no longer kept */
    uint32_t field_count;
    bool same; /* all fields are what and where they were */
};

static bool take_field(struct slice *from, struct saved_table *table)
{
    struct state_field *field = &table->fields[table->field_count];
    struct slice kind;
    uint64_t window_ns;
    if (!slice_take_block(from, &field->name) || !slice_take(from, 1, &kind) || !slice_take_varint(from, &window_ns) ||
        (unsigned char)kind.ptr[0] >= KEEP_KINDS || window_ns > INT64_MAX / 2)
        return false;
    field->kind = (enum keep_kind)kind.ptr[0];
    field->window_ns = (int64_t)window_ns;
    ptrdiff_t place = table->now ? state_field_index(table->now, field->name) : -1;
    if (place >= 0 && table->now->fields[place].kind != field->kind)
        place = -1;
    table->same &= place == (ptrdiff_t)table->field_count && table->now->fields[place].window_ns == field->window_ns;
    table->places[table->field_count++] = place;
    return true;
}

static bool take_head(const struct state *state, struct slice name, struct slice *from, struct saved_table *out)
{
    uint64_t count;
    ptrdiff_t t = state_table_index(state->definitions, name);
    out->now = t < 0 ? NULL : &state->definitions->tables[t];
    out->field_count = 0;
    out->same = true;
    if (!slice_take_varint(from, &count) || count > STATE_FIELDS_MAX)
        return false;
    while (out->field_count < count)
        if (!take_field(from, out))
            return false;
    return true;
}

/* Cells in their order, of fields that there are, each as it must be. */
static bool cells_valid(const struct saved_table *table, struct slice cells)
{
    uint32_t field;
    ptrdiff_t before = -1;
    struct slice cell;
    while (cells.len) {
        if (!cells_next(&cells, &field, &cell) || field >= table->field_count || (ptrdiff_t)field <= before ||
            !cell_valid(&table->fields[field], cell))
            return false;
        before = (ptrdiff_t)field;
    }
    return before >= 0;
}

/* The cells for the definitions of now, into state->cells. */
static void carry_cells(struct state *state, const struct saved_table *table, struct slice cells)
{
    struct slice by_place[STATE_FIELDS_MAX] = {0}, cell;
    uint32_t was[STATE_FIELDS_MAX] = {0}, field;
    while (cells_next(&cells, &field, &cell))
        if (table->places[field] >= 0) {
            by_place[table->places[field]] = cell;
            was[table->places[field]] = field;
        }
    buffer_clear(&state->cells);
    for (uint32_t f = 0; f < table->now->field_count; f++) {
        if (!by_place[f].len)
            continue;
        buffer_clear(&state->cell);
        cell_convert(&table->now->fields[f], table->fields[was[f]].window_ns, by_place[f], &state->cell);
        state->cells.failed |= buffer_failed(&state->cell);
        state_put_cell(&state->cells, f, buffer_slice(&state->cell));
    }
}

struct saved_row {
    uint64_t touched_ns, hash;
    struct slice key, cells;
};

static bool take_row(struct slice *from, struct saved_row *out)
{
    return slice_take_le64(from, &out->touched_ns) && slice_take_block(from, &out->key) &&
           slice_take_block(from, &out->cells) && out->key.len <= STATE_KEY_BYTES_MAX && out->cells.len <= UINT32_MAX;
}

static bool load_row(struct state *state, struct rows *rows, const struct saved_table *table, const struct saved_row *row)
{
    struct slice cells = row->cells;
    if (!cells_valid(table, cells))
        return false;
    if (!table->same) {
        carry_cells(state, table, cells);
        cells = buffer_slice(&state->cells);
        if (buffer_failed(&state->cells))
            return false;
        if (cells.len == 0)
            return true;
    }
    return rows_put(rows, row->key, row->hash, (int64_t)row->touched_ns, cells, table->now->entries_max) == 0;
}

/* Some rows are looked for at a time, so that memory is asked for all of them before the first is waited for. */
static bool load_rows(struct state *state, const struct saved_table *table, uint64_t count, struct slice from)
{
    struct rows *rows = &state->tables[table->now - state->definitions->tables];
    struct saved_row list[ROWS_AHEAD];
    uint64_t expected = count < table->now->entries_max ? count : table->now->entries_max;
    if (count > from.len / ROW_BYTES_LEAST || (count && rows_reserve(rows, rows->count + expected) < 0))
        return false;
    while (count) {
        size_t ahead = count < ROWS_AHEAD ? (size_t)count : ROWS_AHEAD;
        for (size_t i = 0; i < ahead; i++) {
            if (!take_row(&from, &list[i]))
                return false;
            list[i].hash = rows_hash(list[i].key);
            rows_prefetch(rows, list[i].hash);
        }
        for (size_t i = 0; i < ahead; i++)
            if (!load_row(state, rows, table, &list[i]))
                return false;
        count -= ahead;
    }
    return from.len == 0;
}

static bool load_table(struct state *state, struct slice name, struct slice *from)
{
    struct saved_table table;
    struct slice rows;
    uint64_t count, bytes;
    return take_head(state, name, from, &table) && slice_take_le64(from, &count) && slice_take_le64(from, &bytes) &&
           slice_take(from, bytes, &rows) && (!table.now || load_rows(state, &table, count, rows));
}

/* ---- version 1: of each row its table, key and fields by name; a field is time, kind, and what it kept ---- */

enum { OLD_BUCKETS = 32 };

/* field NULL: its bytes are passed over. */
static bool old_window(struct state *state, const struct state_field *field, struct slice *from, struct arena *scratch,
                       struct slice *out)
{
    for (int i = 0; i < OLD_BUCKETS; i++) {
        uint64_t start, count;
        struct decimal_sum sum;
        struct slice scale;
        bool whole = slice_take_le64(from, &start) && slice_take_le64(from, &count);
        for (int w = 0; w < 4; w++)
            whole = whole && slice_take_le64(from, &sum.word[w]);
        if (!whole || !slice_take(from, 1, &scale) || (unsigned char)scale.ptr[0] > DECIMAL_DIGITS_MAX)
            return false;
        sum.scale = (uint8_t)scale.ptr[0];
        if (!field || count == 0)
            continue;
        if (!window_time_fits((int64_t)start) || count > UINT32_MAX)
            return false;
        buffer_clear(&state->cell);
        window_add(field, *out, (int64_t)start, count, &sum, &state->cell);
        *out = arena_copy(scratch, buffer_slice(&state->cell));
        if (!out->ptr)
            return false;
    }
    return true;
}

static bool old_latest(struct state *state, const struct state_field *field, struct slice *from, int64_t time_ns,
                       struct arena *scratch, struct slice *out)
{
    struct slice type, text;
    uint64_t left = 0;
    if (!slice_take(from, 1, &type) || !slice_take_block(from, &text))
        return false;
    struct value v = value_string(text);
    if (type.ptr[0] == VALUE_I64 || type.ptr[0] == VALUE_DECIMAL)
        v = value_from_number_text(text, scratch);
    struct cell_input input = {.values = {&v, 1}, .time_ns = time_ns};
    if (!field)
        return true;
    buffer_clear(&state->cell);
    cell_put(field, SLICE(""), &input, scratch, &state->cell, &left);
    *out = arena_copy(scratch, buffer_slice(&state->cell));
    return out->ptr != NULL;
}

static bool old_seen(uint64_t time_ns, struct arena *scratch, struct slice *out)
{
    struct buffer bytes;
    buffer_init(&bytes, sizeof(time_ns));
    buffer_put_le64(&bytes, time_ns);
    *out = arena_copy(scratch, buffer_slice(&bytes));
    bool whole = out->ptr && !buffer_failed(&bytes);
    buffer_close(&bytes);
    return whole;
}

static bool old_field(struct state *state, const struct state_field *field, struct slice *from, struct arena *scratch,
                      struct slice *out)
{
    uint64_t time_ns;
    struct slice kind;
    *out = SLICE("");
    if (!slice_take_le64(from, &time_ns) || !slice_take(from, 1, &kind) || (unsigned char)kind.ptr[0] > KEEP_MEAN)
        return false;
    if (field && field->kind != (enum keep_kind)kind.ptr[0])
        field = NULL;
    if (kind.ptr[0] == KEEP_LATEST)
        return old_latest(state, field, from, (int64_t)time_ns, scratch, out);
    if (kind.ptr[0] >= KEEP_COUNT)
        return old_window(state, field, from, scratch, out);
    return !field || old_seen(time_ns, scratch, out);
}

static bool old_row(struct state *state, struct slice table, struct slice *from, struct arena *scratch)
{
    struct slice key, name, cells[STATE_FIELDS_MAX] = {0}, cell;
    uint64_t touched;
    ptrdiff_t t = state_table_index(state->definitions, table);
    const struct state_table_definition *now = t < 0 ? NULL : &state->definitions->tables[t];
    arena_reset(scratch);
    if (!slice_take_block(from, &key) || !slice_take_le64(from, &touched) || key.len > STATE_KEY_BYTES_MAX)
        return false;
    for (;;) {
        if (!slice_take_block(from, &name))
            return false;
        if (name.len == 0)
            break;
        ptrdiff_t f = now ? state_field_index(now, name) : -1;
        if (!old_field(state, f < 0 ? NULL : &now->fields[f], from, scratch, &cell))
            return false;
        if (f >= 0)
            cells[f] = cell;
    }
    buffer_clear(&state->cells);
    for (uint32_t f = 0; now && f < now->field_count; f++)
        state_put_cell(&state->cells, f, cells[f]);
    struct slice all = buffer_slice(&state->cells);
    return !buffer_failed(&state->cells) &&
           (all.len == 0 || rows_put(&state->tables[t], key, rows_hash(key), (int64_t)touched, all, now->entries_max) == 0);
}

int state_load(struct state *state, struct slice bytes, struct err *err)
{
    uint64_t version;
    struct slice table;
    struct arena *scratch = arena_new(64 * MIB);
    if (!scratch)
        return err_nomem(err);
    bool ok = slice_take_varint(&bytes, &version) && (version == VERSION || version == VERSION_ONE);
    while (ok && (ok = slice_take_block(&bytes, &table)) && table.len)
        ok = version == VERSION ? load_table(state, table, &bytes) : old_row(state, table, &bytes, scratch);
    arena_free(scratch);
    return ok ? 0 : err_set(err, ERR_CORRUPT, "a snapshot of the state tables is damaged");
}
