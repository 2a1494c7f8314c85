#include "search/sort_keys.h"

#include <stdlib.h>

static bool at_stop(const struct spl_parser *p, const char *const *stops)
{
    for (; stops && *stops; stops++)
        if (spl_at_word(p, *stops))
            return true;
    return false;
}

static bool kind_by_name(const struct spl_parser *p, enum sort_kind *out)
{
    static const struct {
        const char *name;
        enum sort_kind kind;
    } kinds[] = {{"num", SORT_NUMBER}, {"str", SORT_TEXT}, {"ip", SORT_IP}, {"auto", SORT_AUTO}};
    for (size_t i = 0; i < ARRAY_COUNT(kinds); i++)
        if (slice_is_nocase(p->token.text, kinds[i].name)) {
            *out = kinds[i].kind;
            return true;
        }
    return false;
}

static int take_key(struct spl_parser *p, struct sort_key *key, bool *sign_before)
{
    *key = (struct sort_key){.descending = *sign_before};
    struct slice text = p->token.text;
    if (p->token.kind == SPL_WORD && text.len && (text.ptr[0] == '-' || text.ptr[0] == '+')) {
        key->descending = text.ptr[0] == '-';
        p->token.text = slice_from(text, 1);
        p->token.start++;
        if (p->token.text.len == 0) {
            if (spl_advance(p) < 0)
                return -1;
            *sign_before = key->descending; /* "sort - a, b" means both */
        }
    }
    bool call = p->token.kind == SPL_WORD && p->at < p->end && p->text.ptr[p->at] == '(';
    if (call && kind_by_name(p, &key->kind)) {
        if (spl_advance(p) < 0 || spl_advance(p) < 0 || spl_take_field(p, &key->field) < 0)
            return -1;
        return spl_at_sign(p, ")") ? spl_advance(p) : spl_fail(p, "here a closing ) is missing");
    }
    return spl_take_field(p, &key->field);
}

int spl_take_sort_keys(struct spl_parser *p, const char *const *stops, struct sort_keys *out)
{
    struct sort_key *keys = NULL;
    bool descending = false;
    *out = (struct sort_keys){0};
    while ((spl_is_field(p) || p->token.kind == SPL_WORD) && !at_stop(p, stops)) {
        keys = spl_grow(p->arena, keys, out->count, sizeof(*keys));
        if (!keys)
            return err_nomem(p->err);
        if (take_key(p, &keys[out->count], &descending) < 0)
            return -1;
        out->count++;
        while (spl_at_sign(p, ","))
            if (spl_advance(p) < 0)
                return -1;
    }
    out->keys = keys;
    return out->count ? 0 : spl_fail(p, "here a field to sort by is needed");
}

/* One row's value of one key, ready to compare. */
struct sort_cell {
    enum { CELL_NUMBER, CELL_IP, CELL_TEXT, CELL_MISSING } kind;
    union {
        struct value v;
        struct slice text;
        const struct ip *ip;
    };
};

static int fill_ip(struct arena *arena, struct sort_cell *cell)
{
    struct ip ip, *kept;
    if (!ip_parse(cell->text, &ip))
        return 0;
    if (!(kept = arena_alloc(arena, sizeof(*kept))))
        return -1;
    *kept = ip;
    cell->kind = CELL_IP;
    cell->ip = kept;
    return 0;
}

static int fill_cell(enum sort_kind kind, struct value v, struct arena *arena,
                     struct sort_cell *cell)
{
    cell->kind = CELL_MISSING;
    if (v.type == VALUE_NULL)
        return 0;
    if (v.type == VALUE_TIME && kind != SORT_TEXT && kind != SORT_IP) {
        cell->kind = CELL_NUMBER; /* compared as it is with its like, as seconds with others */
        cell->v = v;
        return 0;
    }
    if (kind != SORT_TEXT && kind != SORT_IP && value_to_number(v, arena, &cell->v)) {
        cell->kind = CELL_NUMBER;
        return 0;
    }
    cell->kind = CELL_TEXT;
    cell->text = value_text(v, arena);
    if (!cell->text.ptr)
        return -1;
    return kind == SORT_IP ? fill_ip(arena, cell) : 0;
}

