#include "detect/sigma_item.h"
#include "expr/parse.h"

enum { VALUES_MAX = 100000 };

enum sigma_outcome sigma_refuse(struct sigma_context *context, const struct yaml_node *node,
                                 const char *text)
{
    yaml_err(context->err, node, context->key.len ? "%.*s: %s" : "%.*s%s", SLICE_ARG(context->key), text);
    return SIGMA_ERROR;
}

enum sigma_outcome sigma_no_memory(struct sigma_context *context)
{
    err_nomem(context->err);
    return SIGMA_ERROR;
}

/* ---- one value against one column ---- */

/* What startswith and endswith add to a pattern. */
static struct slice placed_pattern(struct arena *arena, enum place place, struct slice pattern)
{
    return place == PLACE_STARTS ? arena_printf(arena, "\\A(?:%.*s)", SLICE_ARG(pattern))
           : place == PLACE_ENDS ? arena_printf(arena, "(?:%.*s)\\z", SLICE_ARG(pattern))
                                 : pattern;
}

static enum sigma_outcome regex_value(struct sigma_context *context, const struct item *item,
                                      struct slice column, const struct yaml_node *node,
                                      const struct expr **out)
{
    unsigned flags = item->regex_flags | REGEX_TEXT;
    struct slice pattern = placed_pattern(context->arena, item->place, node->text);
    struct expr *test = pattern.ptr || !node->text.ptr
                            ? expr_test_new(context->arena, column, TEST_REGEX, TEST_CASED, pattern) : NULL;
    if (!test)
        return sigma_no_memory(context);
    bool placed = pattern.len > node->text.len; /* the place of an error is told of what was written */
    if ((placed && regex_new_in(context->arena, node->text, flags, &test->test.regex, context->err) < 0) ||
        regex_new_in(context->arena, pattern, flags, &test->test.regex, context->err) < 0) {
        err_within(context->err, "line %d", node->line);
        return SIGMA_ERROR;
    }
    *out = test;
    return SIGMA_OK;
}

static enum sigma_outcome cidr_value(struct sigma_context *context, struct slice column,
                                     const struct yaml_node *node, const struct expr **out)
{
    struct expr *test = expr_test_new(context->arena, column, TEST_CIDR, TEST_CASED, node->text);
    if (!test)
        return sigma_no_memory(context);
    if (!cidr_parse(node->text, &test->test.cidr)) {
        yaml_err(context->err, node, "'%.*s' is no network; write 10.0.0.0/8 or 2001:db8::/32",
                 SLICE_ARG(node->text));
        return SIGMA_ERROR;
    }
    *out = test;
    return SIGMA_OK;
}

/* What minute, hour, day, week, month and year can be. */
static const int time_first[] = {0, 0, 1, 1, 1, 1677}, time_last[] = {59, 23, 31, 53, 12, 2262};

static enum sigma_outcome number_value(struct sigma_context *context, const struct item *item,
                                       struct slice column, const struct yaml_node *node,
                                       const struct expr **out)
{
    enum test_kind kind = item->time_part ? TEST_TIME_PART : item->ordered ? item->order : TEST_EQUAL;
    unsigned flags = TEST_NUMERIC | sigma_test_flags(item) | (kind == TEST_EQUAL ? TEST_PLAIN_NUMBER : 0);
    struct expr *test = expr_test_new(context->arena, column, kind, flags, node->text);
    if (!test)
        return sigma_no_memory(context);
    if (!(test->test.flags & TEST_NUMERIC))
        return sigma_refuse(context, node, "this modifier needs a number");
    if (item->time_part && (test->test.number.type != VALUE_I64 || test->test.number.i64 < time_first[item->part] ||
                            test->test.number.i64 > time_last[item->part]))
        return sigma_refuse(context, node, "no time can fulfil this");
    test->test.part = item->part;
    *out = test;
    return SIGMA_OK;
}

