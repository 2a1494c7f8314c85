/* What is stored, through a what-if: only the columns that anything reads. */
#include "detect/rule_rows.h"
#include "serve/whatif.h"

enum { COLUMNS_BYTES = 64 * MIB };

struct wanted {
    struct arena *arena;
    struct map names;
    bool all, failed;
};

static void want(void *context, struct slice name)
{
    struct wanted *wanted = context;
    wanted->failed |= map_put(&wanted->names, name, wanted) < 0;
}

/* NULL with *count 0: all columns. */
static int columns_of(const struct rulebook *book, struct arena *arena, const struct slice **out, size_t *count, struct err *err)
{
    struct wanted wanted = {.arena = arena};
    struct rule_rows of_rules;
    size_t at = 0;
    *out = NULL;
    *count = 0;
    map_init(&wanted.names, arena);
    if (rule_rows_wanted(book->rules, book->state, arena, &of_rules, err) < 0)
        return -1;
    state_columns(book->state, want, &wanted, &wanted.all);
    whatif_fields(want, &wanted);
    for (size_t i = 0; i < of_rules.column_count; i++)
        want(&wanted, of_rules.columns[i]);
    if (wanted.all || !of_rules.columns)
        return wanted.failed ? err_nomem(err) : 0;
    struct slice *names = arena_array(arena, wanted.names.count, sizeof(*names));
    if (!names || wanted.failed)
        return err_nomem(err);
    for (const struct map_entry *entry; (entry = map_next(&wanted.names, &at));)
        names[(*count)++] = entry->key;
    *out = names;
    return 0;
}

struct walking {
    struct whatif *whatif;
    const struct whatif_walk *walk;
};

static int take(void *context, struct batch *batch, struct err *err)
{
    const struct walking *walking = context;
    if (walking->walk->cancel && atomic_load(walking->walk->cancel))
        return err_set(err, ERR_CANCELLED, "cancelled");
    return whatif_take(walking->whatif, batch, err);
}

static void reached(void *context, int64_t time_ns)
{
    const struct walking *walking = context;
    if (walking->walk->reached)
        walking->walk->reached(walking->walk->context, time_ns);
}

int whatif_walk(struct whatif *whatif, const struct whatif_walk *walk, struct history_stats *stats, struct err *err)
{
    struct walking walking = {whatif, walk};
    struct arena *arena = arena_new(COLUMNS_BYTES);
    struct history_request request = {.snapshot = walk->snapshot, .to_ns = walk->to_ns, .cancel = walk->cancel, .take = take,
                                      .reached = reached, .context = &walking};
    if (!arena)
        return err_nomem(err);
    if (walk->from_ns)
        request.from_ns = walk->from_ns > INT64_MIN + walk->learn_ns ? walk->from_ns - walk->learn_ns : INT64_MIN;
    int result = columns_of(whatif_book(whatif), arena, &request.columns, &request.column_count, err);
    if (result == 0 && !(request.filter = history_seen_by_rules(NULL, arena)))
        result = err_nomem(err);
    if (result == 0)
        result = history_walk(&request, stats, err);
    arena_free(arena);
    return result;
}
