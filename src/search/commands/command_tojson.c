/* tojson: rows, or some of their fields, as JSON objects in a field. */
#include "cut/json_tree.h"
#include "event/schema.h"
#include "search/rows.h"
#include "search/stat.h"

#include <stdlib.h>

/* How a value is written: as it is, by what it looks like, or forced. */
enum json_as { AS_NONE, AS_AUTO, AS_BOOL, AS_JSON, AS_NUM, AS_STR, AS_COUNT };
static const char *const as_names[] = {"none", "auto", "bool", "json", "num", "str"};

struct json_rule {
    struct slice pattern;
    enum json_as as;
};

struct tojson_args {
    struct slice default_type, output;
    enum json_as default_as;
    bool fill_null, internal;
    struct json_rule *rules;
    size_t count;
};

#define AT(field) offsetof(struct tojson_args, field)
static const struct command_option options[] = {
    {.name = "default_type", OPTION_TEXT, AT(default_type), "none, auto, bool, json, num or str (none)"},
    {.name = "fill_null", OPTION_BOOL, AT(fill_null), "null for what cannot be converted (f)"},
    {.name = "include_internal", OPTION_BOOL, AT(internal), "fields that begin with _ too (f)"},
    {.name = "output_field", OPTION_FIELD, AT(output), "where the object goes (_raw)"},
};

static bool as_by_name(struct slice name, enum json_as *out)
{
    for (size_t i = 0; i < AS_COUNT; i++)
        if (slice_is_nocase(name, as_names[i])) {
            *out = (enum json_as)i;
            return true;
        }
    return false;
}

static int add_rule(struct spl_parser *p, struct tojson_args *args, enum json_as as)
{
    args->rules = spl_grow(p->arena, args->rules, args->count, sizeof(*args->rules));
    if (!args->rules)
        return err_nomem(p->err);
    struct json_rule *rule = &args->rules[args->count++];
    rule->as = as;
    return spl_take_field(p, &rule->pattern);
}

/* num(a b*), or a field by its name */
static int take_rule(struct spl_parser *p, struct tojson_args *args)
{
    enum json_as as = AS_COUNT;
    bool call = p->at < p->end && p->text.ptr[p->at] == '(' && p->token.kind == SPL_WORD;
    if (!call)
        return add_rule(p, args, AS_COUNT); /* the default type, known at the end */
    if (!as_by_name(p->token.text, &as))
        return spl_fail(p, "tojson knows auto(), bool(), json(), none(), num() and str()");
    if (spl_advance(p) < 0 || spl_advance(p) < 0)
        return -1;
    while (!spl_at_sign(p, ")")) {
        if (p->token.kind == SPL_END)
            return spl_fail(p, "here a closing ) is missing");
        if ((spl_at_sign(p, ",") ? spl_advance(p) : add_rule(p, args, as)) < 0)
            return -1;
    }
    return spl_advance(p);
}

static int parse(struct spl_parser *p, struct spl_command *command)
{
    struct tojson_args *args = command_args(p, command, sizeof(*args));
    if (!args)
        return -1;
    args->default_type = SLICE("none");
    args->output = FIELD_ORIGINAL;
    while (p->token.kind != SPL_END) {
        bool taken;
        if (spl_take_option(p, args, &taken) < 0 || (!taken && take_rule(p, args) < 0))
            return -1;
        while (spl_at_sign(p, ","))
            if (spl_advance(p) < 0)
                return -1;
    }
    if (!as_by_name(args->default_type, &args->default_as))
        return spl_fail(p, "default_type is none, auto, bool, json, num or str");
    return 0;
}

static void want(const struct spl_command *command, struct wanted *wanted)
{
    const struct tojson_args *args = command->args;
    wanted_drop(wanted, args->output);
    for (size_t i = 0; i < args->count; i++)
        wanted_add(wanted, args->rules[i].pattern);
    if (!args->count)
        wanted->all = true;
}

static bool put_number(struct value v, struct arena *arena, struct json *json)
{
    int128 room;
    struct value n;
    if (v.type == VALUE_TIME || v.type == VALUE_I64 || v.type == VALUE_F64 ||
        v.type == VALUE_DECIMAL || stat_number(v, &room, &n)) {
        json_raw(json, rows_text(v.type == VALUE_STRING ? n : v, arena));
        return true;
    }
    return false;
}

static bool put_bool(struct slice text, bool only_words, struct json *json)
{
    double n;
    bool number = slice_to_f64(text, &n);
    bool no = slice_is_nocase(text, "false");
    if (only_words && !no && !slice_is_nocase(text, "true"))
        return false;
    if (!only_words)
        no |= slice_is_nocase(text, "f") || slice_is_nocase(text, "no") || (number && n == 0);
    json_bool(json, !no);
    return true;
}

