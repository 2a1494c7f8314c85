#include "store/scan_survey.h"

#include "base/hash.h"
#include "base/limits.h"
#include "base/map.h"
#include "store/footers.h"
#include "store/scan_filter.h"
#include "store/scan_inside.h"

#include <stdlib.h>

struct survey {
    const struct snapshot *snapshot;
    const struct scan_request *request;
    struct arena *arena;   /* of the answer */
    struct arena *work, *scratch; /* of one block */
    struct map names;      /* columns that the request names */
    bool all;              /* of them */
    bool failed;           /* memory was out */
    struct scan_survey *out;
    size_t size; /* of out->blocks */
};

static void add_name(void *context, struct slice name)
{
    struct survey *survey = context;
    survey->failed |= map_put(&survey->names, name, NULL) < 0;
}

static int name_columns(struct survey *survey, struct err *err)
{
    const struct scan_request *request = survey->request;
    bool keyword = false;
    map_init(&survey->names, survey->arena);
    for (size_t i = 0; i < request->column_count; i++)
        add_name(survey, request->columns[i]);
    if (request->filter)
        expr_fields(request->filter, add_name, survey, &keyword);
    survey->all = request->all_columns || keyword;
    return survey->failed ? err_nomem(err) : 0;
}

/* How much of a block is inside the time range. */
static double share_in_time(const struct scan_request *request, int64_t low, int64_t high)
{
    if (scan_inside_time(request, low, high) || high <= low)
        return 1;
    double from = request->from_ns > low ? (double)request->from_ns : (double)low;
    double to = request->to_ns < high ? (double)request->to_ns : (double)high;
    return (to - from) / ((double)high - (double)low);
}

static int add_block(struct survey *survey, const struct survey_block *block, struct err *err)
{
    struct scan_survey *out = survey->out;
    if (out->count == survey->size) {
        size_t size = survey->size ? 2 * survey->size : 64;
        struct survey_block *grown = arena_grow(survey->arena, out->blocks,
                                                survey->size * sizeof(*grown), size * sizeof(*grown));
        if (!grown)
            return err_nomem(err);
        out->blocks = grown;
        survey->size = size;
    }
    out->blocks[out->count++] = *block;
    return 0;
}

static double named_bytes(const struct survey *survey, const struct segment *segment,
                          const struct segment_block *block)
{
    uint64_t bytes = 0;
    for (uint32_t i = 0; i < block->chunk_count; i++) {
        const struct chunk *chunk = &block->chunks[i];
        if (!survey->all && !map_has(&survey->names, segment_column_name(segment, chunk->column)))
            continue;
        for (uint32_t s = 0; s < chunk->stream_count; s++)
            bytes += chunk->streams[s].stored_len;
    }
    return (double)bytes;
}

static int survey_block(struct survey *survey, const struct segment *segment, uint32_t index,
                        uint64_t number, struct err *err)
{
    const struct scan_request *request = survey->request;
    const struct segment_block *block = segment_get_block(segment, index);
    if (!scan_in_time(request, block->time_min, block->time_max))
        return 0;
    arena_reset(survey->work);
    struct expr_scope scope = {.scratch = survey->scratch, .now_ns = request->now_ns};
    struct block_view view = {.store_id = survey->snapshot->store_id,
                              .arena = survey->work,
                              .scope = &scope};
    if (block_view_init(&view, segment, index, err) < 0)
        return -1;
    if (request->filter && !scan_filter_may_pass(&view, request->filter)) {
        survey->out->ruled_out++;
        return 0;
    }
    struct survey_block found = {
        .segment = number,
        .block = index,
        .rows = block->row_count * share_in_time(request, block->time_min, block->time_max),
        .bytes = named_bytes(survey, segment, block),
        .time_max = block->time_max,
        .group = hash_bytes(segment_get_facts(segment)->stream),
    };
    return add_block(survey, &found, err);
}

