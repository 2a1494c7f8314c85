#include "search/store_backend.h"

#include "base/mem.h"
#include "event/schema.h"
#include "search/lexer.h"
#include "store/scan_pool.h"
#include "store/scan_survey.h"

#include <unistd.h>

struct reading {
    struct store_backend *backend;
    struct snapshot *snapshot;
    struct scan_pool *scan;
    struct batch **empty; /* one a part, for blocks of which no column was wanted */
    uint32_t parts;
};

static int give(const struct reading *reading, uint32_t part, const struct scan_rows *rows,
                struct search_rows *out)
{
    *out = (struct search_rows){.batch = rows->batch,
                                .selected = rows->selected,
                                .weights = rows->weights,
                                .later_max = rows->later_max,
                                .first = rows->first};
    if (!rows->batch) {
        reading->empty[part]->row_count = rows->row_count;
        out->batch = reading->empty[part];
    }
    return 1;
}

static int next(void *context, struct search_rows *out, struct err *err)
{
    struct reading *reading = context;
    struct scan_rows rows = {0};
    int got = scan_pool_next(reading->scan, &rows, err);
    return got > 0 ? give(reading, 0, &rows, out) : got;
}

static int next_part(void *context, uint32_t part, struct search_rows *out, struct err *err)
{
    struct reading *reading = context;
    struct scan_rows rows = {0};
    int got = scan_pool_part(reading->scan, part, &rows, err);
    return got > 0 ? give(reading, part, &rows, out) : got;
}

static void put_back(void *context, uint32_t part, uint32_t row)
{
    const struct reading *reading = context;
    scan_pool_put_back(reading->scan, part, row);
}

static int make_empty(struct reading *reading, struct err *err)
{
    reading->parts = scan_pool_parts(reading->scan);
    reading->empty = mem_calloc(reading->parts, sizeof(struct batch *));
    for (uint32_t i = 0; reading->empty && i < reading->parts; i++)
        if (!(reading->empty[i] = batch_new(1 * MIB)))
            return err_nomem(err);
    return reading->empty ? 0 : err_nomem(err);
}

static void close_reading(void *context)
{
    struct reading *reading = context;
    if (reading->scan && scan_pool_stats(reading->scan)->damage_count)
        reading->backend->damaged = true;
    scan_pool_close(reading->scan);
    store_snapshot_release(reading->snapshot);
    for (uint32_t i = 0; reading->empty && i < reading->parts; i++)
        batch_free(reading->empty[i]);
    mem_free(reading->empty);
    mem_free(reading);
}

static const struct scan_stats *stats_of(void *context)
{
    const struct reading *reading = context;
    return scan_pool_stats(reading->scan);
}

/* Streams with a star are asked for by a filter on their column. */
static bool names_streams(const struct search_request *request)
{
    for (size_t i = 0; i < request->index_count; i++)
        if (slice_find_char(request->indexes[i], '*') >= 0)
            return false;
    return request->index_count > 0;
}

/* index=* and no index at all leave internal streams (_*) out; a star behind _ asks for them. */
static int stream_filter(const struct search_request *request, struct arena *arena,
                         const struct expr **filter, struct err *err)
{
    const struct expr *any = NULL;
    for (size_t i = 0; i < request->index_count; i++) {
        const struct expr *one =
            spl_comparison(arena, FIELD_STREAM, SLICE("="), request->indexes[i], 0);
        any = !one ? NULL : any ? expr_or(arena, any, one) : one;
        if (!any)
            return err_nomem(err);
        if (request->indexes[i].ptr[0] == '_') {
            *filter = *filter ? expr_and(arena, *filter, any) : any;
            return *filter ? 0 : err_nomem(err);
        }
    }
    const struct expr *internal = expr_test_new(arena, FIELD_STREAM, TEST_PREFIX, 0, SLICE("_"));
    const struct expr *open = internal ? expr_not(arena, internal) : NULL;
    if (any && open)
        open = expr_and(arena, any, open);
    *filter = *filter && open ? expr_and(arena, *filter, open) : open;
    return *filter ? 0 : err_nomem(err);
}

/* More than this are sorted out by the search itself. */
enum { NEWEST_ROWS_MAX = 65536 };

static uint32_t newest_rows(const struct search_request *request)
{
    return request->newest_first && request->rows_enough <= NEWEST_ROWS_MAX
               ? (uint32_t)request->rows_enough
               : 0;
}