/* hour|gte: 22 and the like: any of the values a part of a time can have. */
static enum sigma_outcome ordered_time(struct sigma_context *context, const struct item *item,
                                       struct slice column, const struct yaml_node *node,
                                       const struct expr **out)
{
    int64_t limit;
    *out = NULL;
    if (!slice_to_i64(node->text, &limit))
        return sigma_refuse(context, node, "this modifier needs an integer");
    for (int64_t n = time_first[item->part]; n <= time_last[item->part]; n++) {
        if (item->order == TEST_LESS ? n >= limit : item->order == TEST_LESS_EQUAL ? n > limit
            : item->order == TEST_GREATER ? n <= limit : n < limit)
            continue;
        struct slice text = arena_printf(context->arena, "%lld", (long long)n);
        struct expr *test = text.ptr ? expr_test_new(context->arena, column, TEST_TIME_PART, TEST_NUMERIC, text)
                                     : NULL;
        if (!test || !(*out = expr_or(context->arena, *out, test)))
            return sigma_no_memory(context);
        test->test.part = item->part;
    }
    return *out ? SIGMA_OK : sigma_refuse(context, node, "no time can fulfil this");
}

static enum sigma_outcome field_value(struct sigma_context *context, const struct item *item,
                                      struct slice column, const struct yaml_node *node,
                                      const struct expr **out)
{
    static const enum test_kind kinds[] = {TEST_FIELD_EQUAL, TEST_FIELD_CONTAINS, TEST_FIELD_PREFIX,
                                           TEST_FIELD_SUFFIX};
    struct slice others[LOGSOURCE_COLUMNS_MAX] = {node->text};
    size_t count = 1;
    *out = NULL;
    if (!node->text.len)
        return sigma_refuse(context, node, "this modifier needs the name of another field");
    if (context->variant)
        count = logsource_columns(context->variant, node->text, context->arena, others);
    for (size_t i = 0; i < count; i++) {
        struct expr *test = expr_test_new(context->arena, column, kinds[item->place],
                                          sigma_test_flags(item), SLICE(""));
        if (!test || !(*out = expr_or(context->arena, *out, test)))
            return sigma_no_memory(context);
        test->test.other = others[i];
    }
    return SIGMA_OK;
}

/* What exists asks for, in the words of YAML 1.1, too, by which many rules are read. */
static bool wanted_there(const struct yaml_node *node, bool *out)
{
    *out = slice_is_nocase(node->text, "true") || slice_is_nocase(node->text, "yes");
    return *out || slice_is_nocase(node->text, "false") || slice_is_nocase(node->text, "no");
}

static bool is_number(const struct yaml_node *node)
{
    struct decimal d;
    return node->style == YAML_PLAIN && decimal_parse(node->text, &d);
}

static enum sigma_outcome one_value(struct sigma_context *context, const struct item *item,
                                    struct slice column, const struct yaml_node *node,
                                    const struct expr **out)
{
    bool yes;
    context->node = node;
    if (node->kind != YAML_SCALAR)
        return sigma_refuse(context, node, "a single value is needed here");
    if (item->exists) {
        if (!wanted_there(node, &yes))
            return sigma_refuse(context, node, "exists needs true or false");
        *out = expr_test_new(context->arena, column, TEST_EXISTS, 0, SLICE(""));
        return *out ? SIGMA_OK : sigma_no_memory(context);
    }
    if (yaml_is_null(node)) {
        if (sigma_wants_text(item))
            return sigma_refuse(context, node, "null is no text, number or address; it stands without this modifier");
        *out = expr_test_new(context->arena, column, TEST_NULL, 0, SLICE(""));
        return *out ? SIGMA_OK : sigma_no_memory(context);
    }
    if (item->regex)
        return regex_value(context, item, column, node, out);
    if (item->cidr)
        return cidr_value(context, column, node, out);
    if (item->fieldref)
        return field_value(context, item, column, node, out);
    bool plain_number = is_number(node) && item->place == PLACE_WHOLE && !item->coding_count && !item->windash;
    if (item->ordered && item->time_part)
        return ordered_time(context, item, column, node, out);
    if (item->ordered || item->time_part || plain_number)
        return number_value(context, item, column, node, out);
    if (item->windash)
        return sigma_dashed_text(context, item, column, node->text, out);
    return sigma_text(context, item, column, node->text, out);
}

