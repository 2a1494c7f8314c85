#include "detect/route.h"

#include "base/mem.h"
#include "expr/function.h"

enum { KEY_BYTES_MAX = 2048 }; /* of what is remembered */

/* What the guards of a group say. */
struct verdict {
    uint64_t *guards;
    uint32_t number;
};

/* A set of values. */
struct told {
    const struct verdict *verdict; /* NULL until the guards have been asked */
};

/* Guards that are told by the same columns. */
struct guard_group {
    uint32_t *guards;
    uint32_t guard_count;
    struct slice *columns;
    uint32_t column_count;
    bool steady; /* the columns' values are all that matters */
    struct map told;     /* by values */
    struct map verdicts; /* by bits */
};

struct routes {
    struct routes_options options;
    struct arena *arena;   /* groups */
    struct arena *learnt;  /* told, verdicts, routes */
    struct buffer key;
    struct guard_group *groups;
    uint32_t group_count;
    uint32_t verdict_count;
    struct map by_verdicts; /* routes */
    struct route **list;
    uint32_t count, size;
    bool full;
};

/* ---- groups ---- */

/* Functions whose value depends on their arguments only. */
static bool is_steady_function(const struct expr_function *function)
{
    static const char *const names[] = {"lower", "upper", "isnull", "isnotnull", "coalesce", "like", "match",
                                        "len", "substr", "trim", "ltrim", "rtrim", "replace", "if", "case",
                                        "in", "cidrmatch", "tonumber", "tostring", "split", "mvindex", "mvcount"};
    for (size_t i = 0; i < ARRAY_COUNT(names); i++)
        if (slice_is(slice_text(names[i]), function->name))
            return true;
    return false;
}

static bool is_steady(const struct expr *expr)
{
    if (expr->kind == EXPR_KEYWORD || (expr->kind == EXPR_CALL && !is_steady_function(expr->function)))
        return false;
    for (size_t i = 0; i < expr->arg_count; i++)
        if (!is_steady(expr->args[i]))
            return false;
    return true;
}

struct gather {
    struct arena *arena;
    struct slice *names;
    uint32_t count, size;
    bool failed;
};

static void gather_name(void *context, struct slice name)
{
    struct gather *gather = context;
    for (uint32_t i = 0; i < gather->count; i++)
        if (slice_equal(gather->names[i], name))
            return;
    if (gather->count == gather->size) {
        uint32_t size = gather->size ? 2 * gather->size : 4;
        gather->names = arena_grow(gather->arena, gather->names, gather->size * sizeof(*gather->names),
                                   size * sizeof(*gather->names));
        gather->failed |= !gather->names;
        gather->size = gather->names ? size : 0;
        gather->count = gather->names ? gather->count : 0;
    }
    if (gather->size)
        gather->names[gather->count++] = name;
}

static bool shares_column(const struct guard_group *group, const struct gather *gather)
{
    for (uint32_t i = 0; i < group->column_count; i++)
        for (uint32_t j = 0; j < gather->count; j++)
            if (slice_equal(group->columns[i], gather->names[j]))
                return true;
    return false;
}

/* The columns of the group and these become one group's. */
static int join(struct routes *routes, struct guard_group *to, const struct guard_group *from)
{
    struct gather all = {routes->arena, to->columns, to->column_count, to->column_count, false};
    for (uint32_t i = 0; i < from->column_count; i++)
        gather_name(&all, from->columns[i]);
    uint32_t *guards =
        arena_array(routes->arena, to->guard_count + from->guard_count + 1UL, sizeof(*guards));
    if (all.failed || !guards)
        return -1;
    if (to->guard_count)
        memcpy(guards, to->guards, to->guard_count * sizeof(*guards));
    memcpy(guards + to->guard_count, from->guards, from->guard_count * sizeof(*guards));
    to->guards = guards;
    to->guard_count += from->guard_count;
    to->columns = all.names;
    to->column_count = all.count;
    return 0;
}

