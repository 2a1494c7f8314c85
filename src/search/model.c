#include "search/model.h"

#include "search/expr_map.h"
#include "search/labels.h"

#include <stdio.h>

/* ---- opening ---- */

int model_open(struct run *run, struct slice name, struct model_view *out, struct err *err)
{
    struct slice model = name, node = SLICE_NONE;
    slice_cut(name, '.', &model, &node);
    *out = (struct model_view){.run = run};
    const struct knowledge *set = run->options->knowledge;
    out->object = know_find(set, KNOW_DATA_MODEL, model, run->options->person);
    if (!out->object) {
        err_set(err, ERR_NOT_FOUND, "there is no data model %.*s", SLICE_ARG(model));
        const struct know_object *nearest = know_nearest(set, KNOW_DATA_MODEL, model);
        if (nearest)
            snprintf(err->suggestion, sizeof(err->suggestion), "%.*s", SLICE_ARG(nearest->name));
        return -1;
    }
    out->model = out->object->spec;
    if (node.ptr)
        return model_choose(out, node, err);
    if (out->model->node_count == 1)
        out->node = &out->model->nodes[0];
    return 0;
}

int model_choose(struct model_view *view, struct slice name, struct err *err)
{
    view->node = know_model_node(view->model, name);
    if (view->node)
        return 0;
    err_set(err, ERR_NOT_FOUND, "the data model %.*s has no node %.*s",
            SLICE_ARG(view->object->name), SLICE_ARG(name));
    size_t best = SIZE_MAX;
    for (size_t i = 0; i < view->model->node_count; i++) {
        size_t distance = slice_distance(name, view->model->nodes[i].name);
        if (distance < best)
            snprintf(err->suggestion, sizeof(err->suggestion), "%.*s",
                     SLICE_ARG(view->model->nodes[i].name));
        best = distance < best ? distance : best;
    }
    return -1;
}

/* ---- names ---- */

/* What every event has keeps its name, with a node before it or not. */
static bool is_base_field(struct slice name)
{
    static const char *const names[] = {"_time", "_raw",      "host", "source", "sourcetype",
                                        "index", "eventtype", "tag"};
    for (size_t i = 0; i < ARRAY_COUNT(names); i++)
        if (slice_is(name, names[i]))
            return true;
    return slice_starts(name, SLICE("tag::"));
}

static enum model_name resolve_bare(struct model_view *view, struct slice name,
                                    const struct know_field **field)
{
    const struct know_node *owner;
    for (size_t i = 0; i < view->model->node_count && !*field; i++)
        if (view->node ? &view->model->nodes[i] == view->node : !view->model->nodes[i].parent)
            *field = know_node_field(&view->model->nodes[i], name, &owner);
    return *field ? MODEL_FIELD : MODEL_NATIVE;
}

enum model_name model_resolve(struct model_view *view, struct slice name,
                              const struct know_field **field, struct slice *native)
{
    const struct know_node *owner;
    *field = NULL;
    *native = name;
    if (!view->model)
        return MODEL_NATIVE;
    if (view->bare)
        return resolve_bare(view, name, field);
    size_t dot = name.len;
    while (dot > 0 && name.ptr[dot - 1] != '.')
        dot--;
    if (dot < 2 || !know_model_node(view->model, slice_sub(name, 0, dot - 1)))
        return MODEL_NATIVE;
    *field = know_model_field(view->model, name, &owner);
    if (*field)
        return MODEL_FIELD;
    if (is_base_field(slice_from(name, dot))) {
        *native = spl_field_alias(slice_from(name, dot));
        return MODEL_NATIVE;
    }
    run_message(view->run, "field", NULL, false,
                "the data model %.*s has no field %.*s; it counts as missing",
                SLICE_ARG(view->object->name), SLICE_ARG(name));
    return MODEL_MISSING;
}

/* ---- constraints ---- */

