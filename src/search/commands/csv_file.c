#include "search/commands/csv_file.h"

#include "base/csv_cell.h"
#include "base/file.h"
#include "base/io.h"
#include "search/search_files.h"
#include "search/table_source.h"

#include <sys/stat.h>

#define MV_PREFIX SLICE("__mv_")

int csv_file_path(struct run *run, struct slice name, struct slice *out, struct err *err)
{
    const struct search_backend *backend = run->options->backend;
    const struct search_files *files = backend ? backend->files : NULL;
    if (!files || !files->csv)
        return err_set(err, ERR_CONFIG, "there is no folder for CSV files here");
    if (!search_file_name_is_safe(name))
        return err_set(err, ERR_CONFIG,
                       "\"%.*s\" cannot be the name of a CSV file: it names a file in the folder csv, "
                       "without / and without a dot before it",
                       SLICE_ARG(name));
    bool ending = slice_find_char(name, '.') >= 0;
    *out = arena_printf(run->arena, "%s/%.*s%s", files->csv, SLICE_ARG(name), ending ? "" : ".csv");
    struct stat about;
    if (out->ptr && lstat(out->ptr, &about) == 0 && !S_ISREG(about.st_mode))
        return err_set(err, ERR_CONFIG, "%.*s is no plain file", SLICE_ARG(*out));
    return out->ptr ? 0 : run_nomem(run, err);
}

/* $a$;$b$ as values of the row. */
static int put_values(struct batch *batch, struct column *to, uint32_t row, struct slice text)
{
    while (text.len && text.ptr[0] == '$') {
        char *value = arena_alloc(batch->arena, text.len + 1);
        size_t len = 0, at = 1;
        for (; value && at < text.len; at++) {
            if (text.ptr[at] == '$' && (at + 1 >= text.len || text.ptr[at + 1] != '$'))
                break;
            value[len++] = text.ptr[at];
            at += text.ptr[at] == '$';
        }
        if (!value || column_add(batch, to, row, value_string(slice_of(value, len))) < 0)
            return -1;
        text = slice_from(text, at + 2);
    }
    return 0;
}

/* The column again with the values of its __mv_ twin where there are some. */
static int restore(struct frame *frame, const struct column *twin)
{
    struct slice name = spl_field_alias(slice_from(twin->name, MV_PREFIX.len));
    const struct column *old = batch_find(frame->batch, name);
    struct column *to = frame_column(frame, name);
    for (uint32_t row = 0; to && row < frame->batch->row_count; row++) {
        struct slice text = rows_text(column_first(twin, row), frame->batch->arena);
        uint32_t first = 0, count = old && !text.ptr ? column_range(old, row, &first) : 0;
        if (text.ptr && put_values(frame->batch, to, row, text) < 0)
            return -1;
        for (uint32_t k = 0; k < count; k++)
            if (column_add(frame->batch, to, row, column_value(old, first + k)) < 0)
                return -1;
    }
    return to ? frame_put(frame, to) : -1;
}

int csv_file_read(struct run *run, struct slice path, struct batch **out, struct err *err)
{
    struct arena *arena = run->arena;
    struct batch *raw = frame_batch_new(arena, 0), *rows = frame_batch_new(arena, 0);
    struct frame frame;
    struct slice text;
    if (!raw || !rows)
        return run_nomem(run, err);
    if (file_read(path.ptr, TABLE_BYTES_MAX, arena, &text, err) < 0 ||
        table_read(SLICE(".csv"), text, raw, err) < 0)
        return -1;
    if (table_adopt(raw, rows) < 0 || frame_share(&frame, rows, NULL, arena) < 0)
        return run_nomem(run, err);
    struct column **kept = arena_array(arena, rows->column_count + 1U, sizeof(*kept));
    uint32_t count = 0;
    for (uint32_t c = 0; kept && c < rows->column_count; c++)
        if (slice_starts(rows->columns[c]->name, MV_PREFIX) && restore(&frame, rows->columns[c]) < 0)
            return run_nomem(run, err);
    for (uint32_t c = 0; kept && c < frame.batch->column_count; c++)
        if (!slice_starts(frame.batch->columns[c]->name, MV_PREFIX))
            kept[count++] = frame.batch->columns[c];
    if (!kept || frame_keep(&frame, kept, count) < 0)
        return run_nomem(run, err);
    *out = frame.batch;
    return 0;
}

static void put_cell(struct run *run, struct buffer *to, struct buffer *cell,
                     const struct column *column, uint32_t row, bool twin)
{
    uint32_t first, count = column_range(column, row, &first);
    buffer_clear(cell);
    for (uint32_t k = 0; k < (twin && count < 2 ? 0 : count); k++) {
        struct slice text = rows_text(column_value(column, first + k), run->scratch);
        buffer_put_text(cell, !k ? "" : twin ? ";" : "\n");
        buffer_put_text(cell, twin ? "$" : "");
        for (size_t i = 0; i < text.len; i++) {
            buffer_put_char(cell, text.ptr[i]);
            if (twin && text.ptr[i] == '$')
                buffer_put_char(cell, '$');
        }
        buffer_put_text(cell, twin ? "$" : "");
    }
    to->failed |= buffer_failed(cell);
    csv_put_cell(to, buffer_slice(cell), true); /* read by us again: values stay as they are */
}

static void put_rows(struct run *run, struct buffer *to, const struct batch *rows)
{
    struct buffer cell;
    buffer_init(&cell, 64 * MIB);
    for (uint32_t c = 0; c < rows->column_count; c++) {
        struct slice name = spl_field_shown(rows->columns[c]->name, NULL);
        buffer_put_text(to, c ? "," : "");
        csv_put_cell(to, name, true);
        if (rows->columns[c]->multi)
            buffer_printf(to, ",\"__mv_%.*s\"", SLICE_ARG(name));
    }
    buffer_put_text(to, "\r\n");
    for (uint32_t row = 0; row < rows->row_count; row++) {
        if (row % 64 == 0)
            arena_reset(run->scratch);
        for (uint32_t c = 0; c < rows->column_count; c++) {
            buffer_put_text(to, c ? "," : "");
            put_cell(run, to, &cell, rows->columns[c], row, false);
            if (!rows->columns[c]->multi)
                continue;
            buffer_put_text(to, ",");
            put_cell(run, to, &cell, rows->columns[c], row, true);
        }
        buffer_put_text(to, "\r\n");
    }
    buffer_close(&cell);
}

int csv_file_write(struct run *run, struct slice path, const struct batch *rows, struct err *err)
{
    const struct hin_io *io = io_real();
    struct buffer text;
    buffer_init(&text, TABLE_BYTES_MAX);
    put_rows(run, &text, rows);
    int result = buffer_failed(&text)
                     ? err_set(err, ERR_LIMIT, "a CSV file can have %zu MiB; keep fewer rows or fields",
                               TABLE_BYTES_MAX / MIB)
                     : run->options->trial ? 0
                     : io_make_dirs(io, run->options->backend->files->csv, err);
    if (result == 0 && !run->options->trial)
        result = io_replace_file(io, path.ptr, buffer_slice(&text), err);
    buffer_close(&text);
    return result;
}