static int add_guard(struct routes *routes, uint32_t number)
{
    const struct expr *guard = routes->options.guards[number];
    struct gather gather = {.arena = routes->arena};
    struct guard_group one = {.guard_count = 1, .guards = arena_array(routes->arena, 1, sizeof(uint32_t))};
    bool all = false, steady = is_steady(guard);
    expr_fields(guard, gather_name, &gather, &all);
    if (gather.failed || !one.guards)
        return -1;
    one.guards[0] = number;
    one.columns = gather.names;
    one.column_count = gather.count;
    struct guard_group *home = NULL;
    for (uint32_t i = 0; i < routes->group_count; i++) {
        struct guard_group *group = &routes->groups[i];
        if (group->steady != steady || (steady && !shares_column(group, &gather)))
            continue;
        if (!home) {
            home = group;
        } else { /* this guard has columns of both */
            if (join(routes, home, group) < 0)
                return -1;
            *group = routes->groups[--routes->group_count];
            i--;
        }
    }
    if (!home) {
        home = &routes->groups[routes->group_count++];
        *home = (struct guard_group){.steady = steady};
    }
    return join(routes, home, &one);
}

static void forget(struct routes *routes)
{
    for (uint32_t i = 0; i < routes->group_count; i++) {
        map_init(&routes->groups[i].told, routes->learnt);
        map_init(&routes->groups[i].verdicts, routes->learnt);
    }
    map_init(&routes->by_verdicts, routes->learnt);
    routes->list = NULL;
    routes->count = routes->size = routes->verdict_count = 0;
    routes->full = false;
}

int routes_new(const struct routes_options *options, struct routes **out, struct err *err)
{
    *out = NULL;
    struct routes *routes = mem_calloc(1, sizeof(*routes));
    if (!routes)
        return err_nomem(err);
    routes->options = *options;
    buffer_init(&routes->key, MATCH_PLAN_BYTES_MAX);
    routes->arena = arena_new(MATCH_PLAN_BYTES_MAX);
    routes->learnt = arena_new(MATCH_PLAN_BYTES_MAX);
    if (routes->arena && routes->learnt)
        routes->groups = arena_array(routes->arena, options->guard_count + 1UL, sizeof(*routes->groups));
    int result = routes->groups ? 0 : -1;
    for (uint32_t i = 0; result == 0 && i < options->guard_count; i++)
        result = add_guard(routes, i);
    if (result < 0) {
        routes_free(routes);
        return err_nomem(err);
    }
    forget(routes);
    *out = routes;
    return 0;
}

void routes_free(struct routes *routes)
{
    if (!routes)
        return;
    buffer_close(&routes->key);
    arena_free(routes->arena);
    arena_free(routes->learnt);
    mem_free(routes);
}

bool routes_full(const struct routes *routes)
{
    return routes->full || routes->count > MATCH_ROUTES_MAX ||
           arena_used(routes->learnt) > MATCH_ROUTE_BYTES_MAX;
}

void routes_trim(struct routes *routes)
{
    if (!routes_full(routes))
        return;
    arena_reset(routes->learnt);
    forget(routes);
}

struct route *const *routes_list(const struct routes *routes, uint32_t *count)
{
    *count = routes->count;
    return routes->list;
}

/* ---- a batch ---- */

struct run {
    struct routes *routes;
    struct expr_scope *scope;
    const struct batch *batch;
    const struct verdict **verdicts; /* of the rows, group by group */
};

static size_t guard_words(const struct routes *routes)
{
    return bits_words(routes->options.guard_count);
}

/* Keys begin with the seed, so that nobody can write values that fall onto each other. */
static void begin_key(struct routes *routes)
{
    buffer_clear(&routes->key);
    buffer_put_le64(&routes->key, hash_seed);
}

static void put_value(struct buffer *to, const struct value *v)
{
    char small[VALUE_TEXT_SIZE];
    buffer_put_char(to, (char)v->type);
    if (v->type == VALUE_STRING || v->type == VALUE_IP || v->type == VALUE_DECIMAL)
        buffer_put_block(to, value_text_small(*v, small));
    else
        buffer_put_le64(to, (uint64_t)v->i64);
}

/* All values of the row in the columns; at: a place for each column, which moves forward. */
static void put_row(struct buffer *to, struct column *const *columns, uint32_t count, uint32_t *at,
                    uint32_t row)
{
    for (uint32_t i = 0; i < count; i++) {
        const struct column *column = columns[i];
        while (column && at[i] < column->count && column->rows[at[i]] < row)
            at[i]++;
        for (; column && at[i] < column->count && column->rows[at[i]] == row; at[i]++) {
            buffer_put_char(to, 1);
            put_value(to, &column->values[at[i]]);
        }
        buffer_put_char(to, 0);
    }
}

