#include "search/redecoded.h"

#include "base/mem.h"
#include "event/redecode.h"
#include "event/schema.h"
#include "search/wanted.h"
#include "store/scan.h"

struct redecoded {
    const struct redecoder *redecoder;
    struct search_request request; /* of the search */
    struct search_source current, older;
    struct redecoding *redecoding;
    struct redecode_request again; /* the older source's batch */
    uint32_t row;                  /* of it, behind what was decoded */
    bool current_done;
    struct expr_scope scope;
    struct arena *scratch; /* of the filter */
    uint64_t *selected;
    struct scan_stats stats;
};

static void close_source(struct search_source *source)
{
    if (source->close)
        source->close(source->context);
    source->close = NULL;
}

static void close_redecoded(void *context)
{
    struct redecoded *r = context;
    close_source(&r->current);
    close_source(&r->older);
    r->redecoder->end(r->redecoding);
    arena_free(r->scratch);
}

static const struct scan_stats *stats_of(void *context)
{
    struct redecoded *r = context;
    r->stats = (struct scan_stats){0};
    for (int i = 0; i < 2; i++) {
        const struct search_source *one = i ? &r->older : &r->current;
        const struct scan_stats *stats = one->stats ? one->stats(one->context) : NULL;
        if (stats)
            scan_stats_add(&r->stats, stats);
    }
    r->stats.regex_limits += r->scope.regex_limits;
    return &r->stats;
}

/* The next events of the older source, decoded; no rows: there are no more. */
static int next_older(struct redecoded *r, const struct batch **out, struct err *err)
{
    for (;;) {
        if (r->again.from) {
            if (r->redecoder->next(r->redecoding, &r->again, &r->row, out, err) < 0)
                return -1;
            if ((*out)->row_count)
                return 0;
        }
        struct search_rows rows;
        int more = r->older.next(r->older.context, &rows, err);
        if (more < 0)
            return -1;
        if (!more) {
            static const struct batch none;
            *out = &none;
            return 0;
        }
        r->again.from = rows.batch;
        r->again.selected = rows.selected;
        r->row = 0;
    }
}

static int next(void *context, struct search_rows *out, struct err *err)
{
    struct redecoded *r = context;
    const struct batch *batch = NULL;
    if (!r->current_done) {
        int more = r->current.next(r->current.context, out, err);
        if (more)
            return more;
        r->current_done = true;
    }
    for (;;) {
        if (next_older(r, &batch, err) < 0)
            return -1;
        if (!batch->row_count)
            return 0;
        arena_reset(r->scratch);
        r->selected = arena_array(r->scratch, bits_words(batch->row_count), sizeof(*r->selected));
        if (!r->selected)
            return err_nomem(err);
        if (!r->request.filter)
            bits_fill(r->selected, batch->row_count);
        else if (expr_filter(r->request.filter, &r->scope, batch, NULL, r->selected, err) < 0)
            return -1;
        if (bits_any(r->selected, batch->row_count))
            break;
    }
    *out = (struct search_rows){.batch = batch, .selected = r->selected, .later_max = INT64_MAX};
    return 1;
}

/* ---- opening ---- */

/* Which events older decoders took. */
static const struct expr *older_filter(const struct redecoder *redecoder, struct arena *arena)
{
    const struct expr *any = NULL;
    for (size_t i = 0; i < redecoder->group_count; i++) {
        const struct redecode_group *group = &redecoder->groups[i];
        const struct expr *one =
            expr_test_new(arena, FIELD_DECODER, group->prefix.ptr ? TEST_PREFIX : TEST_NULL, TEST_CASED,
                          group->prefix.ptr ? group->prefix : SLICE(""));
        const struct expr *current =
            group->current.ptr
                ? expr_test_new(arena, FIELD_DECODER, TEST_EQUAL, TEST_CASED, group->current)
                : NULL;
        const struct expr *other = current ? expr_not(arena, current) : NULL;
        if (!one || (group->current.ptr && !other))
            return NULL;
        one = other ? expr_and(arena, one, other) : one;
        any = one && any ? expr_or(arena, any, one) : one;
        if (!any)
            return NULL;
    }
    return any;
}

const struct expr *redecoded_filter(const struct search_backend *backend,
                                    const struct search_request *request, struct arena *arena,
                                    bool *failed)
{
    const struct redecoder *redecoder = backend->redecoder;
    *failed = false;
    if (!redecoder || !redecoder->group_count || !request->filter)
        return request->filter;
    const struct expr *older = older_filter(redecoder, arena);
    const struct expr *either = older ? expr_or(arena, request->filter, older) : NULL;
    *failed = !either;
    return either;
}

