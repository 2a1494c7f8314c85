#include "search/commands/search_text.h"

bool search_text_field(struct slice name)
{
    return slice_is(name, "search") || slice_is(name, "query");
}

void search_text_quote(struct buffer *to, struct slice value)
{
    buffer_put_char(to, '"');
    for (size_t i = 0; i < value.len; i++) {
        if (value.ptr[i] == '"' || value.ptr[i] == '\\')
            buffer_put_char(to, '\\');
        buffer_put_char(to, value.ptr[i]);
    }
    buffer_put_char(to, '"');
}

void search_text_pair(struct buffer *to, struct slice name, struct slice value)
{
    if (search_text_field(name)) {
        buffer_put(to, value);
        return;
    }
    buffer_put(to, name);
    buffer_put_char(to, '=');
    search_text_quote(to, value);
}

int search_text_emit(struct stage *op, struct buffer *text, struct err *err)
{
    struct arena *arena = op->run->arena;
    struct batch *batch = frame_batch_new(arena, 1);
    struct slice copy = buffer_failed(text) ? SLICE_NONE : arena_copy(arena, buffer_slice(text));
    buffer_close(text);
    if (!batch || !copy.ptr || batch_put(batch, 0, SLICE("search"), value_string(copy)) < 0)
        return run_nomem(op->run, err);
    return stage_emit(op, batch, NULL, 1, err);
}
