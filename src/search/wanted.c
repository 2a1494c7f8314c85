#include "search/wanted.h"

#include "search/lexer.h"

static char yes, no;

void wanted_init(struct wanted *wanted, struct arena *arena, bool all)
{
    *wanted = (struct wanted){.arena = arena, .all = all};
    map_init(&wanted->names, arena);
}

static void set(struct wanted *wanted, struct slice name, bool on)
{
    struct slice copy = arena_copy(wanted->arena, name);
    if (!copy.ptr || map_put(&wanted->names, copy, on ? &yes : &no) < 0)
        wanted->failed = wanted->all = true;
}

void wanted_add(struct wanted *wanted, struct slice name)
{
    if (slice_find_char(name, '*') >= 0)
        wanted->all = true;
    else
        set(wanted, name, true);
}

void wanted_add_list(struct wanted *wanted, const struct field_list *list)
{
    for (size_t i = 0; i < list->count; i++)
        wanted_add(wanted, list->names[i]);
}

static void visit(void *context, struct slice name)
{
    set(context, name, true);
}

void wanted_add_expr(struct wanted *wanted, const struct expr *expr)
{
    bool all = false;
    if (!expr)
        return;
    expr_fields(expr, visit, wanted, &all);
    wanted->all |= all;
}

void wanted_drop(struct wanted *wanted, struct slice name)
{
    if (wanted_has(wanted, name) && !wanted->all)
        set(wanted, name, false);
}

void wanted_reset(struct wanted *wanted)
{
    if (!wanted->failed)
        wanted_init(wanted, wanted->arena, false);
}

static bool is_listed(const struct field_list *list, struct slice name)
{
    for (size_t i = 0; i < list->count; i++)
        if (slice_matches_stars(name, list->names[i]))
            return true;
    return false;
}

void wanted_only(struct wanted *wanted, const struct field_list *list,
                 bool (*internal)(struct slice name))
{
    const struct map_entry *entry;
    for (size_t at = 0; !wanted->all && (entry = map_next(&wanted->names, &at));)
        if (entry->value == &yes && !is_listed(list, entry->key) &&
            !(internal && internal(entry->key)))
            set(wanted, entry->key, false);
}

bool wanted_has(const struct wanted *wanted, struct slice name)
{
    return wanted->all || map_find(&wanted->names, name) == &yes;
}

struct slice *wanted_names(const struct wanted *wanted, size_t *count)
{
    struct slice *names = arena_array(wanted->arena, wanted->names.count + 1, sizeof(*names));
    const struct map_entry *entry;
    *count = 0;
    if (!names || wanted->failed)
        return NULL;
    for (size_t at = 0; (entry = map_next(&wanted->names, &at));)
        if (wanted_has(wanted, entry->key))
            names[(*count)++] = entry->key;
    return names;
}

/* Backward over the commands. */
void wanted_collect(struct wanted *wanted, const struct spl_command *command)
{
    if (!command)
        return;
    wanted_collect(wanted, command->next);
    if (command->inlines)
        wanted->all = true;
    else if (command->descriptor && command->descriptor->want)
        command->descriptor->want(command, wanted);
}
