#include "search/commands/model_fields.h"

#include "event/schema.h"
#include "expr/parse.h"
#include "search/spl_pipeline.h"

/* ---- which ---- */

static struct model_output *new_output(struct run *run, struct model_fields *fields,
                                       struct slice name)
{
    fields->outputs = spl_grow(run->arena, fields->outputs, fields->count, sizeof(*fields->outputs));
    if (!fields->outputs)
        return NULL;
    struct model_output *output = &fields->outputs[fields->count++];
    *output = (struct model_output){.name = name};
    return output;
}

static bool has_output(const struct model_fields *fields, struct slice name)
{
    for (size_t i = 0; i < fields->count; i++)
        if (slice_equal(fields->outputs[i].name, name))
            return true;
    return false;
}

static int prepare_cases(struct model_view *view, struct model_output *output, struct err *err)
{
    const struct know_field *field = output->field;
    output->cases = arena_array(view->run->arena, field->case_count, sizeof(*output->cases));
    if (!output->cases)
        return run_nomem(view->run, err);
    for (size_t i = 0; i < field->case_count; i++)
        if (model_case(view, field, i, &output->cases[i], err) < 0)
            return -1;
    return 0;
}

static int add_field(struct model_view *view, struct model_fields *fields, struct slice name,
                     const struct know_field *field, struct err *err)
{
    struct model_output *output = new_output(view->run, fields, name);
    if (!output)
        return run_nomem(view->run, err);
    output->field = field;
    if (field->kind == KNOW_CASES)
        return prepare_cases(view, output, err);
    return field->kind == KNOW_EVAL
               ? expr_parse(field->eval, view->run->arena, &output->eval, err)
               : 0;
}

int model_fields_add(struct model_view *view, struct model_fields *fields, struct slice name,
                     struct err *err)
{
    const struct know_field *field;
    struct slice native;
    if (has_output(fields, name))
        return 0;
    enum model_name kind = model_resolve(view, name, &field, &native);
    if (kind == MODEL_FIELD)
        return add_field(view, fields, name, field, err);
    if (kind == MODEL_MISSING || slice_equal(native, name))
        return 0;
    struct model_output *output = new_output(view->run, fields, name);
    if (!output)
        return run_nomem(view->run, err);
    output->native = native;
    return 0;
}

int model_fields_add_prefix(struct run *run, struct model_fields *fields, struct slice prefix,
                            struct err *err)
{
    if (has_output(fields, prefix))
        return 0;
    struct model_output *output = new_output(run, fields, prefix);
    if (!output)
        return run_nomem(run, err);
    output->prefix = prefix;
    return 0;
}

static int add_of(struct model_view *view, struct model_fields *fields,
                  const struct know_node *node, struct err *err)
{
    for (; node; node = node->parent)
        for (size_t i = 0; i < node->field_count; i++) {
            const struct know_field *field = &node->fields[i];
            struct slice name = view->bare ? field->name
                                           : arena_printf(view->run->arena, "%.*s.%.*s",
                                                          SLICE_ARG(node->path), SLICE_ARG(field->name));
            if (!name.ptr)
                return run_nomem(view->run, err);
            if (!has_output(fields, name) && add_field(view, fields, name, field, err) < 0)
                return -1;
        }
    return 0;
}

int model_fields_add_all(struct model_view *view, struct model_fields *fields, struct err *err)
{
    for (size_t i = 0; i < view->model->node_count; i++) {
        const struct know_node *node = &view->model->nodes[i];
        if ((view->node ? node == view->node : !node->parent) &&
            add_of(view, fields, node, err) < 0)
            return -1;
    }
    return 0;
}

/* ---- what is wanted ---- */

static void want_sources(struct wanted *wanted, const struct model_output *output)
{
    const struct know_field *field = output->field;
    if (output->prefix.ptr)
        wanted_add(wanted, FIELD_ORIGINAL);
    if (output->native.ptr)
        wanted_add(wanted, output->native);
    for (size_t i = 0; field && i < field->field_count; i++)
        wanted_add(wanted, field->fields[i]);
    wanted_add_expr(wanted, output->eval);
    for (size_t i = 0; output->cases && i < field->case_count; i++)
        wanted_add_expr(wanted, output->cases[i]);
}

