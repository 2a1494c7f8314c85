/* The steps that make values of values. */
#include "decode/verb.h"

#include "base/limits.h"
#include "base/time_pattern.h"
#include "decode/decode_run.h"
#include "expr/parse.h"

/* --- dates --- */

enum date_kind { DATE_ISO, DATE_EPOCH, DATE_PATTERN };

struct date_format {
    enum date_kind kind;
    struct slice pattern;
};

struct date {
    struct date_format *formats;
    uint32_t format_count;
    uint32_t zone_from; /* a field, or UINT32_MAX */
    bool zone_set;
    const struct zone *zone;
};

static int compile_format(struct decoder_compiler *compiler, const struct yaml_node *node,
                          struct date_format *out)
{
    struct slice text = yaml_text(node, SLICE_NONE);
    out->kind = slice_is(text, "iso8601") ? DATE_ISO
                : slice_is(text, "epoch") ? DATE_EPOCH
                                          : DATE_PATTERN;
    out->pattern = text;
    if (out->kind != DATE_PATTERN)
        return 0;
    if (!text.len || time_pattern_check(text, compiler->err) < 0)
        return err_within(compiler->err, "line %d", node->line);
    return 0;
}

static int compile_formats(struct decoder_compiler *compiler, const struct yaml_node *node, struct date *data)
{
    bool several = node && node->kind == YAML_SEQUENCE;
    if (!node)
        return 0;
    data->format_count = several ? (uint32_t)node->count : 1;
    data->formats = arena_array(compiler->arena, data->format_count + 1U, sizeof(*data->formats));
    if (!data->formats)
        return err_nomem(compiler->err);
    for (uint32_t i = 0; i < data->format_count; i++)
        if (compile_format(compiler, several ? node->entries[i].value : node, &data->formats[i]) < 0)
            return -1;
    return 0;
}

static int compile_date(struct decoder_compiler *compiler, const struct yaml_node *node, struct step *step)
{
    struct slice zone = yaml_text(yaml_get(node, "zone"), SLICE_NONE);
    struct date *data = verb_data(compiler, step, sizeof(*data));
    if (!data || compile_formats(compiler, yaml_get(node, "formats"), data) < 0)
        return -1;
    if (!data->format_count)
        return yaml_err(compiler->err, node, "'formats' is missing");
    if (zone.ptr) {
        data->zone = zone_find(zone);
        data->zone_set = true;
        if (!data->zone)
            return yaml_err(compiler->err, node, "there is no time zone '%.*s'", SLICE_ARG(zone));
    }
    data->zone_from = UINT32_MAX;
    if ((yaml_get(node, "zone_from") &&
         verb_option_field(compiler, node, "zone_from", NULL, &data->zone_from) < 0) ||
        verb_option_field(compiler, node, "from", NULL, &step->from) < 0)
        return -1;
    return verb_option_field(compiler, node, "to", "@timestamp", &step->to);
}

static const struct zone *zone_of(struct run *run, const struct date *date)
{
    struct slice name = date->zone_from == UINT32_MAX ? SLICE_NONE : run_text(run, date->zone_from);
    const struct zone *zone = name.len ? zone_find(slice_trim(name)) : NULL;
    return zone ? zone : date->zone_set ? date->zone : run->zone;
}

static bool parse_date(struct run *run, const struct date *date, struct slice text, int64_t *out)
{
    struct time_pattern_in in = {zone_of(run, date), run->received_ns};
    bool zone_seen;
    for (uint32_t i = 0; i < date->format_count; i++) {
        const struct date_format *format = &date->formats[i];
        size_t used;
        if (format->kind == DATE_EPOCH && time_parse_epoch(text, out))
            return true;
        if (format->kind == DATE_PATTERN && time_pattern_parse(format->pattern, text, &in, out, &used) &&
            used == text.len)
            return true;
        if (format->kind != DATE_ISO || !time_parse_rfc3339(text, out, &zone_seen))
            continue;
        if (!zone_seen) {
            struct time_parts parts;
            time_split(*out, &parts);
            return zone_to_utc(in.zone, &parts, 0, out);
        }
        return true;
    }
    return false;
}

