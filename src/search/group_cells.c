#include "search/group_cells.h"

enum { CELLS_MAX = 65536, CELLS_FREE = 1024 };

/* More cells than rows would cost more than they save. */
static bool choose(struct cells *cells, const struct grouper *grouper, const struct frame *frame)
{
    uint64_t count = 1, most = (uint64_t)frame->batch->row_count + CELLS_FREE;
    for (size_t i = 0; i < grouper->field_count; i++) {
        const struct column *column = batch_find(frame->batch, grouper->fields[i]);
        if (column && column->count && (column->multi || !column->codes || !column->dict_count))
            return false;
        cells->columns[i] = column && column->count ? column : NULL;
        cells->sizes[i] = cells->columns[i] ? column->dict_count + 1 : 1;
        count *= cells->sizes[i];
        if (count > CELLS_MAX || count > most)
            return false;
    }
    cells->count = (uint32_t)count;
    return true;
}

static void add_codes(uint32_t *of_row, uint32_t row_count, const struct column *column,
                      uint32_t size)
{
    for (uint32_t row = 0; row < row_count; row++)
        of_row[row] *= size;
    if (column_is_dense(column, row_count))
        for (uint32_t row = 0; row < row_count; row++)
            of_row[row] += column->codes[row] + 1;
    else
        for (uint32_t i = 0; i < column->count; i++)
            of_row[column->rows[i]] += column->codes[i] + 1;
}

int cells_init(struct cells *cells, const struct grouper *grouper, const struct frame *frame)
{
    struct arena *arena = frame->batch->arena;
    uint32_t rows = frame->batch->row_count;
    if (!choose(cells, grouper, frame))
        return 0;
    cells->of_row = arena_calloc(arena, (rows + 1U) * sizeof(uint32_t));
    cells->groups = arena_alloc(arena, cells->count * sizeof(uint32_t));
    cells->tuple = arena_alloc(arena, (grouper->field_count + 1) * sizeof(struct value));
    if (!cells->of_row || !cells->groups || !cells->tuple)
        return -1;
    for (size_t i = 0; i < grouper->field_count; i++)
        if (cells->columns[i])
            add_codes(cells->of_row, rows, cells->columns[i], cells->sizes[i]);
    for (uint32_t i = 0; i < cells->count; i++)
        cells->groups[i] = GROUP_UNKNOWN;
    return 1;
}

static uint32_t find_group(struct cells *cells, struct grouper *grouper, uint32_t cell,
                           bool *failed)
{
    struct value *tuple = cells->tuple;
    for (size_t i = grouper->field_count; i-- > 0; cell /= cells->sizes[i]) {
        uint32_t code = cell % cells->sizes[i];
        tuple[i] = code ? cells->columns[i]->dict[code - 1] : value_null();
        if (tuple[i].type != VALUE_NULL)
            continue;
        if (!grouper_takes_null(grouper, i))
            return GROUP_NONE;
        tuple[i] = grouper->null_as;
    }
    uint32_t group = grouper_find(grouper, tuple);
    *failed |= group == GROUP_NONE;
    return group;
}

uint32_t cells_group(struct cells *cells, struct grouper *grouper, uint32_t cell, bool *failed)
{
    uint32_t *group = &cells->groups[cell];
    if (UNLIKELY(*group == GROUP_UNKNOWN))
        *group = find_group(cells, grouper, cell, failed);
    return *group;
}