/* What every event has. */
static const struct slice base_fields[] = {
    {"@timestamp", 10},    {"event.original", 14}, {"host.name", 9},      {"event.dataset", 13},
    {"hinomi.stream", 13}, {"source", 6},          {"log.file.path", 13}, {"hinomi.source", 13},
};

static void want(const struct spl_command *command, struct wanted *wanted)
{
    const struct model_fields *args = command->args;
    bool all = wanted->all;
    if (all && !args->only)
        return;
    struct model_output **needed = arena_array(wanted->arena, args->count + 1, sizeof(*needed));
    size_t count = 0;
    for (size_t i = 0; needed && i < args->count; i++)
        if (wanted_has(wanted, args->outputs[i].name))
            needed[count++] = &args->outputs[i];
    if (!needed) {
        wanted->all = wanted->failed = true;
        return;
    }
    if (all) {
        wanted_reset(wanted);
        for (size_t i = 0; i < ARRAY_COUNT(base_fields); i++)
            wanted_add(wanted, base_fields[i]);
    }
    for (size_t i = 0; i < args->count; i++)
        wanted_drop(wanted, args->outputs[i].name);
    for (size_t i = 0; i < count; i++)
        want_sources(wanted, needed[i]);
}

bool model_fields_rename(const struct spl_command *command)
{
    const struct model_fields *args = command->args;
    if (command->descriptor != &command_model_fields)
        return false;
    for (size_t i = 0; i < args->count; i++)
        if (args->outputs[i].prefix.ptr || args->outputs[i].eval || args->outputs[i].cases ||
            (args->outputs[i].field && args->outputs[i].field->field_count > 1))
            return false;
    return true;
}

/* ---- making them ---- */

static int alias(struct stage *op, struct frame *frame, struct slice from, struct slice name,
                 struct column **out, struct err *err)
{
    const struct column *column = batch_find(frame->batch, from);
    *out = column ? frame_copy_as(frame, column, name) : NULL;
    return column && !*out ? run_nomem(op->run, err) : 0;
}

/* Row by row the first of the fields that has a value. */
static int merge(struct stage *op, struct frame *frame, const struct model_output *output,
                 struct column **out, struct err *err)
{
    const struct know_field *field = output->field;
    const struct column **columns =
        arena_array(frame->batch->arena, field->field_count + 1, sizeof(*columns));
    size_t count = 0;
    *out = NULL;
    if (!columns)
        return run_nomem(op->run, err);
    for (size_t i = 0; i < field->field_count; i++) {
        const struct column *column = batch_find(frame->batch, field->fields[i]);
        if (column && column->count)
            columns[count++] = column;
    }
    if (count == 1)
        return alias(op, frame, columns[0]->name, output->name, out, err);
    struct column *to = *out = count ? frame_column(frame, output->name) : NULL;
    for (uint32_t row = frame_next(frame, 0); to && row < frame->batch->row_count;
         row = frame_next(frame, row + 1)) {
        uint32_t before = to->count;
        for (size_t i = 0; i < count && to->count == before; i++) {
            uint32_t first, n = column_range(columns[i], row, &first);
            for (uint32_t k = 0; k < n; k++) {
                struct value v = column_value(columns[i], first + k);
                if (v.type != VALUE_NULL && column_add(frame->batch, to, row, v) < 0)
                    return run_nomem(op->run, err);
            }
        }
    }
    return count && !to ? run_nomem(op->run, err) : 0;
}

static int fill_cases(struct stage *op, struct frame *frame, const struct model_output *output,
                      struct column **out, struct err *err)
{
    uint32_t rows = frame->batch->row_count;
    uint32_t *which = arena_calloc(frame->batch->arena, (rows + 1U) * sizeof(*which));
    struct column *to = *out = frame_column(frame, output->name);
    uint64_t *selected = frame->selected;
    if (!which || !to)
        return run_nomem(op->run, err);
    for (size_t i = 0; i < output->field->case_count; i++) {
        int result = run_filter(op->run, frame, output->cases[i], err);
        for (uint32_t row = frame_next(frame, 0); result == 0 && row < rows;
             row = frame_next(frame, row + 1))
            which[row] = (uint32_t)i + 1;
        frame->selected = selected;
        if (result < 0)
            return -1;
    }
    for (uint32_t row = frame_next(frame, 0); row < rows; row = frame_next(frame, row + 1))
        if (which[row] && column_add(frame->batch, to, row,
                                     value_string(output->field->cases[which[row] - 1].value)) < 0)
            return run_nomem(op->run, err);
    return 0;
}

