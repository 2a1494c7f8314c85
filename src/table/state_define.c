#include "table/state_define.h"

#include "base/duration.h"
#include "cut/yaml.h"
#include "expr/parse.h"

/* By enum keep_kind. */
static const struct keep {
    const char *name;
    bool window; /* needs "over" */
    bool member; /* needs "by" */
    bool plain;  /* takes true, not an expression */
} keeps[KEEP_KINDS] = {
    [KEEP_LATEST] = {"latest", false, false, false},      [KEEP_FIRST_SEEN] = {"first_seen", false, false, true},
    [KEEP_LAST_SEEN] = {"last_seen", false, false, true}, [KEEP_COUNT] = {"count", true, false, true},
    [KEEP_SUM] = {"sum", true, false, false},             [KEEP_MEAN] = {"mean", true, false, false},
    [KEEP_DISTINCT] = {"distinct", true, false, false},   [KEEP_VALUES] = {"values", true, false, false},
    [KEEP_MIN] = {"min", true, false, false},             [KEEP_MAX] = {"max", true, false, false},
    [KEEP_EARLIEST] = {"earliest", false, false, false},  [KEEP_TOTAL] = {"total", false, true, false},
};

bool keep_kind_has_window(enum keep_kind kind)
{
    return keeps[kind].window;
}

struct loading {
    struct arena *arena;
    struct state_definitions *definitions;
};

static int parse_expression(struct loading *loading, const struct yaml_node *node,
                            const struct expr **out, struct err *err)
{
    struct slice text = yaml_text(node, SLICE_NONE);
    if (!text.ptr)
        return yaml_err(err, node, "an expression is needed here");
    if (expr_parse(text, loading->arena, out, err) == 0)
        return 0;
    return err_within(err, "line %d", node->line);
}

/* Every key of a mapping must be known: one that is misspelt would do nothing. */
static int only_keys(const struct yaml_node *node, const char *const *keys, size_t count, const char *what, struct err *err)
{
    if (node->kind != YAML_MAPPING)
        return yaml_err(err, node, "%s is a mapping", what);
    for (size_t i = 0; i < node->count; i++) {
        bool known = false;
        for (size_t k = 0; k < count; k++)
            known |= slice_is(node->entries[i].key->text, keys[k]);
        if (!known)
            return yaml_err(err, node->entries[i].key, "%s has no '%.*s'", what, SLICE_ARG(node->entries[i].key->text));
    }
    return 0;
}

static int add_field(struct state_table_definition *table, struct slice name, enum keep_kind kind,
                     int64_t window_ns, const struct yaml_node *node, uint32_t *index,
                     struct err *err)
{
    for (*index = 0; *index < table->field_count; ++*index) {
        const struct state_field *field = &table->fields[*index];
        if (!slice_equal(field->name, name))
            continue;
        if (field->kind != kind || field->window_ns != window_ns)
            return yaml_err(err, node, "'%.*s' is kept in two different ways", SLICE_ARG(name));
        return 0;
    }
    if (table->field_count == STATE_FIELDS_MAX)
        return yaml_err(err, node, "a table keeps at most %d fields", STATE_FIELDS_MAX);
    table->fields[table->field_count++] = (struct state_field){name, kind, window_ns};
    return 0;
}

/* The one kind that a field names. */
static int find_kind(const struct yaml_node *how, struct slice field, enum keep_kind *kind,
                     const struct yaml_node **value, struct err *err)
{
    *value = NULL;
    for (size_t i = 0; how->kind == YAML_MAPPING && i < how->count; i++) {
        struct slice name = how->entries[i].key->text;
        size_t k = 0;
        while (k < KEEP_KINDS && !slice_is(name, keeps[k].name))
            k++;
        if (k == KEEP_KINDS && !slice_is(name, "over") && !slice_is(name, "by"))
            return yaml_err(err, how->entries[i].key, "'%.*s' is no way to keep '%.*s'", SLICE_ARG(name), SLICE_ARG(field));
        if (k == KEEP_KINDS)
            continue;
        if (*value)
            return yaml_err(err, how, "'%.*s' is kept in two ways; give each a field of its own", SLICE_ARG(field));
        *kind = (enum keep_kind)k;
        *value = how->entries[i].value;
    }
    return *value ? 0
                  : yaml_err(err, how, "'%.*s' needs one of latest, earliest, first_seen, last_seen, count, sum, mean, "
                                       "min, max, distinct, values, total, as in {latest: field}", SLICE_ARG(field));
}

