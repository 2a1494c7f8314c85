#include "cut/columns.h"

static uint64_t load64(const char *at)
{
    uint64_t n;
    memcpy(&n, at, 8);
    return n;
}

/* Of the length and both ends of the name; equal hashes only cost a comparison. */
static uint32_t guess_of(struct slice name)
{
    uint64_t h = name.len;
    if (name.len >= 8) {
        h ^= load64(name.ptr) * UINT64_C(0x9e3779b97f4a7c15);
        h ^= load64(name.ptr + name.len - 8) * UINT64_C(0xc2b2ae3d27d4eb4f);
    } else {
        for (size_t i = 0; i < name.len; i++)
            h = (h ^ (unsigned char)name.ptr[i]) * UINT64_C(0x100000001b3);
    }
    return (uint32_t)((h ^ (h >> 32)) * UINT64_C(0x9e3779b1) >> 12) & (COLUMNS_GUESSES - 1);
}

struct column *columns_look_up(struct columns *columns, struct batch *batch, struct slice name)
{
    struct column *last = columns->last;
    uint32_t *guess = &columns->guesses[guess_of(name)];
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