static int survey_segment(struct survey *survey, struct store_segment *from, struct err *err)
{
    struct segment *segment;
    struct err reason;
    int result = 0;
    err_clear(&reason);
    if (footers_open(from, &segment, &reason) < 0) {
        if (err)
            *err = reason;
        return scan_is_damage(&reason) ? 0 : -1;
    }
    for (uint32_t i = 0; result == 0 && i < segment_block_count(segment); i++)
        result = survey_block(survey, segment, i, from->info.number, err);
    survey->out->bytes_read += segment_bytes_read(segment);
    segment_close(segment);
    return result;
}

static int survey_table(struct survey *survey, size_t index, struct err *err)
{
    const struct snapshot_table *table = &survey->snapshot->tables[index];
    const struct mem_part *part = table->table->first;
    for (uint32_t i = 0; i < table->part_count; i++) {
        if (i)
            part = part->next; /* the last one's next is the writer's */
        if (!scan_in_time(survey->request, part->time_min, part->time_max))
            continue;
        struct survey_block found = {
            .block = scan_sample_part(survey->snapshot, table->table, i),
            .rows = part->row_count *
                    share_in_time(survey->request, part->time_min, part->time_max),
            .time_max = part->time_max,
            .group = hash_bytes(table->table->stream),
        };
        if (add_block(survey, &found, err) < 0)
            return -1;
    }
    return 0;
}

static int by_group(const void *a, const void *b)
{
    const struct survey_block *x = a, *y = b;
    if (x->group != y->group)
        return x->group < y->group ? -1 : 1;
    return (x->time_max > y->time_max) - (x->time_max < y->time_max);
}

static int survey_units(struct survey *survey, struct err *err)
{
    const struct snapshot *snapshot = survey->snapshot;
    size_t wanted = scan_unit_count(snapshot, survey->request);
    size_t step = wanted / SURVEY_SEGMENTS_MAX + 1, seen = 0;
    survey->out->each = (double)step;
    for (size_t i = 0; i < snapshot->segment_count; i++) {
        struct store_segment *segment = snapshot->segments[i];
        const struct segment_info *info = &segment->info;
        if (!scan_in_streams(survey->request, info->stream) ||
            !scan_in_time(survey->request, info->time_min, info->time_max) || seen++ % step)
            continue;
        if (survey_segment(survey, segment, err) < 0)
            return -1;
    }
    for (size_t i = 0; i < snapshot->table_count; i++)
        if (scan_in_streams(survey->request, snapshot->tables[i].table->stream) &&
            survey_table(survey, i, err) < 0)
            return -1;
    return 0;
}

int scan_survey(struct snapshot *snapshot, const struct scan_request *request, struct arena *arena,
                struct scan_survey *out, struct err *err)
{
    *out = (struct scan_survey){0};
    struct survey survey = {.snapshot = snapshot,
                            .request = request,
                            .arena = arena,
                            .work = arena_new(MEMORY_QUERY_MAX),
                            .scratch = arena_new(MEMORY_QUERY_MAX),
                            .out = out};
    int result = survey.work && survey.scratch ? name_columns(&survey, err) : err_nomem(err);
    if (result == 0)
        result = survey_units(&survey, err);
    arena_free(survey.work);
    arena_free(survey.scratch);
    if (out->count)
        qsort(out->blocks, out->count, sizeof(*out->blocks), by_group);
    return result;
}

/* ---- a sample ---------------------------------------------------------------------------- */

bool scan_sample_has(const struct scan_sample *sample, uint64_t segment, uint32_t block)
{
    for (size_t i = 0; sample && i < sample->count; i++)
        if (sample->blocks[i].segment == segment && sample->blocks[i].block == block)
            return true;
    return !sample;
}

bool scan_sample_has_segment(const struct scan_sample *sample, uint64_t segment)
{
    for (size_t i = 0; sample && i < sample->count; i++)
        if (sample->blocks[i].segment == segment)
            return true;
    return !sample;
}

uint32_t scan_sample_part(const struct snapshot *snapshot, const struct memtable *table,
                          uint32_t part)
{
    uint32_t before = 0;
    for (size_t i = 0; i < snapshot->table_count && snapshot->tables[i].table != table; i++)
        before += snapshot->tables[i].part_count;
    return before + part;
}