static int parse_window(const struct yaml_node *how, struct slice field, enum keep_kind kind, int64_t *window_ns,
                        struct err *err)
{
    const struct yaml_node *over = yaml_get(how, "over"), *by = yaml_get(how, "by");
    *window_ns = 0;
    if (keeps[kind].window && !duration_parse(yaml_text(over, SLICE("")), window_ns))
        return yaml_err(err, over ? over : how, "'%.*s' needs a window, as in over: 10m", SLICE_ARG(field));
    if (!keeps[kind].window && over)
        return yaml_err(err, over, "'%.*s' has no window: %s is of all time", SLICE_ARG(field), keeps[kind].name);
    if (keeps[kind].member && !by)
        return yaml_err(err, how, "'%.*s' needs what it adds up, as in by: wallet.address", SLICE_ARG(field));
    if (!keeps[kind].member && by)
        return yaml_err(err, by, "'%.*s' has no members: only total knows by", SLICE_ARG(field));
    return 0;
}

/* balance: {latest: wallet.chain_balance}     outflow: {sum: wallet.amount, over: 10m} */
static int parse_keep(struct loading *loading, struct state_table_definition *table,
                      struct state_feed *feed, const struct yaml_entry *entry, struct err *err)
{
    const struct yaml_node *how = entry->value, *value;
    struct slice name = entry->key->text;
    enum keep_kind kind = KEEP_KINDS;
    int64_t window_ns;
    uint32_t index;
    bool yes = false;
    if (find_kind(how, name, &kind, &value, err) < 0 || parse_window(how, name, kind, &window_ns, err) < 0 ||
        add_field(table, name, kind, window_ns, how, &index, err) < 0)
        return -1;
    if (keeps[kind].member && parse_expression(loading, yaml_get(how, "by"), &feed->members[index], err) < 0)
        return -1;
    if (!keeps[kind].plain)
        return parse_expression(loading, value, &feed->values[index], err);
    if (!yaml_to_bool(value, &yes) || !yes)
        return yaml_err(err, value, "'%.*s' is kept with %s: true", SLICE_ARG(name), keeps[kind].name);
    feed->values[index] = expr_constant(loading->arena, value_i64(1));
    return feed->values[index] ? 0 : err_nomem(err);
}

/* What a feed looks at: when, if and key. */
static int parse_conditions(struct loading *loading, struct state_feed *feed, const struct yaml_node *node,
                            struct err *err)
{
    const struct yaml_node *when = yaml_get(node, "when"), *condition = yaml_get(node, "if");
    if (parse_expression(loading, when, &feed->when, err) < 0 ||
        parse_expression(loading, yaml_get(node, "key"), &feed->key, err) < 0)
        return err_within(err, "line %d: a feed needs when, key and keep", node->line);
    if (expr_calls(feed->when, "state"))
        return yaml_err(err, when, "'when' is asked of many events at once and cannot read state(); 'if' can");
    return condition ? parse_expression(loading, condition, &feed->condition, err) : 0;
}

static int parse_feed(struct loading *loading, uint32_t table_index, const struct yaml_node *node,
                      struct err *err)
{
    static const char *const keys[] = {"when", "if", "key", "keep"};
    struct state_definitions *definitions = loading->definitions;
    if (definitions->feed_count == STATE_FEEDS_MAX)
        return yaml_err(err, node, "more than %d feeds", STATE_FEEDS_MAX);
    if (only_keys(node, keys, ARRAY_COUNT(keys), "a feed", err) < 0)
        return -1;
    struct state_feed *feed = &definitions->feeds[definitions->feed_count];
    feed->table = table_index;
    feed->values = arena_array(loading->arena, STATE_FIELDS_MAX, sizeof(*feed->values));
    feed->members = arena_array(loading->arena, STATE_FIELDS_MAX, sizeof(*feed->members));
    if (!feed->values || !feed->members)
        return err_nomem(err);
    if (parse_conditions(loading, feed, node, err) < 0)
        return -1;
    const struct yaml_node *keep = yaml_get(node, "keep");
    if (!keep || keep->kind != YAML_MAPPING || keep->count == 0)
        return yaml_err(err, node, "a feed needs 'keep' with at least one field");
    for (size_t i = 0; i < keep->count; i++)
        if (parse_keep(loading, &definitions->tables[table_index], feed, &keep->entries[i], err) < 0)
            return -1;
    definitions->feed_count++;
    return 0;
}