/* A field that is there and null has no column; the event's own JSON still names it. NULL when memory is out. */
static const struct expr *or_named_in_json(struct arena *arena, const struct expr *there, struct slice field)
{
    const struct expr *named;
    struct err err;
    size_t dot = field.len;
    if (!there || slice_find_char(field, '"') >= 0 || slice_find_char(field, '\\') >= 0)
        return there;
    while (dot && field.ptr[dot - 1] != '.')
        dot--;
    struct slice text = arena_printf(arena, "json_has_key_exact(event.original, \"%.*s\")", SLICE_ARG(field));
    if (text.ptr && dot)
        text = arena_printf(arena, "%.*s OR json_has_key_exact(json_extract(event.original, \"%.*s\"), \"%.*s\")", SLICE_ARG(text),
                            SLICE_ARG(slice_sub(field, 0, dot - 1)), SLICE_ARG(slice_from(field, dot)));
    return text.ptr && expr_parse(text, arena, &named, &err) == 0 ? expr_or(arena, there, named) : NULL;
}

/* Whether the modifiers leave the value as a text that may stand elsewhere (logsource_values). */
static size_t values_elsewhere(const struct sigma_context *context, const struct item *item,
                               const struct yaml_node *node, struct logsource_value *found)
{
    bool text = node->kind == YAML_SCALAR && !item->regex && !item->coding_count && !item->cidr && !item->exists &&
                !item->fieldref && !item->ordered && !item->time_part && !yaml_is_null(node);
    return text && context->variant && item->field.ptr
               ? logsource_values(context->variant, item->field, node->text, found) : 0;
}

static enum sigma_outcome value_elsewhere(struct sigma_context *context, const struct item *item,
                                          const struct logsource_value *found, const struct expr **out)
{
    struct item there = *item;
    const struct expr *test;
    if (found->rest) /* what was in front of it is the column's name */
        there.place = item->place == PLACE_CONTAINS ? PLACE_STARTS : item->place == PLACE_ENDS ? PLACE_WHOLE : item->place;
    else if (item->place != PLACE_WHOLE)
        return SIGMA_OK;
    enum sigma_outcome outcome = sigma_text(context, &there, found->column, found->text, &test);
    if (outcome != SIGMA_OK)
        return outcome;
    *out = expr_or(context->arena, *out, test);
    return *out ? SIGMA_OK : sigma_no_memory(context);
}

/* The value over all columns the field may be in. "Missing" must hold for every one of them. */
static enum sigma_outcome value_anywhere(struct sigma_context *context, const struct item *item,
                                         const struct yaml_node *node, const struct expr **out)
{
    struct slice columns[LOGSOURCE_COLUMNS_MAX] = {item->field};
    struct logsource_value found[LOGSOURCE_VALUES_MAX];
    size_t count = 1, elsewhere = values_elsewhere(context, item, node, found);
    bool missing = !item->exists && yaml_is_null(node), present = true;
    if (elsewhere && found[0].rest)
        count = 0; /* there, and nowhere else */
    else if (context->variant && item->field.ptr)
        count = logsource_columns(context->variant, item->field, context->arena, columns);
    *out = NULL;
    for (size_t i = 0; i < count; i++) {
        const struct expr *test;
        enum sigma_outcome outcome = one_value(context, item, columns[i], node, &test);
        if (outcome != SIGMA_OK)
            return outcome;
        *out = missing ? expr_and(context->arena, *out, test) : expr_or(context->arena, *out, test);
        if (!*out)
            return sigma_no_memory(context);
    }
    for (size_t i = 0; i < elsewhere; i++) {
        enum sigma_outcome outcome = value_elsewhere(context, item, &found[i], out);
        if (outcome != SIGMA_OK)
            return outcome;
    }
    if (item->exists)
        *out = or_named_in_json(context->arena, *out, item->field);
    if (*out && item->exists && wanted_there(node, &present) && !present)
        *out = expr_not(context->arena, *out);
    return *out ? SIGMA_OK : sigma_no_memory(context);
}

/* The same predicates, on every value of the event. */
static const struct expr *as_keyword(const struct expr *test, struct arena *arena)
{
    if (test->kind == EXPR_TEST) {
        struct expr *keyword = expr_new(arena, EXPR_KEYWORD);
        if (keyword)
            keyword->test = test->test;
        return keyword;
    }
    struct expr *copy = expr_list(arena, test->kind, test->args, test->arg_count);
    for (size_t i = 0; copy && i < test->arg_count; i++)
        if (!(copy->args[i] = as_keyword(test->args[i], arena)))
            return NULL;
    return copy;
}

