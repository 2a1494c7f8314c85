/* The steps that move and change fields. */
#include "decode/verb.h"

#include "base/limits.h"
#include "decode/decode_run.h"
#include "decode/run_put.h"

/* The values of one field go to another. Values of a column are read by position, since adding to
 * the other column may move nothing of the first. */
static void copy_values(struct run *run, uint32_t from, uint32_t to)
{
    struct value_list list = run_get(run, from);
    for (uint32_t i = 0; i < list.count; i++)
        run_put(run, to, list.values[i], false);
}

static void copy_any(struct run *run, const struct step *step, bool rename)
{
    if (step->from == step->to || !run_get(run, step->from).count)
        return;
    run_drop(run, step->to);
    copy_values(run, step->from, step->to);
    if (rename)
        run_drop(run, step->from);
}

/* Most go from one column with one value to another: that without a call, since there are many for each event. */
static enum run_result copy_one(struct run *run, const struct step *step, bool rename)
{
    struct column *source = run_column(run, step->from), *target = run_column(run, step->to);
    bool columns = source && target && source != target;
    if (columns && !column_has_row(source, run->row))
        return RUN_OK;
    uint32_t last = columns ? source->count - 1 : 0;
    if (!columns || (last && source->rows[last - 1] == run->row) || source->values[last].type == VALUE_NULL) {
        copy_any(run, step, rename);
        return RUN_OK;
    }
    struct value v = source->values[last];
    source->count -= rename;
    if (target->newest_row == run->row)
        column_drop_last(target, run->row);
    if (column_add(run->batch, target, run->row, v) < 0)
        run->out_of_memory = true;
    return RUN_OK;
}

static enum run_result run_rename(struct run *run, const struct step *step)
{
    return copy_one(run, step, true);
}

static enum run_result run_copy(struct run *run, const struct step *step)
{
    return copy_one(run, step, false);
}

/* The last part of a path with either slash, or what is before it. */
static enum run_result path_part(struct run *run, const struct step *step, bool last)
{
    struct slice path = run_text(run, step->from);
    size_t cut = path.len;
    while (cut > 0 && path.ptr[cut - 1] != '\\' && path.ptr[cut - 1] != '/')
        cut--;
    struct slice part = last ? slice_from(path, cut) : slice_sub(path, 0, cut ? cut - 1 : 0);
    if (part.len)
        run_put(run, step->to, value_string(part), true);
    return RUN_OK;
}

static enum run_result run_basename(struct run *run, const struct step *step)
{
    return path_part(run, step, true);
}

static enum run_result run_dirname(struct run *run, const struct step *step)
{
    return path_part(run, step, false);
}

/* --- constants --- */

static int compile_constant(struct decoder_compiler *compiler, const struct yaml_node *node,
                            struct step *step)
{
    struct constant *data = verb_data(compiler, step, sizeof(*data));
    return data ? verb_constant(compiler, node, data) : -1;
}

static enum run_result run_set(struct run *run, const struct step *step)
{
    run_put_constant(run, step->from, step->data);
    return RUN_OK;
}

static enum run_result run_default(struct run *run, const struct step *step)
{
    if (!run_get(run, step->from).count)
        run_put_constant(run, step->from, step->data);
    return RUN_OK;
}

/* --- several values --- */

static int compile_by(struct decoder_compiler *compiler, const struct yaml_node *node, struct step *step)
{
    struct slice *data = verb_data(compiler, step, sizeof(*data));
    if (!data)
        return -1;
    *data = yaml_text(node, SLICE_NONE);
    return data->len ? 0 : yaml_err(compiler->err, node, "a separator is wanted");
}

static enum run_result run_split(struct run *run, const struct step *step)
{
    const struct slice *by = step->data;
    struct slice text = run_text(run, step->from);
    if (!text.ptr || slice_find(text, *by) < 0)
        return RUN_OK;
    run_drop(run, step->from);
    for (;;) {
        ptrdiff_t end = slice_find(text, *by);
        struct slice part = slice_trim(slice_sub(text, 0, end < 0 ? text.len : (size_t)end));
        if (part.len)
            run_put(run, step->from, value_string(part), false);
        if (end < 0)
            return RUN_OK;
        text = slice_from(text, (size_t)end + by->len);
    }
}

static enum run_result run_join(struct run *run, const struct step *step)
{
    const struct slice *by = step->data;
    struct value_list list = run_get(run, step->from);
    size_t len = 0;
    if (list.count < 2)
        return RUN_OK;
    for (uint32_t i = 0; i < list.count; i++)
        len += run_value_text(run, list.values[i]).len + by->len;
    char *start = arena_alloc(run->batch->arena, len + 1), *to = start;
    if (!start) {
        run->out_of_memory = true;
        return RUN_FAILED;
    }
    for (uint32_t i = 0; i < list.count; i++) {
        struct slice text = run_value_text(run, list.values[i]);
        if (!text.len)
            continue;
        if (to > start)
            to = mempcpy(to, by->ptr, by->len);
        to = mempcpy(to, text.ptr, text.len);
    }
    run_put(run, step->from, value_string(slice_of(start, (size_t)(to - start))), true);
    return RUN_OK;
}