static int node_constraint(struct model_view *view, const struct know_node *node,
                           const struct expr **out, struct err *err)
{
    *out = NULL;
    for (; node; node = node->parent) {
        const struct expr *one;
        struct slice what = arena_printf(view->run->arena, "the data model %.*s, node %.*s",
                                         SLICE_ARG(view->object->name), SLICE_ARG(node->path));
        if (!what.ptr)
            return run_nomem(view->run, err);
        if (labels_filter_of(view->run, node->constraint, what.ptr, &one, err) < 0)
            return -1;
        if (one && !(*out = expr_and(view->run->arena, one, *out)))
            return run_nomem(view->run, err);
    }
    return 0;
}

int model_constraint(struct model_view *view, const struct know_node *node,
                     const struct expr **out, struct err *err)
{
    *out = NULL;
    if (!view->model)
        return 0;
    if (node)
        return node_constraint(view, node, out, err);
    for (size_t i = 0; i < view->model->node_count; i++) {
        const struct expr *one;
        if (view->model->nodes[i].parent)
            continue;
        if (node_constraint(view, &view->model->nodes[i], &one, err) < 0)
            return -1;
        if (!one) {
            *out = NULL;
            return 0;
        }
        if (!(*out = expr_or(view->run->arena, *out, one)))
            return run_nomem(view->run, err);
    }
    return 0;
}

int model_case(struct model_view *view, const struct know_field *field, size_t index,
               const struct expr **out, struct err *err)
{
    struct arena *arena = view->run->arena;
    const struct expr *before = NULL;
    for (size_t i = 0; i <= index; i++) {
        struct slice what = arena_printf(arena, "the data model %.*s, field %.*s",
                                         SLICE_ARG(view->object->name), SLICE_ARG(field->name));
        if (!what.ptr ||
            labels_filter_of(view->run, field->cases[i].search, what.ptr, out, err) < 0)
            return what.ptr ? -1 : run_nomem(view->run, err);
        if (!*out && !(*out = expr_constant(arena, value_bool(true))))
            return run_nomem(view->run, err);
        if (i < index && !(before = expr_or(arena, before, *out)))
            return run_nomem(view->run, err);
    }
    const struct expr *not_before = before ? expr_not(arena, before) : NULL;
    *out = before && !not_before ? NULL : expr_and(arena, *out, not_before);
    return *out ? 0 : run_nomem(view->run, err);
}

/* ---- tests ---- */

struct mapping {
    struct model_view *view;
    bool unmapped; /* something must be tested behind its column */
};

static const struct expr *test_on(struct arena *arena, const struct expr *test, struct slice field)
{
    struct expr *copy = expr_new(arena, EXPR_TEST);
    if (!copy)
        return NULL;
    *copy = *test;
    copy->field = field;
    return copy;
}

/* The first of several that is there: a, or b where there is no a ... */
static const struct expr *test_first(struct arena *arena, const struct expr *test,
                                     const struct know_field *field)
{
    const struct expr *any = NULL, *none = NULL;
    bool null = test->test.kind == TEST_NULL;
    for (size_t i = 0; i < field->field_count; i++) {
        const struct expr *one = test_on(arena, test, field->fields[i]);
        const struct expr *here = expr_test_new(arena, field->fields[i], TEST_EXISTS, 0, SLICE(""));
        const struct expr *not_here = here ? expr_not(arena, here) : NULL;
        if (!one || !not_here)
            return NULL;
        bool alone = !none || test->test.kind == TEST_EXISTS || null;
        one = alone ? one : expr_and(arena, none, one);
        any = null && any ? expr_and(arena, any, one) : expr_or(arena, any, one);
        none = expr_and(arena, none, not_here);
        if (!any || !none)
            return NULL;
    }
    return any ? any : expr_constant(arena, value_bool(null));
}