static enum sigma_outcome keyword_value(struct sigma_context *context, const struct item *item,
                                        const struct yaml_node *node, const struct expr **out)
{
    struct item inside = *item;
    const struct expr *test;
    if (node->kind != YAML_SCALAR || yaml_is_null(node))
        return sigma_refuse(context, node, "a keyword is a text");
    inside.place = PLACE_CONTAINS;
    context->node = node;
    enum sigma_outcome outcome =
        item->regex     ? regex_value(context, item, SLICE(""), node, &test)
        : item->windash ? sigma_dashed_text(context, &inside, SLICE(""), node->text, &test)
                        : sigma_text(context, &inside, SLICE(""), node->text, &test);
    if (outcome != SIGMA_OK)
        return outcome;
    *out = as_keyword(test, context->arena);
    return *out ? SIGMA_OK : sigma_no_memory(context);
}

static enum sigma_outcome positive_value(struct sigma_context *context, const struct item *item,
                                         const struct yaml_node *node, const struct expr **out)
{
    return item->field.ptr ? value_anywhere(context, item, node, out) : keyword_value(context, item, node, out);
}

static enum sigma_outcome no_values(struct sigma_context *context, const struct yaml_node *node,
                                    struct slice missing)
{
    if (!missing.ptr)
        return sigma_no_memory(context);
    if (!missing.len)
        return sigma_refuse(context, node, "the placeholders stand for more texts than a value may");
    yaml_err(context->err, node, "the placeholder %%%.*s%% has no values; give it some in a file placeholders.yaml",
             SLICE_ARG(missing));
    return SIGMA_INACTIVE;
}

/* Any of the texts that the placeholders of a value stand for. */
static enum sigma_outcome expanded_value(struct sigma_context *context, const struct item *item,
                                         const struct yaml_node *node, const struct expr **out)
{
    const struct slice *texts;
    struct slice missing;
    if (node->kind != YAML_SCALAR)
        return sigma_refuse(context, node, "a single value is needed here");
    size_t count = placeholders_expand(context->placeholders, node->text, context->arena, &texts, &missing);
    const struct expr **tests = arena_array(context->arena, count + 1, sizeof(*tests));
    if (!count || !tests)
        return tests ? no_values(context, node, missing) : sigma_no_memory(context);
    for (size_t i = 0; i < count; i++) {
        struct yaml_node one = *node;
        one.text = texts[i];
        one.style = YAML_QUOTED;
        enum sigma_outcome outcome = positive_value(context, item, &one, &tests[i]);
        if (outcome != SIGMA_OK)
            return outcome;
    }
    *out = expr_list(context->arena, EXPR_OR, tests, count);
    return *out ? SIGMA_OK : sigma_no_memory(context);
}

static enum sigma_outcome any_value(struct sigma_context *context, const struct item *item,
                                    const struct yaml_node *node, const struct expr **out)
{
    enum sigma_outcome outcome = item->expand ? expanded_value(context, item, node, out)
                                              : positive_value(context, item, node, out);
    if (outcome == SIGMA_OK && item->not_equal) {
        *out = expr_not(context->arena, *out);
        if (!*out)
            return sigma_no_memory(context);
    }
    return outcome;
}

enum sigma_outcome sigma_item(struct sigma_context *context, struct slice key,
                              const struct yaml_node *value, const struct expr **out)
{
    struct item item;
    *out = NULL;
    context->key = key;
    enum sigma_outcome outcome = sigma_modifiers(context, key, value, &item);
    if (outcome != SIGMA_OK || value->kind == YAML_SCALAR)
        return outcome != SIGMA_OK ? outcome : any_value(context, &item, value, out);
    if (value->kind != YAML_SEQUENCE || value->count == 0)
        return sigma_refuse(context, value, "a field needs a value or a list of values");
    if (value->count > VALUES_MAX)
        return sigma_refuse(context, value, "a list has more than 100,000 values");
    const struct expr **tests = arena_array(context->arena, value->count, sizeof(*tests));
    if (!tests)
        return sigma_no_memory(context);
    for (size_t i = 0; i < value->count; i++) {
        outcome = any_value(context, &item, value->entries[i].value, &tests[i]);
        if (outcome != SIGMA_OK)
            return outcome;
    }
    bool every = item.all || item.not_equal;
    *out = expr_list(context->arena, every ? EXPR_AND : EXPR_OR, tests, value->count);
    return *out ? SIGMA_OK : sigma_no_memory(context);
}

enum sigma_outcome sigma_keyword(struct sigma_context *context, const struct yaml_node *value,
                                 const struct expr **out)
{
    return sigma_item(context, SLICE(""), value, out);
}