/* Terms of the event's text that begin with the prefix, in small letters as an index has them. */
static int add_terms(struct frame *frame, struct column *to, uint32_t row, struct slice text,
                     struct slice prefix)
{
    for (size_t at = 0; at + prefix.len <= text.len; at++) {
        size_t end = at + prefix.len;
        if ((at > 0 && !expr_is_major_breaker((unsigned char)text.ptr[at - 1])) ||
            !slice_equal_nocase(slice_sub(text, at, prefix.len), prefix))
            continue;
        while (end < text.len && !expr_is_major_breaker((unsigned char)text.ptr[end]))
            end++;
        size_t len = end - at - prefix.len;
        char *value = arena_alloc(frame->batch->arena, len + 1);
        for (size_t i = 0; value && i < len; i++) {
            char c = text.ptr[at + prefix.len + i];
            value[i] = c >= 'A' && c <= 'Z' ? (char)(c + 'a' - 'A') : c;
        }
        if (!value ||
            (len && column_add(frame->batch, to, row, value_string(slice_of(value, len))) < 0))
            return -1;
        at = end;
    }
    return 0;
}

static int find_prefix(struct stage *op, struct frame *frame, const struct model_output *output,
                       struct column **out, struct err *err)
{
    const struct column *raw = batch_find(frame->batch, FIELD_ORIGINAL);
    struct column *to = *out = frame_column(frame, output->name);
    for (uint32_t row = frame_next(frame, 0); to && raw && row < frame->batch->row_count;
         row = frame_next(frame, row + 1)) {
        struct value v = column_first(raw, row);
        if (v.type == VALUE_STRING &&
            add_terms(frame, to, row, value_slice(v), output->prefix) < 0)
            return run_nomem(op->run, err);
    }
    return to ? 0 : run_nomem(op->run, err);
}

static int make_column(struct stage *op, struct frame *frame, const struct model_output *output,
                       struct column **out, struct err *err)
{
    *out = NULL;
    if (output->prefix.ptr)
        return find_prefix(op, frame, output, out, err);
    if (output->native.ptr)
        return alias(op, frame, output->native, output->name, out, err);
    if (output->eval)
        return run_eval(op->run, frame, output->eval, output->name, out, err);
    return output->cases ? fill_cases(op, frame, output, out, err)
                         : merge(op, frame, output, out, err);
}

static int keep_only(struct stage *op, struct frame *frame, struct column **made, size_t count,
                     struct err *err)
{
    size_t most = count + ARRAY_COUNT(base_fields);
    struct column **keep = arena_array(frame->batch->arena, most + 1, sizeof(*keep));
    uint32_t n = 0;
    if (!keep)
        return run_nomem(op->run, err);
    for (size_t i = 0; i < ARRAY_COUNT(base_fields); i++)
        keep[n++] = batch_find(frame->batch, base_fields[i]);
    for (size_t i = 0; i < count; i++)
        keep[n++] = made[i];
    return frame_keep(frame, keep, n) < 0 ? run_nomem(op->run, err) : 0;
}

/* All are made before any is put: a name of the model may be that of another field's source. */
static int push(struct stage *op, struct frame *frame, struct err *err)
{
    const struct model_fields *args = op->command->args;
    struct column **made = arena_array(frame->batch->arena, args->count + 1, sizeof(*made));
    if (!made)
        return run_nomem(op->run, err);
    for (size_t i = 0; i < args->count; i++)
        if (make_column(op, frame, &args->outputs[i], &made[i], err) < 0)
            return -1;
    if (args->only && keep_only(op, frame, made, args->count, err) < 0)
        return -1;
    for (size_t i = 0; i < args->count; i++)
        if (made[i] && frame_put(frame, made[i]) < 0)
            return run_nomem(op->run, err);
    return stage_push(op, frame, err);
}

const struct command command_model_fields = {
    .name = "model-fields",
    .summary = "columns under the names of a data model",
    .flags = COMMAND_STREAMS,
    .push = push,
    .want = want,
};