static enum run_result run_date(struct run *run, const struct step *step)
{
    struct value_list list = run_get(run, step->from);
    int64_t t;
    if (!list.count || list.values[0].type == VALUE_NULL)
        return RUN_OK;
    if (list.values[0].type == VALUE_TIME) {
        run_put(run, step->to, list.values[0], true);
        return RUN_OK;
    }
    struct slice text = run_text(run, step->from);
    if (!parse_date(run, step->data, slice_trim(text), &t))
        return run_fail(run, step, "'%.*s' is no time in any of the formats",
                        (int)(text.len < 64 ? text.len : 64), text.ptr ? text.ptr : "");
    run_put(run, step->to, value_time(t), true);
    return RUN_OK;
}

/* --- tables --- */

struct lookup {
    const struct map *table; /* struct constant * */
    struct constant otherwise;
};

static int compile_lookup(struct decoder_compiler *compiler, const struct yaml_node *node, struct step *step)
{
    const struct yaml_node *table = yaml_get(node, "table"), *otherwise = yaml_get(node, "otherwise");
    struct lookup *data = verb_data(compiler, step, sizeof(*data));
    if (!data)
        return -1;
    if (table && table->kind == YAML_SCALAR) {
        struct named_ref *ref = verb_ref(compiler, table->text, table->line);
        if (!ref)
            return -1;
        ref->table = &data->table;
    } else if (!table || verb_table(compiler, table, &data->table) < 0) {
        return table ? -1 : yaml_err(compiler->err, node, "'table' is missing");
    }
    if ((otherwise && verb_constant(compiler, otherwise, &data->otherwise) < 0) ||
        verb_option_field(compiler, node, "from", NULL, &step->from) < 0)
        return -1;
    return verb_option_field(compiler, node, "to", NULL, &step->to);
}

static enum run_result run_lookup(struct run *run, const struct step *step)
{
    const struct lookup *lookup = step->data;
    struct value keys[LOOKUP_KEYS_MAX];
    struct value_list list = run_get(run, step->from);
    uint32_t count = list.count < ARRAY_COUNT(keys) ? list.count : (uint32_t)ARRAY_COUNT(keys);
    bool found = false;
    run->left |= count < list.count;
    for (uint32_t i = 0; i < count; i++)
        keys[i] = list.values[i];
    for (uint32_t i = 0; i < count; i++) {
        struct slice key = run_value_text(run, keys[i]);
        const struct constant *constant = key.ptr ? map_find(lookup->table, key) : NULL;
        if (constant && !found)
            run_put_constant(run, step->to, constant);
        else if (constant)
            run_add_constant(run, step->to, constant);
        found |= constant != NULL;
    }
    if (count && !found && (lookup->otherwise.count || lookup->otherwise.parts))
        run_put_constant(run, step->to, &lookup->otherwise);
    return RUN_OK;
}

/* --- expressions --- */

static int compile_eval(struct decoder_compiler *compiler, const struct yaml_node *node, struct step *step)
{
    const struct expr *expr;
    struct slice text = yaml_text(node, SLICE_NONE);
    if (!text.len)
        return yaml_err(compiler->err, node, "an expression is wanted");
    if (expr_parse(text, compiler->arena, &expr, compiler->err) < 0)
        return err_within(compiler->err, "line %d", node->line);
    step->data = expr;
    return 0;
}

static enum run_result run_eval_step(struct run *run, const struct step *step)
{
    struct value_list list = {0};
    if (!run_evaluate(run, step->data, &list) || !list.count)
        return RUN_OK;
    for (uint32_t i = 0; i < list.count; i++) {
        struct value v = list.values[i].type == VALUE_NULL ? value_null()
                                                           : value_copy(list.values[i], run->batch->arena);
        bool lost = v.type == VALUE_NULL && list.values[i].type != VALUE_NULL;
        run->out_of_memory |= lost;
        run_put(run, step->from, v, i == 0);
    }
    return RUN_OK;
}

static const struct verb list[] = {
    {"date", VERB_OPTIONS, "from to formats zone zone_from", compile_date, run_date, NEEDS_FROM},
    {"lookup", VERB_OPTIONS, "from to table otherwise", compile_lookup, run_lookup, NEEDS_FROM},
    {"eval", VERB_PAIRS, "", compile_eval, run_eval_step, NEEDS_NOTHING},
};
const struct verb_family verbs_value = {list, ARRAY_COUNT(list)};
