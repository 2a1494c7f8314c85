/* One tree, two evaluators: what the filter says of a batch is what the evaluator says of each row, and
 * what the filter says of each row alone. First line: the expression; the others: events as JSON. */
#include "base/bits.h"
#include "base/limits.h"
#include "cut/json_event.h"
#include "expr/parse.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { ROWS_MAX = 32 };

static struct expr_scope scope_of(struct arena *scratch)
{
    return (struct expr_scope){.scratch = scratch, .now_ns = INT64_C(1516925462000000000)};
}

/* TRUE or not; -1 when memory is out. */
static int by_eval(const struct expr *expr, const struct batch *batch, uint32_t row,
                   struct arena *scratch)
{
    struct value_list list;
    struct expr_scope scope = scope_of(scratch);
    if (expr_eval(expr, &scope, batch, row, &list, NULL) < 0)
        return -1;
    return list.count && list.values[0].type == VALUE_BOOL && list.values[0].boolean;
}

static int by_filter(const struct expr *expr, const struct batch *batch, uint64_t *out,
                     struct arena *scratch)
{
    struct expr_scope scope = scope_of(scratch);
    return expr_filter(expr, &scope, batch, NULL, out, NULL);
}

static void compare(const struct expr *expr, struct json_cutter *cutter, struct slice lines,
                    struct arena *scratch)
{
    struct batch *batch = batch_new(16 * MIB), *alone = batch_new(16 * MIB);
    struct slice all = lines, line;
    uint64_t together[1], single[1];
    unsigned flags = 0;
    while (batch && batch->row_count < ROWS_MAX && slice_next_line(&lines, &line))
        if (batch_add_row(batch))
            (void)!cut_json(cutter, line, SLICE(""), batch, batch->row_count - 1, &flags, NULL);
    bool ok = batch && alone && by_filter(expr, batch, together, scratch) == 0;
    for (uint32_t row = 0; ok && row < batch->row_count; row++) {
        int eval = by_eval(expr, batch, row, scratch);
        assert(eval < 0 || eval == bits_get(together, row));
        batch_reset(alone);
        if (!slice_next_line(&all, &line) || !batch_add_row(alone))
            break;
        (void)!cut_json(cutter, line, SLICE(""), alone, 0, &flags, NULL);
        if (by_filter(expr, alone, single, scratch) == 0)
            assert(bits_get(single, 0) == bits_get(together, row));
        arena_reset(scratch);
    }
    batch_free(batch);
    batch_free(alone);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice rest = slice_of((const char *)data, size), text;
    const struct expr *expr;
    if (size > 4096 || !slice_next_line(&rest, &text) || slice_find(text, SLICE("random")) >= 0)
        return 0;
    struct arena *arena = arena_new(16 * MIB), *scratch = arena_new(16 * MIB);
    struct json_cutter *cutter = json_cutter_new();
    if (arena && scratch && cutter && expr_parse(text, arena, &expr, NULL) == 0)
        compare(expr, cutter, rest, scratch);
    json_cutter_free(cutter);
    arena_free(arena);
    arena_free(scratch);
    return 0;
}