static bool has_value(struct run *run, uint32_t field, struct value v)
{
    struct value_list list = run_get(run, field);
    for (uint32_t i = 0; i < list.count; i++)
        if (value_equal(list.values[i], v))
            return true;
    return false;
}

/* related.user: [user.name, ...]: each value once. */
static enum run_result run_append(struct run *run, const struct step *step)
{
    uint32_t count = run_get(run, step->to).count;
    run_keep(run, step->from);
    for (uint32_t i = 0; i < count; i++) {
        struct value_list list = run_get(run, step->to);
        struct value v = list.values[i];
        bool empty = v.type == VALUE_NULL || (v.type == VALUE_STRING && v.len == 0);
        if (!empty && !has_value(run, step->from, v))
            run_put(run, step->from, v, false);
    }
    return RUN_OK;
}

static int compile_add(struct decoder_compiler *compiler, const struct yaml_node *node, struct step *step)
{
    const struct constant *data;
    if (compile_constant(compiler, node, step) < 0)
        return -1;
    data = step->data;
    return data->parts ? yaml_err(compiler->err, node, "'add' takes constants; 'append' adds what a field has") : 0;
}

/* event.type: [denied]: beside what is there, each value once. */
static enum run_result run_add(struct run *run, const struct step *step)
{
    const struct constant *constant = step->data;
    run_keep(run, step->from);
    for (uint32_t i = 0; i < constant->count; i++) {
        if (!has_value(run, step->from, constant->values[i]))
            run_put(run, step->from, run_own_value(run, constant, i), false);
    }
    return RUN_OK;
}

struct parallel {
    struct keys keys;
};

/* Names in one field, values in another, as arrays of {name, value} objects become. */
static int compile_parallel(struct decoder_compiler *compiler, const struct yaml_node *node,
                            struct step *step)
{
    const struct yaml_node *fields = yaml_get(node, "fields");
    struct parallel *data = verb_data(compiler, step, sizeof(*data));
    if (!data || verb_under(compiler, node, "", &data->keys.under) < 0 ||
        verb_names(compiler, fields, &data->keys.names) < 0 ||
        verb_option_field(compiler, node, "names", NULL, &step->from) < 0)
        return -1;
    return verb_option_field(compiler, node, "values", NULL, &step->to);
}

static enum run_result run_parallel(struct run *run, const struct step *step)
{
    const struct parallel *parallel = step->data;
    uint32_t count = run_get(run, step->from).count;
    struct key_put put = keys_begin(run, &parallel->keys);
    for (uint32_t i = 0; i < count; i++) {
        struct value_list names = run_get(run, step->from), values = run_get(run, step->to);
        struct value name = names.values[i];
        if (i >= values.count || name.type == VALUE_NULL || values.values[i].type == VALUE_NULL)
            continue;
        if (!keys_room(&put))
            break;
        keys_put_value(&put, run_value_text(run, name), values.values[i]);
    }
    return RUN_OK;
}

/* --- names that others have for our fields --- */

struct aliases {
    struct map fields; /* number + 1 of the field, by its alias */
    size_t longest;    /* alias */
};

static int compile_aliases(struct decoder_compiler *compiler, const struct yaml_node *node, struct step *step)
{
    struct aliases *aliases = verb_data(compiler, step, sizeof(*aliases));
    verb_watch(compiler, step);
    if (!aliases)
        return -1;
    map_init(&aliases->fields, compiler->arena);
    if (node->kind != YAML_MAPPING)
        return yaml_err(compiler->err, node, "'aliases' is a mapping of fields to lists of names");
    for (size_t i = 0; i < node->count; i++) {
        const struct slice *names;
        uint32_t count, field;
        if (verb_field(compiler, node->entries[i].key, node->entries[i].key->text, &field) < 0 ||
            verb_texts(compiler, node->entries[i].value, &names, &count) < 0)
            return -1;
        for (uint32_t k = 0; k < count; k++) {
            if (map_has(&aliases->fields, names[k]))
                return yaml_err(compiler->err, node->entries[i].value, "'%.*s' is there twice", SLICE_ARG(names[k]));
            if (map_put(&aliases->fields, names[k], (void *)(uintptr_t)(field + 1)) < 0)
                return err_nomem(compiler->err);
            aliases->longest = names[k].len > aliases->longest ? names[k].len : aliases->longest;
        }
    }
    return 0;
}

/* By all of its name, or by what is behind a dot, the longest first. Of a name small letters and digits count:
 * "Source-IP", "source_ip", "sourceIp" are one. */
