#include "cut/columns.h"

#include "base/hash.h"

struct column *columns_look_up(struct columns *columns, struct batch *batch, struct slice name)
{
    struct column *last = columns->last;
    uint32_t *guess = &columns->guesses[hash_ends(name) >> (32 - COLUMNS_GUESSES_LOG2)];
    struct column *column = *guess < batch->column_count ? batch->columns[*guess] : NULL;
    if (!column || !slice_equal_short(column->name, name)) {
        column = batch_column(batch, name);
        if (!column)
            return NULL;
        *guess = column->index;
    }
    if (last)
        last->next = column;
    columns->last = column;
    return column;
}
