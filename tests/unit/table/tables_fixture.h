#pragma once
/* State tables from a text, events with a few fields, and what expressions read of them. */
#include "test.h"

#include "base/limits.h"
#include "base/mem.h"
#include "base/time.h"
#include "expr/parse.h"
#include "table/state.h"
#include "../folder.h"

#include <stdio.h>
#include <string.h>

struct tables {
    struct arena *arena, *scratch;
    const struct state_definitions *definitions;
    struct state *state;
    struct batch *batch;
};

static inline int tables_define(const char *yaml, struct arena *arena, const struct state_definitions **out, struct err *err)
{
    char dir[64], path[96];
    folder_make(dir);
    (void)snprintf(path, sizeof(path), "%s/t.yaml", dir);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_true(fputs(yaml, file) >= 0);
    assert_int_equal(fclose(file), 0);
    int result = state_definitions_load(dir, arena, out, err);
    unlink(path);
    folder_remove(dir);
    return result;
}

static inline void tables_open(struct tables *t, const char *yaml)
{
    struct err err;
    *t = (struct tables){.arena = arena_new(16 * MIB), .scratch = arena_new(16 * MIB), .batch = batch_new(16 * MIB)};
    assert_true(t->arena && t->scratch && t->batch);
    if (tables_define(yaml, t->arena, &t->definitions, &err) < 0)
        fail_msg("%s", err.text);
    t->state = state_new(t->definitions);
    assert_non_null(t->state);
}

static inline void tables_close(struct tables *t)
{
    state_free(t->state);
    batch_free(t->batch);
    arena_free(t->scratch);
    arena_free(t->arena);
}

/* What the next event has. */
static inline void tables_put(struct tables *t, const char *field, struct value v)
{
    if (t->batch->row_count == 0)
        assert_non_null(batch_add_row(t->batch));
    assert_int_equal(batch_put(t->batch, 0, slice_text(field), value_copy(v, t->batch->arena)), 0);
}

static inline void tables_put_text(struct tables *t, const char *field, const char *text)
{
    tables_put(t, field, value_string(slice_text(text)));
}

static inline struct expr_scope tables_scope(const struct tables *t, int64_t now_ns)
{
    return (struct expr_scope){.scratch = t->scratch, .now_ns = now_ns, .state = state_read, .state_context = t->state};
}

/* The event happens. */
static inline void tables_observe(struct tables *t, int64_t time_ns)
{
    struct err err;
    struct state_feed_rows rows;
    struct expr_scope when = {.scratch = t->scratch}, scope = tables_scope(t, time_ns);
    arena_reset(t->scratch);
    if (state_select(t->definitions, &when, t->batch, &rows, &err) < 0 ||
        state_observe(t->state, &scope, t->batch, 0, time_ns, &rows, &err) < 0)
        fail_msg("%s", err.text);
    batch_reset(t->batch);
}

/* Values joined with commas, "-" when there is none; valid until the next call. */
static inline const char *tables_read(struct tables *t, const char *table, const char *key, const char *field, int64_t now_ns)
{
    static char text[STATE_VALUES_MAX * 64];
    struct value_list found;
    size_t len = 0;
    arena_reset(t->scratch);
    if (!state_read(t->state, slice_text(table), slice_text(key), slice_text(field), now_ns, t->scratch, &found))
        return "-";
    for (uint32_t i = 0; i < found.count; i++) {
        struct slice one = value_text(found.values[i], t->scratch);
        len += (size_t)snprintf(text + len, sizeof(text) - len, "%s%.*s", i ? "," : "", SLICE_ARG(one));
        assert_true(len < sizeof(text));
    }
    return text;
}

/* Saved, forgotten and loaded again, for these definitions. */
static inline void tables_again(struct tables *t, const struct state_definitions *definitions)
{
    struct buffer bytes;
    struct err err;
    buffer_init(&bytes, 256 * MIB);
    state_save(t->state, &bytes);
    assert_false(buffer_failed(&bytes));
    assert_int_equal(bytes.len, state_saved_bytes(t->state));
    state_free(t->state);
    t->definitions = definitions;
    t->state = state_new(definitions);
    assert_non_null(t->state);
    if (state_load(t->state, buffer_slice(&bytes), &err) < 0)
        fail_msg("%s", err.text);
    buffer_close(&bytes);
}