static bool put_json(struct slice text, bool only_nested, struct arena *arena, struct json *json)
{
    const struct json_node *root;
    struct slice trimmed = slice_trim(text);
    bool nested = trimmed.len && (trimmed.ptr[0] == '{' || trimmed.ptr[0] == '[');
    if ((only_nested && !nested) || json_tree_parse(trimmed, arena, &root, NULL) < 0)
        return false;
    json_raw(json, trimmed);
    return true;
}

/* False: it cannot be written so. */
static bool put_value(struct value v, enum json_as as, struct arena *arena, struct json *json)
{
    struct slice text = rows_text(v, arena);
    bool number = v.type != VALUE_STRING && v.type != VALUE_IP && v.type != VALUE_BOOL;
    if (!text.ptr)
        return false;
    switch (as) {
    case AS_NUM:
        return put_number(v, arena, json);
    case AS_BOOL:
        return put_bool(text, false, json);
    case AS_JSON:
        return put_json(text, false, arena, json);
    case AS_AUTO:
        if (put_number(v, arena, json) || put_bool(text, true, json) ||
            put_json(text, true, arena, json))
            return true;
        break;
    case AS_NONE:
        if (number)
            return put_number(v, arena, json);
        break;
    case AS_STR:
    case AS_COUNT:
        break;
    }
    json_text(json, text);
    return true;
}

static void put_field(const struct tojson_args *args, const struct column *column, uint32_t row,
                      enum json_as as, struct arena *arena, struct json *json)
{
    uint32_t first, count = column_range(column, row, &first);
    struct buffer one;
    if (!count)
        return;
    bool any = args->fill_null;
    buffer_init(&one, MIB);
    struct json values;
    json_init(&values, &one);
    if (count > 1)
        json_open(&values, '[');
    for (uint32_t k = 0; k < count; k++) {
        bool put = put_value(column_value(column, first + k), as, arena, &values);
        if (!put && args->fill_null)
            json_null(&values);
        any |= put;
    }
    if (count > 1)
        json_close(&values, ']');
    if (any) {
        json_key_slice(json, spl_field_shown(column->name, NULL));
        json_raw(json, buffer_slice(&one));
    }
    json->to->failed |= buffer_failed(&one);
    buffer_close(&one);
}

/* The rule of a field; AS_COUNT: it is not asked for. */
static enum json_as rule_of(const struct tojson_args *args, struct slice name)
{
    for (size_t i = 0; i < args->count; i++) {
        const struct json_rule *rule = &args->rules[i];
        bool star = slice_find_char(rule->pattern, '*') >= 0;
        if (star ? slice_matches_stars(name, rule->pattern) &&
                       (args->internal || !rows_is_internal(name))
                 : slice_equal(name, rule->pattern))
            return rule->as == AS_COUNT ? args->default_as : rule->as;
    }
    bool all = args->count == 0 && (args->internal || !rows_is_internal(name));
    return all ? args->default_as : AS_COUNT;
}

static int by_name(const void *a, const void *b)
{
    const struct column *const *x = a, *const *y = b;
    return slice_compare(spl_field_shown((*x)->name, NULL), spl_field_shown((*y)->name, NULL));
}

static int push(struct stage *op, struct frame *frame, struct err *err)
{
    const struct tojson_args *args = op->command->args;
    struct arena *arena = frame->batch->arena;
    uint32_t count = frame->batch->column_count;
    struct column **columns = arena_array(arena, count + 1U, sizeof(*columns));
    struct column *to = frame_column(frame, args->output);
    struct buffer text;
    bool failed = !columns || !to;
    if (failed)
        return run_nomem(op->run, err);
    if (count) {
        memcpy(columns, frame->batch->columns, count * sizeof(*columns));
        qsort(columns, count, sizeof(*columns), by_name);
    }
    buffer_init(&text, 16 * MIB);
    for (uint32_t row = frame_next(frame, 0); !failed && row < frame->batch->row_count;
         row = frame_next(frame, row + 1)) {
        struct json json;
        buffer_clear(&text);
        json_init(&json, &text);
        json_open(&json, '{');
        for (uint32_t c = 0; c < count; c++) {
            enum json_as as = rule_of(args, columns[c]->name);
            if (as != AS_COUNT)
                put_field(args, columns[c], row, as, arena, &json);
        }
        json_close(&json, '}');
        struct slice copy = arena_copy(arena, buffer_slice(&text));
        failed = buffer_failed(&text) || !copy.ptr ||
                 column_add(frame->batch, to, row, value_string(copy)) < 0;
    }
    buffer_close(&text);
    if (failed || frame_put(frame, to) < 0)
        return run_nomem(op->run, err);
    return stage_push(op, frame, err);
}

const struct command command_tojson = {
    .name = "tojson",
    .syntax = "tojson [FUNCTION(FIELD ...)] ... [options]",
    .summary = "rows as JSON: tojson num(bytes) str(id) auto(x*) output_field=json",
    .flags = COMMAND_STREAMS,
    .options = options,
    .option_count = ARRAY_COUNT(options),
    .parse = parse,
    .push = push,
    .want = want,
};