static int compare_numbers(struct value a, struct value b)
{
    int128 x, y;
    if (a.type == b.type && (a.type == VALUE_I64 || a.type == VALUE_TIME))
        return (a.i64 > b.i64) - (a.i64 < b.i64);
    if (a.type == VALUE_TIME) {
        x = a.i64;
        a = (struct value){.type = VALUE_DECIMAL, .scale = 9, .decimal = &x};
    }
    if (b.type == VALUE_TIME) {
        y = b.i64;
        b = (struct value){.type = VALUE_DECIMAL, .scale = 9, .decimal = &y};
    }
    return value_compare_numbers(a, b);
}

static int compare_cells(const struct sort_cell *a, const struct sort_cell *b)
{
    if (a->kind != b->kind)
        return a->kind < b->kind ? -1 : 1;
    switch (a->kind) {
    case CELL_NUMBER:
        return compare_numbers(a->v, b->v);
    case CELL_IP:
        return a->ip->family != b->ip->family ? (a->ip->family < b->ip->family ? -1 : 1)
                                              : memcmp(a->ip->bytes, b->ip->bytes, 16);
    case CELL_TEXT:
        return slice_compare(a->text, b->text);
    case CELL_MISSING:
        break;
    }
    return 0;
}

const struct sort_cell *sort_cells(const struct sort_keys *keys, const struct batch *batch,
                                   struct arena *arena)
{
    uint32_t rows = batch->row_count;
    size_t width = keys->count;
    struct sort_cell *cells = arena_alloc(arena, ((size_t)rows * width + 1) * sizeof(*cells));
    for (size_t k = 0; cells && k < width; k++) {
        const struct column *column = batch_find(batch, keys->keys[k].field);
        uint32_t at = 0; /* columns' rows ascend */
        for (uint32_t row = 0; row < rows; row++) {
            while (column && at < column->count && column->rows[at] < row)
                at++;
            bool here = column && at < column->count && column->rows[at] == row;
            struct value v = here ? column_value(column, at) : value_null();
            if (fill_cell(keys->keys[k].kind, v, arena, &cells[row * width + k]) < 0)
                return NULL;
        }
    }
    return cells;
}

int sort_compare(const struct sort_keys *keys, const struct sort_cell *a,
                 const struct sort_cell *b)
{
    for (size_t i = 0; i < keys->count; i++) {
        int order = compare_cells(&a[i], &b[i]);
        if (order == 0)
            continue;
        bool missing = a[i].kind == CELL_MISSING || b[i].kind == CELL_MISSING;
        return keys->keys[i].descending && !missing ? -order : order;
    }
    return 0;
}

const struct sort_cell *sort_cell_at(const struct sort_keys *keys, const struct sort_cell *cells,
                                     uint32_t row)
{
    return cells + row * keys->count;
}

struct table {
    const struct sort_keys *keys;
    const struct sort_cell *cells; /* rows * keys */
};

static int by_keys(const void *a, const void *b, void *context)
{
    const struct table *table = context;
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    size_t width = table->keys->count;
    int order = sort_compare(table->keys, table->cells + x * width, table->cells + y * width);
    return order ? order : x < y ? -1 : x > y;
}

size_t sort_rows_bytes(const struct sort_keys *keys, uint64_t rows)
{
    return keys->count ? rows * (keys->count * sizeof(struct sort_cell) + sizeof(uint32_t)) : 0;
}

int sort_rows(const struct sort_keys *keys, const struct batch *batch, struct arena *arena,
              uint32_t **order)
{
    uint32_t rows = batch->row_count;
    struct table table = {keys, sort_cells(keys, batch, arena)};
    *order = arena_alloc(arena, (rows + 1U) * sizeof(**order));
    if (!table.cells || !*order)
        return -1;
    for (uint32_t row = 0; row < rows; row++)
        (*order)[row] = row;
    qsort_r(*order, rows, sizeof(**order), by_keys, &table);
    return 0;
}
