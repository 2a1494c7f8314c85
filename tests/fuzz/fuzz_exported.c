/* Lines of an export: whatever comes, it is refused or becomes a row; and what became a row is written so
 * that the same row comes back. */
#include "cut/exported_line.h"
#include "event/schema.h"
#include "export/export.h"

#include <assert.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int keep(void *context, struct slice bytes, struct err *err)
{
    (void)err;
    buffer_put(context, bytes);
    return 0;
}

/* The line as a row; NULL when it is none. */
static struct batch *read_line(struct slice line, struct json_scanner *scanner, struct err *err)
{
    struct json_tokens tokens;
    struct batch *batch = batch_new(BATCH_ARENA_MAX);
    int64_t time_ns = 0;
    assert(batch && batch_add_row(batch));
    if (json_scan(scanner, line, JSON_DEPTH_MAX, NULL, &tokens, err) == 0 && tokens.list[0].kind == JSON_OBJECT &&
        exported_line_put(&tokens, batch, 0, &time_ns, err) == 0 &&
        batch_put(batch, 0, FIELD_TIMESTAMP, value_time(time_ns)) == 0)
        return batch;
    batch_free(batch);
    return NULL;
}

static void write_line(const struct batch *batch, struct buffer *to)
{
    struct export_sink sink = {.write = keep, .context = to};
    struct export_writer *writer;
    struct err err;
    int result = export_writer_new(EXPORT_NDJSON, NULL, &sink, &writer, &err);
    assert(result == 0);
    result = export_writer_rows(writer, batch, NULL, &err);
    assert(result == 0 && export_writer_finish(writer, &err) == 0);
    export_writer_free(writer);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice line = slice_of(data, size);
    struct json_scanner *scanner = json_scanner_new();
    struct arena *arena = arena_new(64 * MIB);
    struct exported_head head;
    struct err err;
    err_clear(&err);
    if (exported_line_head(scanner, line, arena, &head, &err) < 0)
        assert(err.text[0]);
    struct batch *batch = read_line(line, scanner, &err);
    if (batch) {
        struct buffer once, twice;
        buffer_init(&once, GIB);
        buffer_init(&twice, GIB);
        write_line(batch, &once);
        struct batch *again = read_line(buffer_slice(&once), scanner, &err);
        assert(again);
        write_line(again, &twice);
        assert(slice_equal(buffer_slice(&once), buffer_slice(&twice)));
        batch_free(again);
        buffer_close(&once);
        buffer_close(&twice);
    }
    batch_free(batch);
    arena_free(arena);
    json_scanner_free(scanner);
    return 0;
}