static int test_cases(struct model_view *view, const struct expr *test,
                      const struct know_field *field, const struct expr **out, struct err *err)
{
    struct run *run = view->run;
    bool null = test->test.kind == TEST_NULL;
    *out = NULL;
    for (size_t i = 0; i < field->case_count; i++) {
        const struct expr *one;
        if (!null &&
            !expr_test_value(&test->test, value_string(field->cases[i].value), &run->scope))
            continue;
        if (model_case(view, field, i, &one, err) < 0)
            return -1;
        if (!(*out = expr_or(run->arena, *out, one)))
            return run_nomem(run, err);
    }
    if (!*out)
        *out = expr_constant(run->arena, value_bool(null));
    else if (null)
        *out = expr_not(run->arena, *out);
    return *out ? 0 : run_nomem(run, err);
}

/* nodename=All_Sessions.DHCP; stars, too. */
static int test_node(struct model_view *view, const struct expr *test, const struct expr **out,
                     struct err *err)
{
    struct run *run = view->run;
    *out = NULL;
    for (size_t i = 0; i < view->model->node_count; i++) {
        const struct know_node *node = &view->model->nodes[i];
        const struct expr *one;
        if (!expr_test_value(&test->test, value_string(node->path), &run->scope) &&
            !expr_test_value(&test->test, value_string(node->name), &run->scope))
            continue;
        if (node_constraint(view, node, &one, err) < 0)
            return -1;
        if (!one)
            one = expr_constant(run->arena, value_bool(true));
        if (!(*out = expr_or(run->arena, *out, one)))
            return run_nomem(run, err);
    }
    if (!*out)
        run_message(run, "node", NULL, false, "the data model %.*s has no node %.*s",
                    SLICE_ARG(view->object->name), SLICE_ARG(test->test.text));
    if (!*out)
        *out = expr_constant(run->arena, value_bool(false));
    return *out ? 0 : run_nomem(run, err);
}

static int visit(void *context, const struct expr *test, const struct expr **out, struct err *err)
{
    struct mapping *mapping = context;
    struct model_view *view = mapping->view;
    struct run *run = view->run;
    const struct know_field *field;
    struct slice native;
    *out = test;
    if (slice_is(test->field, "nodename") && !view->bare)
        return test_node(view, test, out, err);
    switch (model_resolve(view, test->field, &field, &native)) {
    case MODEL_NATIVE:
        if (!slice_equal(native, test->field))
            *out = test_on(run->arena, test, native);
        break;
    case MODEL_MISSING:
        *out = expr_constant(run->arena, value_bool(test->test.kind == TEST_NULL));
        break;
    case MODEL_FIELD:
        if (field->kind == KNOW_CASES)
            return test_cases(view, test, field, out, err);
        if (field->kind == KNOW_FIELDS)
            *out = test_first(run->arena, test, field);
        mapping->unmapped |= field->kind == KNOW_EVAL;
        break;
    }
    return *out ? 0 : run_nomem(run, err);
}

static int split_one(struct model_view *view, const struct expr *one, const struct expr **pushed,
                     const struct expr **rest, struct err *err)
{
    struct mapping mapping = {.view = view};
    const struct expr *mapped;
    if (expr_map_tests(view->run->arena, one, visit, &mapping, &mapped, err) < 0)
        return -1;
    const struct expr **to = mapping.unmapped ? rest : pushed;
    *to = expr_and(view->run->arena, *to, mapped);
    return *to ? 0 : run_nomem(view->run, err);
}

int model_split(struct model_view *view, const struct expr *filter, const struct expr **pushed,
                const struct expr **rest, struct err *err)
{
    *pushed = *rest = NULL;
    if (!filter || !view->model) {
        *pushed = filter;
        return 0;
    }
    if (filter->kind != EXPR_AND)
        return split_one(view, filter, pushed, rest, err);
    for (size_t i = 0; i < filter->arg_count; i++)
        if (split_one(view, filter->args[i], pushed, rest, err) < 0)
            return -1;
    return 0;
}