static const struct verdict *verdict_of(struct routes *routes, struct guard_group *group,
                                        uint64_t *const *answers, uint32_t row)
{
    size_t words = guard_words(routes);
    uint64_t *bits = arena_calloc(routes->learnt, words * 8 + 8);
    if (!bits)
        return NULL;
    for (uint32_t i = 0; i < group->guard_count; i++)
        if (bits_get(answers[i], row))
            bits_set(bits, group->guards[i]);
    void **slot = map_slot(&group->verdicts, slice_of(bits, words * 8 + 8));
    if (!slot)
        return NULL;
    if (*slot) {
        arena_give_back(routes->learnt, bits);
        return *slot;
    }
    struct verdict *verdict = arena_alloc(routes->learnt, sizeof(*verdict));
    if (!verdict)
        return NULL;
    *verdict = (struct verdict){bits, routes->verdict_count++};
    *slot = verdict;
    return verdict;
}

/* What each guard of the group says of the rows. */
static uint64_t **ask_guards(struct run *run, const struct guard_group *group, const uint64_t *rows,
                             struct err *err)
{
    size_t bytes = bits_words(run->batch->row_count) * 8 + 8;
    uint64_t **answers = arena_array(run->scope->scratch, group->guard_count + 1UL, sizeof(uint64_t *));
    for (uint32_t i = 0; answers && i < group->guard_count; i++) {
        answers[i] = arena_calloc(run->scope->scratch, bytes);
        if (!answers[i]) {
            err_nomem(err);
            return NULL;
        }
        if (expr_filter(run->routes->options.guards[group->guards[i]], run->scope, run->batch, rows,
                        answers[i], err) < 0)
            return NULL;
    }
    if (!answers)
        err_nomem(err);
    return answers;
}

static int judge_unsteady(struct run *run, struct guard_group *group, const struct verdict **verdicts,
                          struct err *err)
{
    uint64_t **answers = ask_guards(run, group, NULL, err);
    if (!answers)
        return -1;
    for (uint32_t row = 0; row < run->batch->row_count; row++)
        if (!(verdicts[row] = verdict_of(run->routes, group, answers, row)))
            return err_nomem(err);
    return 0;
}

/* The place of the values that routes->key has; *known is false when the guards are to be asked. */
static struct told *find_told(struct run *run, struct guard_group *group, bool *known)
{
    struct routes *routes = run->routes;
    struct slice key = buffer_slice(&routes->key);
    struct told *told = buffer_failed(&routes->key) ? NULL : map_find(&group->told, key);
    *known = told != NULL;
    if (told || buffer_failed(&routes->key))
        return told;
    if (key.len > KEY_BYTES_MAX || arena_used(routes->learnt) > MATCH_ROUTE_BYTES_MAX)
        return arena_calloc(run->scope->scratch, sizeof(*told));
    struct slice copy = arena_copy(routes->learnt, key);
    void **slot = copy.ptr ? map_slot(&group->told, copy) : NULL;
    told = slot ? arena_calloc(routes->learnt, sizeof(*told)) : NULL;
    if (told)
        *slot = told;
    return told;
}

/* Finds what is known of each row; rows of which nothing is known are set in unknown. */
static int look_up_rows(struct run *run, struct guard_group *group, struct told **told, uint64_t *unknown,
                        struct err *err)
{
    struct arena *scratch = run->scope->scratch;
    struct column **columns = arena_array(scratch, group->column_count + 1UL, sizeof(*columns));
    uint32_t *at = arena_array(scratch, group->column_count + 1UL, sizeof(*at));
    bool any = false, known;
    if (!columns || !at)
        return err_nomem(err);
    for (uint32_t i = 0; i < group->column_count; i++) {
        columns[i] = batch_find(run->batch, group->columns[i]);
        any |= columns[i] != NULL;
    }
    for (uint32_t row = 0; row < run->batch->row_count; row++) {
        if (row && !any) {
            told[row] = told[0];
            continue;
        }
        begin_key(run->routes);
        put_row(&run->routes->key, columns, group->column_count, at, row);
        told[row] = find_told(run, group, &known);
        if (!told[row])
            return err_nomem(err);
        if (!known)
            bits_set(unknown, row);
    }
    return 0;
}

