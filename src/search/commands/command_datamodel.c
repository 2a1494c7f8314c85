/* datamodel: what a data model is, as JSON, or with "search" or "flat" the events of one of its nodes. */
#include "base/buffer.h"
#include "base/json.h"
#include "base/limits.h"
#include "event/schema.h"
#include "search/commands/model_rows.h"
#include "search/rows.h"

enum datamodel_action { SHOW, SEARCH, FLAT };

struct datamodel_args {
    struct slice model, node;
    enum datamodel_action action;
    bool strict, accepted;
};

static const struct command_option options[] = {
    {.name = "strict_fields", OPTION_BOOL, offsetof(struct datamodel_args, strict),
     "only fields of the model", .standard = "t"},
    {.name = "summariesonly", OPTION_BOOL, offsetof(struct datamodel_args, accepted),
     "accepted: there are no summaries, all events are read"},
    {.name = "allow_old_summaries", OPTION_BOOL, offsetof(struct datamodel_args, accepted),
     "accepted, does nothing"},
};

static int take_word(struct spl_parser *p, struct datamodel_args *args)
{
    struct slice word = p->token.text;
    if (!args->model.ptr)
        args->model = word;
    else if (!args->node.ptr)
        args->node = word;
    else if (slice_is_nocase(word, "search") || slice_is_nocase(word, "acceleration_search"))
        args->action = SEARCH;
    else if (slice_is_nocase(word, "flat"))
        args->action = FLAT;
    else
        return spl_fail(p, "behind the node stands search or flat");
    return spl_advance(p);
}

static int parse(struct spl_parser *p, struct spl_command *command)
{
    struct datamodel_args *args = command_args(p, command, sizeof(*args));
    if (!args)
        return -1;
    args->strict = true;
    while (p->token.kind != SPL_END) {
        bool taken;
        if (spl_take_option(p, args, &taken) < 0)
            return -1;
        if (!taken && !spl_is_field(p))
            return spl_expect_end(p);
        if (!taken && take_word(p, args) < 0)
            return -1;
    }
    return 0;
}

/* ---- as JSON ---- */

static void put_field(struct json *json, const struct know_field *field, struct slice owner)
{
    json_open(json, '{');
    json_put_text(json, "fieldName", field->name);
    json_put_text(json, "owner", owner);
    if (field->kind == KNOW_EVAL)
        json_put_text(json, "eval", field->eval);
    json_key(json, "fields");
    json_open(json, '[');
    for (size_t i = 0; i < field->field_count; i++)
        json_text(json, field->fields[i]);
    json_close(json, ']');
    for (size_t i = 0; i < field->case_count; i++) {
        if (i == 0) {
            json_key(json, "cases");
            json_open(json, '{');
        }
        json_key_slice(json, field->cases[i].value);
        json_text(json, field->cases[i].search);
        if (i + 1 == field->case_count)
            json_close(json, '}');
    }
    json_close(json, '}');
}

static void put_node(struct json *json, const struct know_node *node)
{
    json_open(json, '{');
    json_put_text(json, "objectName", node->name);
    json_put_text(json, "parentName", node->parent ? node->parent->name : SLICE("BaseEvent"));
    json_put_text(json, "lineage", node->path);
    json_key(json, "constraints");
    json_open(json, '[');
    for (; node; node = node->parent)
        json_text(json, node->constraint);
    json_close(json, ']');
}

static void put_nodes(struct json *json, const struct know_model *model, struct slice only)
{
    json_key(json, "objects");
    json_open(json, '[');
    for (size_t i = 0; i < model->node_count; i++) {
        const struct know_node *node = &model->nodes[i];
        if (only.ptr && !slice_equal_nocase(node->name, only) && !slice_equal_nocase(node->path, only))
            continue;
        put_node(json, node);
        json_key(json, "fields");
        json_open(json, '[');
        for (const struct know_node *n = node; n; n = n->parent)
            for (size_t k = 0; k < n->field_count; k++)
                put_field(json, &n->fields[k], n->path);
        json_close(json, ']');
        json_close(json, '}');
    }
    json_close(json, ']');
}

static int add_model(struct run *run, const struct know_object *object, struct slice node,
                     struct batch *batch, struct err *err)
{
    struct buffer text;
    struct json json;
    buffer_init(&text, 4 * MIB);
    json_init(&json, &text);
    json_open(&json, '{');
    json_put_text(&json, "modelName", object->name);
    json_put_text(&json, "description", object->description.ptr ? object->description : SLICE(""));
    put_nodes(&json, object->spec, node);
    json_close(&json, '}');
    struct slice copy = arena_copy(run->arena, buffer_slice(&text));
    bool failed = buffer_failed(&text) || !copy.ptr || !batch_add_row(batch) ||
                  batch_put(batch, batch->row_count - 1, FIELD_ORIGINAL, value_string(copy)) < 0;
    buffer_close(&text);
    return failed ? run_nomem(run, err) : 0;
}

static int finish(struct stage *op, struct err *err)
{
    const struct datamodel_args *args = op->command->args;
    struct run *run = op->run;
    struct batch *batch = frame_batch_new(run->arena, 0);
    const struct know_object *object;
    if (!batch)
        return run_nomem(run, err);
    for (size_t i = 0; (object = know_at(run->options->knowledge, i)); i++) {
        object = know_visible(object, run->options->person);
        if (object && object->kind == KNOW_DATA_MODEL &&
            (!args->model.ptr || slice_equal(object->name, args->model)) &&
            add_model(run, object, args->node, batch, err) < 0)
            return -1;
    }
    return stage_emit(op, batch, NULL, batch->row_count, err);
}

static int make(struct run *run, const struct spl_command *command, struct stage *op,
                struct err *err)
{
    const struct datamodel_args *args = command->args;
    struct model_view view;
    op->finish = finish;
    if (!args->model.ptr)
        return 0;
    if (model_open(run, args->model, &view, err) < 0)
        return -1;
    return args->node.ptr ? model_choose(&view, args->node, err) : 0;
}

static int expand(struct run *run, const struct spl_command *command, struct spl_expansion *out,
                  struct err *err)
{
    const struct datamodel_args *args = command->args;
    struct model_rows rows = {.keep_all = !args->strict, .prefixed = args->action == SEARCH};
    struct model_view view;
    if (args->action == SHOW)
        return 0;
    if (model_open(run, args->model, &view, err) < 0 || model_choose(&view, args->node, err) < 0)
        return -1;
    rows.name = arena_printf(run->arena, "%.*s.%.*s", SLICE_ARG(args->model), SLICE_ARG(args->node));
    return rows.name.ptr ? model_rows_expand(run, command, &rows, out, err) : run_nomem(run, err);
}

const struct command command_datamodel = {
    .name = "datamodel",
    .summary = "what a data model is, or its events: datamodel Web Web search",
    .flags = COMMAND_GENERATES,
    .options = options,
    .option_count = ARRAY_COUNT(options),
    .parse = parse,
    .make = make,
    .expand = expand,
    .syntax = "datamodel [MODEL [NODE [search|flat]]] [options]",
};