/* 1 when the range has such events. */
static int has_older(const struct search_backend *backend, const struct search_request *request,
                     const struct expr *older, struct arena *arena, struct err *err)
{
    struct search_request ask = *request;
    struct search_source source = {0};
    struct search_rows rows;
    ask.columns = &(struct slice){0};
    ask.column_count = 0;
    ask.all_columns = ask.codes_only = ask.minutes = ask.newest_first = false;
    ask.late_column = SLICE_NONE;
    ask.rows_enough = 0;
    ask.filter = older;
    ask.threads = 1;
    if (backend->open(backend->context, &ask, arena, &source, err) < 0)
        return -1;
    int more = source.next(source.context, &rows, err);
    close_source(&source);
    return more;
}

/* What is read of older events: for the search, its filter and the decoders. */
static int ask_older(struct redecoded *r, const struct expr *older, struct search_request *ask,
                     struct arena *arena, struct err *err)
{
    struct wanted wanted;
    wanted_init(&wanted, arena, r->request.all_columns);
    for (size_t i = 0; i < r->request.column_count; i++)
        wanted_add(&wanted, r->request.columns[i]);
    wanted_add_expr(&wanted, r->request.filter);
    r->again.names = wanted.all ? NULL : wanted_names(&wanted, &r->again.name_count);
    if (!wanted.all && !r->again.names)
        return err_nomem(err);
    for (size_t i = 0; i < r->redecoder->need_count; i++)
        wanted_add(&wanted, slice_text(r->redecoder->needs[i]));
    *ask = r->request;
    ask->filter = older;
    ask->all_columns = wanted.all;
    ask->columns = wanted_names(&wanted, &ask->column_count);
    ask->late_column = SLICE_NONE;
    ask->codes_only = ask->minutes = ask->newest_first = false;
    ask->rows_enough = 0;
    return ask->columns ? 0 : err_nomem(err);
}

static int open_both(const struct search_backend *backend, struct redecoded *r, const struct expr *older,
                     struct arena *arena, struct err *err)
{
    struct search_request current = r->request, ask;
    const struct expr *rest = expr_not(arena, older);
    current.filter = rest ? expr_and(arena, r->request.filter, rest) : NULL;
    r->scratch = arena_new(MEMORY_QUERY_MAX);
    r->redecoding = r->redecoder->begin(r->redecoder);
    if (!current.filter || !r->scratch || !r->redecoding)
        return err_nomem(err);
    r->scope = (struct expr_scope){.scratch = r->scratch,
                                   .now_ns = r->request.now_ns,
                                   .clock = r->request.clock,
                                   .rand = r->request.rand,
                                   .zone = r->request.zone,
                                   .stop = r->request.stop,
                                   .stop_context = r->request.stop_context};
    if (ask_older(r, older, &ask, arena, err) < 0 ||
        backend->open(backend->context, &current, arena, &r->current, err) < 0 ||
        backend->open(backend->context, &ask, arena, &r->older, err) < 0)
        return -1;
    /* rows of older decoders are told apart by the source alone */
    return r->current.filtered && r->older.filtered
               ? 0
               : err_set(err, ERR_CONFIG, "events of older decoders can only be read from a store");
}

int redecoded_open(const struct search_backend *backend, const struct search_request *request,
                   struct arena *arena, struct search_source *out, struct err *err)
{
    const struct redecoder *redecoder = backend->redecoder;
    if (!redecoder || !redecoder->group_count)
        return backend->open(backend->context, request, arena, out, err);
    const struct expr *older = older_filter(redecoder, arena);
    struct redecoded *r = arena_calloc(arena, sizeof(*r));
    if (!older || !r)
        return err_nomem(err);
    int has = has_older(backend, request, older, arena, err);
    if (has < 0)
        return -1;
    if (!has)
        return backend->open(backend->context, request, arena, out, err);
    r->redecoder = redecoder;
    r->request = *request;
    if (open_both(backend, r, older, arena, err) < 0) {
        close_redecoded(r);
        return -1;
    }
    *out = (struct search_source){.next = next,
                                  .close = close_redecoded,
                                  .stats = stats_of,
                                  .context = r,
                                  .filtered = true,
                                  .rows_total = r->current.rows_total,
                                  .kind = "store; what older decoders took is decoded again"};
    return 0;
}
