/* Snapshots of state tables: no crash, and what loads is read, fed and saved, and loads again with the same rows. The first
 * byte chooses between snapshots as they are and rows, for which the head is made here, so that they get further. */
#include "base/clock.h"
#include "base/limits.h"
#include "base/mem.h"
#include "table/state.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define NOW_NS (INT64_C(1767268800) * NS_PER_SECOND)

static const struct state_definitions *definitions(void)
{
    static const struct state_definitions *loaded;
    static struct arena *arena; /* as long as the program */
    if (!arena)
        arena = arena_new(64 * MIB);
    assert(arena && (loaded || state_definitions_load("tests/fuzz/state_tables.yaml", arena, &loaded, NULL) == 0));
    return loaded;
}

/* A snapshot without rows, its head ending before the count of the first table's rows. */
static void put_rows(struct buffer *to, struct slice rows)
{
    enum { TAIL = 8 + 8 + 1 }; /* count and length of no rows, and the end */
    struct state *none = state_new(definitions());
    assert(none);
    state_save(none, to);
    state_free(none);
    to->len -= TAIL;
    buffer_put_le64(to, rows.len ? (unsigned char)rows.ptr[0] : 0);
    rows = slice_from(rows, 1);
    buffer_put_le64(to, rows.len);
    buffer_put(to, rows);
    buffer_put_block(to, SLICE(""));
}

struct reading {
    struct state *state;
    struct arena *arena;
};

static bool read_key(void *context, struct slice key)
{
    struct reading *reading = context;
    struct slice field;
    struct value_list found;
    for (size_t f = 0; (field = state_field_name(definitions(), 0, f)).ptr; f++)
        for (int i = 0; i < 3; i++) {
            static const int64_t times[] = {NOW_NS, INT64_MAX, INT64_MIN};
            arena_reset(reading->arena);
            (void)state_read(reading->state, SLICE("t"), key, field, times[i], reading->arena, &found);
        }
    return true;
}

/* An event for a key that is there, or another. */
static void feed(struct state *state, struct slice key, struct arena *arena)
{
    struct batch *batch = batch_new(16 * MIB);
    struct state_feed_rows rows;
    struct err err;
    assert(batch && batch_add_row(batch));
    struct expr_scope scope = {.scratch = arena, .now_ns = NOW_NS, .state = state_read, .state_context = state};
    arena_reset(arena);
    if (batch_put(batch, 0, SLICE("k"), value_string(key)) == 0 && batch_put(batch, 0, SLICE("v"), value_i64(-7)) == 0 &&
        state_select(definitions(), &scope, batch, &rows, &err) == 0)
        assert(state_observe(state, &scope, batch, 0, NOW_NS, &rows, &err) == 0);
    batch_free(batch);
}

static bool take_key(void *context, struct slice key)
{
    *(struct slice *)context = key;
    return false;
}

static void use(struct state *state)
{
    struct arena *arena = arena_new(64 * MIB);
    struct reading reading = {state, arena};
    struct slice key = SLICE("a");
    char copy[STATE_KEY_BYTES_MAX];
    assert(arena);
    state_walk(state, SLICE("t"), read_key, &reading);
    state_walk(state, SLICE("t"), take_key, &key);
    memcpy(copy, key.ptr, key.len);
    feed(state, slice_of(copy, key.len), arena);
    feed(state, SLICE("b"), arena);
    state_walk(state, SLICE("t"), read_key, &reading);
    arena_free(arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct buffer bytes, saved;
    struct slice given = slice_of((const char *)data, size);
    struct state *state = state_new(definitions()), *again = state_new(definitions());
    buffer_init(&bytes, 64 * MIB);
    buffer_init(&saved, 64 * MIB);
    assert(state && again);
    if (size && data[0] == 'r')
        put_rows(&bytes, slice_from(given, 1));
    else
        buffer_put(&bytes, slice_from(given, 1));
    if (state_load(state, buffer_slice(&bytes), NULL) == 0) {
        use(state);
        state_save(state, &saved);
        assert(!buffer_failed(&saved) && state_load(again, buffer_slice(&saved), NULL) == 0);
        assert(state_stats(again).keys == state_stats(state).keys);
    }
    buffer_close(&bytes);
    buffer_close(&saved);
    state_free(state);
    state_free(again);
    return 0;
}
