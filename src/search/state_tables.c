#include "search/state_tables.h"

#include "base/limits.h"
#include "base/mem.h"
#include "base/time.h"
#include "table/state.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

static const char prefix[] = "state:";

bool state_tables_has(struct slice name)
{
    return slice_starts(name, slice_text(prefix));
}

static ptrdiff_t table_of(const struct state_definitions *definitions, struct slice table)
{
    struct slice name;
    for (size_t i = 0; (name = state_table_name(definitions, i)).ptr; i++)
        if (slice_equal(name, table))
            return (ptrdiff_t)i;
    return -1;
}

/* Those that begin as the name does come first; of more than a sentence holds, how many. */
static int no_table(const struct state_definitions *definitions, struct slice name, struct err *err)
{
    enum { LISTED = 256, MORE = 32 };
    char list[LISTED + MORE];
    size_t len = 0, left = 0;
    struct slice one, begin = slice_sub(name, sizeof(prefix) - 1, 2);
    list[0] = 0;
    for (int alike = 1; alike >= 0; alike--)
        for (size_t i = 0; (one = state_table_name(definitions, i)).ptr; i++) {
            if (slice_starts(one, begin) != alike)
                continue;
            if (left || len + one.len + sizeof(", state:") > LISTED)
                left++;
            else
                len += (size_t)snprintf(list + len, sizeof(list) - len, "%sstate:%.*s", len ? ", " : "", SLICE_ARG(one));
        }
    if (left)
        (void)snprintf(list + len, sizeof(list) - len, " and %zu more", left);
    return err_set(err, ERR_NOT_FOUND, "the rules keep no table %.*s; there are %s", SLICE_ARG(name),
                   list[0] ? list : "none");
}

/* ---- rows --------------------------------------------------------------------------------- */

struct keys {
    struct slice *list;
    size_t count, size;
    struct arena *arena;
    bool failed;
};

static bool take_key(void *context, struct slice key)
{
    struct keys *keys = context;
    if (keys->count == keys->size) {
        size_t size = keys->size ? 2 * keys->size : 256;
        struct slice *grown = arena_grow(keys->arena, keys->list, keys->size * sizeof(*grown),
                                         size * sizeof(*grown));
        keys->failed = !grown;
        if (!grown)
            return false;
        keys->list = grown;
        keys->size = size;
    }
    keys->list[keys->count] = arena_copy(keys->arena, key);
    keys->failed = !keys->list[keys->count++].ptr;
    return !keys->failed;
}

static int by_text(const void *a, const void *b)
{
    return slice_compare(*(const struct slice *)a, *(const struct slice *)b);
}

/* scratch: of its own, since an expression that asks for the table stands in the run's. */
static int put_field(struct run *run, struct state *state, const struct keys *keys,
                     struct slice table, struct slice field, int64_t time_ns,
                     struct arena *scratch, struct batch *batch)
{
    struct column *column = batch_column(batch, field);
    for (uint32_t row = 0; column && row < keys->count; row++) {
        struct value_list found;
        arena_reset(scratch);
        if (!state_read(state, table, keys->list[row], field, time_ns, scratch, &found))
            continue;
        for (uint32_t i = 0; i < found.count; i++) {
            struct value copy = value_copy(found.values[i], run->arena);
            if (copy.type != found.values[i].type || column_add(batch, column, row, copy) < 0)
                return -1;
        }
    }
    return column ? 0 : -1;
}

static int put_rows(struct run *run, struct state *state,
                    const struct state_definitions *definitions, int64_t time_ns,
                    struct batch **out, struct err *err)
{
    struct keys keys = {.arena = run->arena};
    struct slice table = state_table_name(definitions, 0), field;
    state_walk(state, table, take_key, &keys);
    if (keys.count)
        qsort(keys.list, keys.count, sizeof(*keys.list), by_text);
    struct batch *batch = keys.failed ? NULL : frame_batch_new(run->arena, (uint32_t)keys.count);
    struct column *column = batch ? batch_column(batch, SLICE("key")) : NULL;
    for (uint32_t row = 0; column && row < keys.count; row++)
        if (column_add(batch, column, row, value_string(keys.list[row])) < 0)
            column = NULL;
    struct arena *scratch = column ? arena_new(MIB) : NULL;
    bool whole = scratch != NULL;
    for (size_t i = 0; whole && (field = state_field_name(definitions, 0, i)).ptr; i++)
        whole = put_field(run, state, &keys, table, field, time_ns, scratch, batch) == 0;
    arena_free(scratch);
    *out = batch;
    return whole ? 0 : run_nomem(run, err);
}

/* Only the table that is asked for is loaded. */
static int load_rows(struct run *run, const struct state_definitions *definitions,
                     const struct state_copy *copy, struct batch **rows, struct err *err)
{
    struct state *state = state_new(definitions);
    int result = state ? 0 : err_nomem(err);
    if (result == 0 && copy->bytes.len)
        result = state_load(state, copy->bytes, err);
    if (result == 0)
        result = put_rows(run, state, definitions, copy->time_ns, rows, err);
    state_free(state);
    return result;
}

int state_tables_rows(struct run *run, struct slice name, struct batch **rows, struct err *err)
{
    const struct search_backend *backend = run->options->backend;
    const struct search_files *files = backend ? backend->files : NULL;
    struct slice table = slice_from(name, sizeof(prefix) - 1);
    struct state_copy copy = {0};
    char seen[TIME_TEXT_SIZE];
    if (!files || !files->states || !files->memory)
        return err_set(err, ERR_NOT_FOUND, "there is no table %.*s: what rules remember is in a data folder "
                                           "(--dir, or --data-dir with a folder memory)", SLICE_ARG(name));
    if (table_of(files->states->definitions, table) < 0)
        return no_table(files->states->definitions, name, err);
    struct arena *arena = arena_new(2 * CHECKPOINT_BYTES_MAX + 4 * MIB);
    const struct state_definitions *only =
        arena ? state_definitions_only(files->states->definitions, table, arena) : NULL;
    int result = only ? files->states->read(files->memory, arena, &copy, err) : err_nomem(err);
    if (result == 0)
        result = load_rows(run, only, &copy, rows, err);
    arena_free(arena);
    if (result < 0)
        return -1;
    if (!copy.bytes.len) {
        run_message(run, "state", NULL, false, "%.*s is empty: the rules have made no checkpoint yet",
                    SLICE_ARG(name));
        return 0;
    }
    time_format(copy.time_ns, seen);
    run_message(run, "state", NULL, false, "%.*s is what the rules remembered at the last checkpoint: of events up to %s, "
                "journal position %" PRIu64, SLICE_ARG(name), seen, copy.position);
    return 0;
}
