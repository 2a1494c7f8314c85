#include "serve/row_visit.h"

#include "base/limits.h"
#include "base/time.h"
#include "event/schema.h"
#include "search/redecoded.h"
#include "search/store_backend.h"

#include <assert.h>

void looking_init(struct looking *looking, const struct server_parts *parts, struct arena *arena, int64_t seconds)
{
    *looking = (struct looking){.parts = parts, .arena = arena,
                                .until_ns = clock_mono_ns(parts->clock) + seconds * NS_PER_SECOND};
}

/* Any thread of a source asks this. */
static bool is_late(void *context)
{
    const struct looking *looking = context;
    return clock_mono_ns(looking->parts->clock) >= looking->until_ns;
}

bool looking_is_late(struct looking *looking)
{
    looking->late |= is_late(looking);
    return looking->late;
}

struct slice row_text(const struct batch *batch, uint32_t row, struct slice field)
{
    struct value v = batch_first(batch, row, field);
    return v.type == VALUE_STRING ? value_slice(v) : SLICE_NONE;
}

int64_t row_time(const struct batch *batch, uint32_t row, struct slice field)
{
    struct value v = batch_first(batch, row, field);
    return v.type == VALUE_TIME ? v.i64 : 0;
}

const struct expr *row_filter_source(struct arena *arena, const struct expr *filter, struct slice source,
                                     struct slice sender, struct slice path)
{
    const struct slice fields[] = {FIELD_SOURCE, FIELD_SENDER, FIELD_PATH}, texts[] = {source, sender, path};
    for (size_t i = 0; filter && i < ARRAY_COUNT(fields); i++) {
        if (!texts[i].ptr)
            continue;
        const struct expr *one = expr_test_new(arena, fields[i], texts[i].len ? TEST_EQUAL : TEST_NULL, TEST_CASED, texts[i]);
        filter = one ? expr_and(arena, filter, one) : NULL;
    }
    return filter;
}

/* The newest of a batch come last. 1: enough. */
static int visit_rows(const struct search_rows *rows, row_visit visit, void *context, struct err *err)
{
    for (uint32_t row = rows->batch->row_count; row-- > rows->first;) {
        if (rows->selected && !bits_get(rows->selected, row))
            continue;
        int result = visit(context, rows->batch, row, err);
        if (result)
            return result;
    }
    return 0;
}

static int visit_source(struct looking *looking, struct search_source *source, row_visit visit, void *context,
                        struct err *err)
{
    struct search_rows rows;
    int result = 0;
    assert(source->filtered);
    while (result == 0 && !looking_is_late(looking)) {
        int more = source->next(source->context, &rows, err);
        if (more < 0)
            return looking_is_late(looking) ? 0 : -1; /* it was told to stop */
        if (!more)
            return 0;
        result = visit_rows(&rows, visit, context, err);
    }
    return result < 0 ? -1 : 0;
}

int row_visit_each(struct looking *looking, const struct expr *filter, const struct slice *columns,
                   size_t column_count, row_visit visit, void *context, struct err *err)
{
    struct store_backend backend;
    struct search_source source = {0};
    store_backend_init(&backend, looking->parts->store, looking->parts->clock, NULL);
    backend.backend.redecoder = looking->parts->redecoder;
    const struct search_request request = {.from_ns = looking->from_ns ? looking->from_ns : INT64_MIN,
                                           .to_ns = looking->to_ns ? looking->to_ns : INT64_MAX,
                                           .columns = columns,
                                           .column_count = column_count,
                                           .filter = filter,
                                           .newest_first = true,
                                           .threads = 1,
                                           .memory_max = MEMORY_QUERY_MAX,
                                           .now_ns = clock_wall_ns(looking->parts->clock),
                                           .clock = looking->parts->clock,
                                           .stop = is_late,
                                           .stop_context = looking};
    if (redecoded_open(&backend.backend, &request, looking->arena, &source, err) < 0)
        return looking_is_late(looking) ? 0 : -1;
    int result = visit_source(looking, &source, visit, context, err);
    source.close(source.context);
    return result;
}
