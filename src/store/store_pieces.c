#include "store/store_state.h"

static int add_segment(const struct snapshot *snapshot, const struct store_segment *segment,
                       struct arena *arena, struct store_piece *out, struct err *err)
{
    const struct segment_info *info = &segment->info;
    char path[STORE_PATH_MAX];
    if (store_segment_path(snapshot->store, info, path, err) < 0)
        return -1;
    *out = (struct store_piece){.stream = arena_copy(arena, info->stream),
                                .path = arena_copy(arena, slice_text(path)),
                                .number = info->number,
                                .rows = info->rows,
                                .bytes = info->bytes,
                                .raw_bytes = info->raw_bytes,
                                .time_min = info->time_min,
                                .time_max = info->time_max,
                                .cold = info->place > 0};
    return out->stream.ptr && out->path.ptr ? 0 : err_nomem(err);
}

/* The parts that were published when the snapshot was taken. */
static int add_table(const struct snapshot_table *table, struct arena *arena,
                     struct store_piece *out, struct err *err)
{
    const struct mem_part *part = table->first;
    *out = (struct store_piece){.stream = arena_copy(arena, table->table->stream),
                                .time_min = INT64_MAX,
                                .time_max = INT64_MIN};
    for (uint32_t i = 0; i < table->part_count; i++, part = part->next) {
        out->rows += part->row_count;
        out->time_min = part->time_min < out->time_min ? part->time_min : out->time_min;
        out->time_max = part->time_max > out->time_max ? part->time_max : out->time_max;
    }
    return out->stream.ptr ? 0 : err_nomem(err);
}

int store_pieces(const struct snapshot *snapshot, struct arena *arena, struct store_piece **out,
                 size_t *count, struct err *err)
{
    struct store_piece *list =
        arena_array(arena, snapshot->segment_count + snapshot->table_count + 1, sizeof(*list));
    *out = list;
    *count = 0;
    if (!list)
        return err_nomem(err);
    for (size_t i = 0; i < snapshot->segment_count; i++)
        if (add_segment(snapshot, snapshot->segments[i], arena, &list[(*count)++], err) < 0)
            return -1;
    for (size_t i = 0; i < snapshot->table_count; i++)
        if (add_table(&snapshot->tables[i], arena, &list[(*count)++], err) < 0)
            return -1;
    return 0;
}