static int judge_steady(struct run *run, struct guard_group *group, const struct verdict **verdicts,
                        struct err *err)
{
    uint32_t row_count = run->batch->row_count;
    struct told **told = arena_array(run->scope->scratch, row_count + 1UL, sizeof(*told));
    uint64_t *unknown = arena_calloc(run->scope->scratch, bits_words(row_count) * 8 + 8);
    if (!told || !unknown)
        return err_nomem(err);
    if (look_up_rows(run, group, told, unknown, err) < 0)
        return -1;
    if (bits_any(unknown, row_count)) {
        uint64_t **answers = ask_guards(run, group, unknown, err);
        if (!answers)
            return -1;
        for (size_t row = bits_next(unknown, row_count, 0); row < row_count;
             row = bits_next(unknown, row_count, row + 1))
            if (!(told[row]->verdict = verdict_of(run->routes, group, answers, (uint32_t)row)))
                return err_nomem(err);
    }
    for (uint32_t row = 0; row < row_count; row++)
        verdicts[row] = told[row]->verdict;
    return 0;
}

static int put_route(struct routes *routes, struct route *route)
{
    if (routes->count == routes->size) {
        uint32_t size = routes->size ? 2 * routes->size : 64;
        routes->list = arena_grow(routes->learnt, routes->list, routes->size * sizeof(*routes->list),
                                  size * sizeof(*routes->list));
        if (!routes->list)
            return -1;
        routes->size = size;
    }
    routes->list[routes->count++] = route;
    return routes->options.attach(routes->options.context, route, routes->learnt);
}

/* The route of the verdicts of all groups on one row. */
static struct route *route_of(struct run *run, uint32_t row)
{
    struct routes *routes = run->routes;
    uint32_t row_count = run->batch->row_count;
    begin_key(routes);
    for (uint32_t i = 0; i < routes->group_count; i++)
        buffer_put_le32(&routes->key, run->verdicts[(size_t)i * row_count + row]->number);
    if (buffer_failed(&routes->key))
        return NULL;
    struct route *route = map_find(&routes->by_verdicts, buffer_slice(&routes->key));
    if (route)
        return route;
    struct slice copy = arena_copy(routes->learnt, buffer_slice(&routes->key));
    void **slot = copy.ptr ? map_slot(&routes->by_verdicts, copy) : NULL;
    route = arena_calloc(routes->learnt, sizeof(*route));
    uint64_t *bits = arena_calloc(routes->learnt, guard_words(routes) * 8 + 8);
    if (!slot || !route || !bits)
        return NULL;
    for (uint32_t i = 0; i < routes->group_count; i++)
        bits_or(bits, run->verdicts[(size_t)i * row_count + row]->guards, routes->options.guard_count);
    route->guards = bits;
    if (put_route(routes, route) < 0)
        return NULL;
    *slot = route;
    return route;
}

static bool same_as_before(const struct run *run, uint32_t row)
{
    uint32_t row_count = run->batch->row_count;
    for (uint32_t i = 0; i < run->routes->group_count; i++)
        if (run->verdicts[(size_t)i * row_count + row] != run->verdicts[(size_t)i * row_count + row - 1])
            return false;
    return true;
}

int routes_run(struct routes *routes, struct expr_scope *scope, const struct batch *batch,
               struct route **of_row, struct err *err)
{
    struct run run = {.routes = routes, .scope = scope, .batch = batch};
    size_t cells = (size_t)batch->row_count * routes->group_count;
    run.verdicts = arena_array(scope->scratch, cells + 1, sizeof(*run.verdicts));
    int result = run.verdicts ? 0 : err_nomem(err);
    for (uint32_t i = 0; result == 0 && i < routes->group_count; i++) {
        struct guard_group *group = &routes->groups[i];
        const struct verdict **verdicts = run.verdicts + (size_t)i * batch->row_count;
        result = group->steady ? judge_steady(&run, group, verdicts, err)
                               : judge_unsteady(&run, group, verdicts, err);
    }
    for (uint32_t row = 0; result == 0 && row < batch->row_count; row++) {
        of_row[row] = row && same_as_before(&run, row) ? of_row[row - 1] : route_of(&run, row);
        if (!of_row[row])
            result = err_nomem(err);
        else
            of_row[row]->rows++;
    }
    routes->full |= result < 0; /* half of it may be missing */
    return result;
}
