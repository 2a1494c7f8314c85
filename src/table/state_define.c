#include "table/state_define.h"

#include "base/duration.h"
#include "cut/yaml.h"
#include "expr/parse.h"

enum { TABLES_MAX = 256, FIELDS_MAX = 64, FEEDS_MAX = 1024 };

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

static bool keep_kind(struct slice name, enum keep_kind *out)
{
    static const char *const names[] = {"latest", "first_seen", "last_seen",
                                        "count",  "sum",        "mean"};
    for (size_t i = 0; i < ARRAY_COUNT(names); i++)
        if (slice_is(name, names[i])) {
            *out = (enum keep_kind)i;
            return true;
        }
    return false;
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
    if (table->field_count == FIELDS_MAX)
        return yaml_err(err, node, "a table keeps at most %d fields", FIELDS_MAX);
    table->fields[table->field_count++] = (struct state_field){name, kind, window_ns};
    return 0;
}

/* balance: {latest: wallet.chain_balance}     outflow: {sum: wallet.amount, over: 10m} */
static int parse_keep(struct loading *loading, struct state_table_definition *table,
                      struct state_feed *feed, const struct yaml_entry *entry, struct err *err)
{
    const struct yaml_node *how = entry->value;
    enum keep_kind kind;
    int64_t window_ns = 0;
    uint32_t index;
    if (how->kind != YAML_MAPPING || how->count == 0 || !keep_kind(how->entries[0].key->text, &kind))
        return yaml_err(err, how, "'%.*s' needs one of latest, first_seen, last_seen, count, sum, "
                        "mean, as in {latest: field}", SLICE_ARG(entry->key->text));
    if (kind >= KEEP_COUNT && !duration_parse(yaml_text(yaml_get(how, "over"), SLICE("")), &window_ns))
        return yaml_err(err, how, "'%.*s' needs a window, as in over: 10m",
                        SLICE_ARG(entry->key->text));
    if (add_field(table, entry->key->text, kind, window_ns, how, &index, err) < 0)
        return -1;
    if (kind == KEEP_LATEST || kind == KEEP_SUM || kind == KEEP_MEAN)
        return parse_expression(loading, how->entries[0].value, &feed->values[index], err);
    feed->values[index] = expr_constant(loading->arena, value_i64(1));
    return feed->values[index] ? 0 : err_nomem(err);
}

static int parse_feed(struct loading *loading, uint32_t table_index, const struct yaml_node *node,
                      struct err *err)
{
    struct state_definitions *definitions = loading->definitions;
    if (definitions->feed_count == FEEDS_MAX)
        return yaml_err(err, node, "more than %d feeds", FEEDS_MAX);
    struct state_feed *feed = &definitions->feeds[definitions->feed_count];
    feed->table = table_index;
    feed->values = arena_array(loading->arena, FIELDS_MAX, sizeof(*feed->values));
    if (!feed->values)
        return err_nomem(err);
    const struct yaml_node *keep = yaml_get(node, "keep");
    if (parse_expression(loading, yaml_get(node, "when"), &feed->when, err) < 0 ||
        parse_expression(loading, yaml_get(node, "key"), &feed->key, err) < 0)
        return err_within(err, "line %d: a feed needs when, key and keep", node->line);
    if (!keep || keep->kind != YAML_MAPPING)
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
    int64_t most = STATE_ENTRIES_MAX;
    if (!name.ptr || !feeds || feeds->kind != YAML_SEQUENCE)
        return yaml_err(err, node, "a state definition needs 'table' (its name) and 'from' (a list)");
    if (definitions->table_count == TABLES_MAX)
        return yaml_err(err, node, "more than %d tables", TABLES_MAX);
    for (uint32_t i = 0; i < definitions->table_count; i++)
        if (slice_equal(definitions->tables[i].name, name))
            return yaml_err(err, node, "the table '%.*s' is defined twice", SLICE_ARG(name));
    if (yaml_get(node, "entries_max") &&
        (!yaml_to_i64(yaml_get(node, "entries_max"), &most) || most < 1 || most > STATE_ENTRIES_MAX))
        return yaml_err(err, node, "entries_max is from 1 to %d", STATE_ENTRIES_MAX);
    uint32_t index = definitions->table_count++;
    struct state_table_definition *table = &definitions->tables[index];
    table->name = name;
    table->entries_max = (uint64_t)most;
    table->fields = arena_array(loading->arena, FIELDS_MAX, sizeof(*table->fields));
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
    loading.definitions->tables = arena_array(arena, TABLES_MAX, sizeof(*loading.definitions->tables));
    loading.definitions->feeds = arena_array(arena, FEEDS_MAX, sizeof(*loading.definitions->feeds));
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

void state_columns(const struct state_definitions *definitions, expr_field_visit visit, void *context, bool *all)
{
    for (size_t i = 0; i < definitions->feed_count; i++) {
        const struct state_feed *feed = &definitions->feeds[i];
        const struct state_table_definition *table = &definitions->tables[feed->table];
        expr_fields(feed->when, visit, context, all);
        expr_fields(feed->key, visit, context, all);
        for (uint32_t k = 0; k < table->field_count; k++)
            if (feed->values[k])
                expr_fields(feed->values[k], visit, context, all);
    }
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