static uint32_t alias_of(const struct step *step, struct slice name)
{
    const struct aliases *aliases = step->data;
    UNSET char plain[FIELD_NAME_MAX];
    UNSET uint16_t starts[FIELD_NAME_MAX + 1]; /* of what is behind a dot */
    size_t len = 0, parts = 1;
    starts[0] = 0;
    for (size_t i = 0; i < name.len && i < sizeof(plain); i++) {
        char c = name.ptr[i], small = (char)(c | 0x20);
        if (small >= 'a' && small <= 'z')
            plain[len++] = small;
        else if (c >= '0' && c <= '9')
            plain[len++] = c;
        else if (c == '.')
            starts[parts++] = (uint16_t)len;
    }
    for (size_t i = 0; i < parts; i++) {
        struct slice rest = slice_of(plain + starts[i], len - starts[i]);
        uintptr_t found = rest.len <= aliases->longest ? (uintptr_t)map_find(&aliases->fields, rest) : 0;
        if (found)
            return (uint32_t)found - 1;
    }
    return UINT32_MAX;
}

/* Fields of the event that are known by another name are given the usual one, too, unless that has a value. */
static enum run_result run_aliases(struct run *run, const struct step *step)
{
    const struct watch *watch = run_watch(run, step, alias_of, true); /* columns that are made here need no look */
    for (uint32_t i = 0; watch && i < watch->count; i++) {
        const struct column *column = watch->list[i].column;
        uint32_t field = watch->list[i].field;
        if (!column_has_row(column, run->row) || run_get(run, field).count)
            continue;
        uint32_t first = column->count;
        while (first && column->rows[first - 1] == run->row)
            first--;
        for (uint32_t last = column->count; first < last; first++)
            run_put(run, field, column->values[first], false);
    }
    return RUN_OK;
}

/* --- dropping --- */

struct dropping {
    struct slice under;          /* all fields that begin so; empty: the one field */
    const struct slice *values;  /* only with one of these values; NULL: with any */
    uint32_t value_count;
};

static int compile_drop(struct decoder_compiler *compiler, const struct yaml_node *node, struct step *step)
{
    struct slice name = yaml_text(node, SLICE_NONE);
    struct dropping *data = verb_data(compiler, step, sizeof(*data));
    if (!data)
        return -1;
    if (slice_ends(name, SLICE(".*"))) {
        verb_watch(compiler, step);
        data->under = slice_sub(name, 0, name.len - 1);
        return 0;
    }
    return verb_field(compiler, node, name, &step->from);
}

static int compile_clean(struct decoder_compiler *compiler, const struct yaml_node *node, struct step *step)
{
    struct dropping *data = verb_data(compiler, step, sizeof(*data));
    if (!data || verb_under(compiler, node, "", &data->under) < 0 ||
        verb_texts(compiler, yaml_get(node, "values"), &data->values, &data->value_count) < 0)
        return -1;
    if (!data->under.len || !data->value_count)
        return yaml_err(compiler->err, node, "'clean' needs 'under' and 'values'");
    verb_watch(compiler, step);
    return 0;
}

static bool is_one_of(const struct dropping *data, struct value v)
{
    if (!data->values)
        return true;
    for (uint32_t i = 0; v.type == VALUE_STRING && i < data->value_count; i++)
        if (slice_equal_short(value_slice(v), data->values[i]))
            return true;
    return false;
}

static enum run_result run_drop_step(struct run *run, const struct step *step)
{
    const struct dropping *data = step->data;
    if (!data->under.len) {
        run_drop(run, step->from);
        return RUN_OK;
    }
    const struct watch *watch = run_watch(run, step, run_under, false);
    for (uint32_t i = 0; watch && i < watch->count; i++) {
        struct column *column = watch->list[i].column;
        bool last = column_has_row(column, run->row);
        bool alone = last && (column->count == 1 || column->rows[column->count - 2] != run->row);
        if (last && (!data->values || (alone && is_one_of(data, column->values[column->count - 1]))))
            column_drop_last(column, run->row);
    }
    return RUN_OK;
}

static const struct verb list[] = {
    {"rename", VERB_PAIRS, "", NULL, run_rename, NEEDS_FROM},
    {"copy", VERB_PAIRS, "", NULL, run_copy, NEEDS_FROM},
    {"basename", VERB_PAIRS, "", NULL, run_basename, NEEDS_FROM},
    {"dirname", VERB_PAIRS, "", NULL, run_dirname, NEEDS_FROM},
    {"set", VERB_WHOLE, "", compile_constant, run_set, NEEDS_CONSTANT},
    {"default", VERB_WHOLE, "", compile_constant, run_default, NEEDS_NO_FROM},
    {"split", VERB_PAIRS, "", compile_by, run_split, NEEDS_FROM},
    {"join", VERB_PAIRS, "", compile_by, run_join, NEEDS_FROM},
    {"append", VERB_PAIRS, "", NULL, run_append, NEEDS_TO},
    {"add", VERB_WHOLE, "", compile_add, run_add, NEEDS_NOTHING},
    {"pairs", VERB_OPTIONS, "names values under fields", compile_parallel, run_parallel, NEEDS_NOTHING},
    {"aliases", VERB_OPTIONS, "*", compile_aliases, run_aliases, NEEDS_NOTHING},
    {"drop", VERB_NAMES, "", compile_drop, run_drop_step, NEEDS_NOTHING},
    {"clean", VERB_OPTIONS, "under values", compile_clean, run_drop_step, NEEDS_NOTHING},
};
const struct verb_family verbs_field = {list, ARRAY_COUNT(list)};

