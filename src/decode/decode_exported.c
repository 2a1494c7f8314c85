#include "decode/decode_exported.h"

#include "cut/exported_line.h"

bool decode_exported(struct run *run, struct event_row *row, struct slice line)
{
    struct batch *batch = run->batch;
    struct err *err = run->err;
    struct json_tokens tokens;
    err_clear(err);
    line = arena_copy(batch->arena, line);
    if (!line.ptr)
        return false;
    int result = json_cutter_scan(run->runner->json, line, NULL, &tokens, err);
    if (result == 0)
        result = exported_line_put(&tokens, batch, run->row, &row->time_ns, err);
    if (result == 0)
        return true;
    if (err->code == ERR_NOMEM)
        return false;
    /* It was read when it came, so the journal's bytes are not those: say so and keep what was read. */
    row->flags |= EVENT_DECODE_ERROR;
    struct slice why = arena_copy(batch->arena, slice_text(err->text));
    return why.ptr && batch_put_text(batch, run->row, "error.message", why) == 0;
}