int store_backend_scan(const struct store_backend *backend, const struct search_request *request,
                       struct arena *arena, struct scan_request *out, struct err *err)
{
    bool named = names_streams(request);
    *out = (struct scan_request){
        .from_ns = request->from_ns,
        .to_ns = request->to_ns,
        .streams = named ? request->indexes : NULL,
        .stream_count = named ? request->index_count : 0,
        .columns = request->columns,
        .column_count = request->column_count,
        .all_columns = request->all_columns,
        .late_column = request->late_column,
        .late_match = {.machine = request->late_machine, .whole = request->late_whole},
        .codes_only = request->codes_only,
        .filter = request->filter,
        .minutes = request->minutes,
        .newest_first = request->newest_first,
        .newest_rows = newest_rows(request),
        .memory_max = backend->memory_max ? backend->memory_max : request->memory_max,
        .cancel = backend->cancel,
        .clock = backend->clock,
        .now_ns = request->now_ns,
        .rand = request->rand,
        .zone = request->zone,
        .stop = request->stop,
        .stop_context = request->stop_context,
        .sample = request->sample,
    };
    return named ? 0 : stream_filter(request, arena, &out->filter, err);
}

static int open_source(void *context, const struct search_request *request, struct arena *arena,
                       struct search_source *out, struct err *err)
{
    struct store_backend *backend = context;
    struct scan_request scan;
    struct reading *reading = mem_calloc(1, sizeof(*reading));
    if (!reading)
        return err_nomem(err);
    reading->backend = backend;
    reading->snapshot = store_snapshot(backend->store);
    struct store_stats stats;
    store_stats(backend->store, &stats);
    int result = reading->snapshot ? 0 : err_nomem(err);
    if (result == 0)
        result = store_backend_scan(backend, request, arena, &scan, err);
    if (result == 0)
        result = scan_pool_open(reading->snapshot, &scan,
                                request->threads ? request->threads : backend->threads,
                                &reading->scan, err);
    if (result == 0)
        result = make_empty(reading, err);
    if (result < 0) {
        close_reading(reading);
        return -1;
    }
    *out = (struct search_source){.next = next,
                                  .next_part = next_part,
                                  .put_back = put_back,
                                  .parts = reading->parts,
                                  .close = close_reading,
                                  .stats = stats_of,
                                  .context = reading,
                                  .filtered = true,
                                  .sweeps = request->newest_first,
                                  .rows_total = stats.segment_rows + stats.memory_rows,
                                  .kind = "store"};
    return 0;
}

static int survey(void *context, const struct search_request *request, struct arena *arena,
                  struct scan_survey *out, struct err *err)
{
    struct store_backend *backend = context;
    struct snapshot *snapshot = store_snapshot(backend->store);
    struct scan_request scan;
    int result = snapshot ? store_backend_scan(backend, request, arena, &scan, err) : err_nomem(err);
    if (result == 0)
        result = scan_survey(snapshot, &scan, arena, out, err);
    store_snapshot_release(snapshot);
    return result;
}

static int pieces(void *context, struct arena *arena, struct search_piece **out, size_t *count,
                  struct err *err)
{
    struct store_backend *backend = context;
    struct snapshot *snapshot = store_snapshot(backend->store);
    struct store_piece *list;
    int result = snapshot ? store_pieces(snapshot, arena, &list, count, err) : err_nomem(err);
    store_snapshot_release(snapshot);
    if (result < 0)
        return -1;
    *out = arena_array(arena, *count + 1, sizeof(**out));
    for (size_t i = 0; *out && i < *count; i++)
        (*out)[i] = (struct search_piece){.index = list[i].stream,
                                          .path = list[i].path,
                                          .state = !list[i].path.ptr ? "hot"
                                                   : list[i].cold    ? "cold"
                                                                     : "warm",
                                          .number = list[i].number,
                                          .rows = list[i].rows,
                                          .bytes = list[i].bytes,
                                          .raw_bytes = list[i].raw_bytes,
                                          .from_ns = list[i].time_min,
                                          .to_ns = list[i].time_max};
    return *out ? 0 : err_nomem(err);
}

void store_backend_init(struct store_backend *backend, struct store *store,
                        const struct hin_clock *clock, const atomic_bool *cancel)
{
    long cpus = sysconf(_SC_NPROCESSORS_ONLN);
    *backend = (struct store_backend){.store = store,
                                      .clock = clock,
                                      .cancel = cancel,
                                      .threads = cpus > 0 ? (uint32_t)cpus : 1};
    backend->backend = (struct search_backend){
        .open = open_source, .context = backend, .pieces = pieces, .survey = survey};
}