static int parse_table(void *context, const struct yaml_node *node, struct err *err)
{
    struct loading *loading = context;
    struct state_definitions *definitions = loading->definitions;
    struct slice name = yaml_text(yaml_get(node, "table"), SLICE_NONE);
    const struct yaml_node *feeds = yaml_get(node, "from");
    static const char *const keys[] = {"table", "entries_max", "from"};
    int64_t most = STATE_ENTRIES_DEFAULT;
    if (!name.ptr || !feeds || feeds->kind != YAML_SEQUENCE)
        return yaml_err(err, node, "a state definition needs 'table' (its name) and 'from' (a list)");
    if (only_keys(node, keys, ARRAY_COUNT(keys), "a state definition", err) < 0)
        return -1;
    if (definitions->table_count == STATE_TABLES_MAX)
        return yaml_err(err, node, "more than %d tables", STATE_TABLES_MAX);
    for (uint32_t i = 0; i < definitions->table_count; i++)
        if (slice_equal(definitions->tables[i].name, name))
            return yaml_err(err, node, "the table '%.*s' is defined twice", SLICE_ARG(name));
    const struct yaml_node *given = yaml_get(node, "entries_max");
    if (given && (!yaml_to_i64(given, &most) || most < 1 || most > STATE_ENTRIES_MAX))
        return yaml_err(err, given, "entries_max is from 1 to %d", STATE_ENTRIES_MAX);
    uint32_t index = definitions->table_count++;
    struct state_table_definition *table = &definitions->tables[index];
    table->name = name;
    table->entries_max = (uint64_t)most;
    table->fields = arena_array(loading->arena, STATE_FIELDS_MAX, sizeof(*table->fields));
    if (!table->fields)
        return err_nomem(err);
    for (size_t i = 0; i < feeds->count; i++)
        if (parse_feed(loading, index, feeds->entries[i].value, err) < 0)
            return -1;
    return 0;
}

int state_definitions_load(const char *path, struct arena *arena,
                           const struct state_definitions **out, struct err *err)
{
    struct loading loading = {.arena = arena};
    *out = NULL;
    loading.definitions = arena_calloc(arena, sizeof(*loading.definitions));
    if (!loading.definitions)
        return err_nomem(err);
    loading.definitions->tables = arena_array(arena, STATE_TABLES_MAX, sizeof(*loading.definitions->tables));
    loading.definitions->feeds = arena_array(arena, STATE_FEEDS_MAX, sizeof(*loading.definitions->feeds));
    if (!loading.definitions->tables || !loading.definitions->feeds)
        return err_nomem(err);
    if (path && yaml_walk(path, arena, parse_table, &loading, err) < 0)
        return -1;
    *out = loading.definitions;
    return 0;
}

struct slice state_table_name(const struct state_definitions *definitions, size_t table)
{
    return table < definitions->table_count ? definitions->tables[table].name : SLICE_NONE;
}

struct slice state_field_name(const struct state_definitions *definitions, size_t table,
                              size_t field)
{
    const struct state_table_definition *from = &definitions->tables[table];
    return field < from->field_count ? from->fields[field].name : SLICE_NONE;
}

const struct state_definitions *
state_definitions_only(const struct state_definitions *definitions, struct slice table,
                       struct arena *arena)
{
    struct state_definitions *only = arena_calloc(arena, sizeof(*only));
    for (uint32_t i = 0; only && i < definitions->table_count; i++)
        if (slice_equal(definitions->tables[i].name, table)) {
            only->tables = &definitions->tables[i];
            only->table_count = 1;
        }
    return only;
}

/* Visits what an expression reads, if there is one. */
static void columns_of(const struct expr *expr, expr_field_visit visit, void *context, bool *all)
{
    if (expr)
        expr_fields(expr, visit, context, all);
}

void state_observe_columns(const struct state_definitions *definitions, expr_field_visit visit, void *context, bool *all)
{
    for (size_t i = 0; i < definitions->feed_count; i++) {
        const struct state_feed *feed = &definitions->feeds[i];
        columns_of(feed->condition, visit, context, all);
        columns_of(feed->key, visit, context, all);
        for (uint32_t k = 0; k < definitions->tables[feed->table].field_count; k++) {
            columns_of(feed->values[k], visit, context, all);
            columns_of(feed->members ? feed->members[k] : NULL, visit, context, all);
        }
    }
}

void state_columns(const struct state_definitions *definitions, expr_field_visit visit, void *context, bool *all)
{
    for (size_t i = 0; i < definitions->feed_count; i++)
        expr_fields(definitions->feeds[i].when, visit, context, all);
    state_observe_columns(definitions, visit, context, all);
}

int state_wanted(const struct state_definitions *definitions, struct arena *arena,
                 const struct expr **out)
{
    *out = NULL;
    for (size_t i = 0; i < definitions->feed_count; i++)
        if (!(*out = expr_or(arena, *out, definitions->feeds[i].when)))
            return -1;
    return 0;
}
