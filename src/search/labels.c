#include "search/labels.h"

#include "search/expr_map.h"
#include "search/lexer.h"
#include "search/macro.h"

enum { LABEL_DEPTH_MAX = 16 };

struct labels {
    struct run *run;
    int depth; /* event types may ask for event types and tags */
};

int labels_filter_of(struct run *run, struct slice text, const char *what, const struct expr **out,
                     struct err *err)
{
    struct macro_text expanded;
    struct spl_search found;
    *out = NULL;
    if (macro_expand(text, run->arena, run->options->knowledge, run->options->person, &expanded,
                     err) < 0 ||
        spl_search_text(expanded.text, run->arena, &found, err) < 0) {
        err->start = err->end = -1;
        return err_within(err, "%s", what);
    }
    if (found.places)
        return err_set(err, ERR_CONFIG, "%s: a subsearch cannot stand here", what);
    *out = found.expr;
    return 0;
}

static int replace(struct labels *labels, const struct expr *filter, const struct expr **out,
                   struct err *err);

static int type_filter(struct labels *labels, const struct know_object *type,
                       const struct expr **out, struct err *err)
{
    const struct know_event_type *spec = type->spec;
    struct run *run = labels->run;
    struct slice what = arena_printf(run->arena, "the event type %.*s", SLICE_ARG(type->name));
    const struct expr *filter;
    if (!what.ptr)
        return run_nomem(run, err);
    if (labels->depth >= LABEL_DEPTH_MAX)
        return err_set(err, ERR_LIMIT, "%.*s stands in itself, or in a chain of more than %d",
                       SLICE_ARG(what), LABEL_DEPTH_MAX);
    if (labels_filter_of(run, spec->search, what.ptr, &filter, err) < 0)
        return -1;
    labels->depth++;
    int result = replace(labels, filter, out, err);
    labels->depth--;
    if (result == 0 && !*out)
        *out = expr_constant(run->arena, value_bool(true));
    return result < 0 || *out ? result : run_nomem(run, err);
}

static int add(struct run *run, const struct expr **any, const struct expr *one, struct err *err)
{
    *any = expr_or(run->arena, *any, one);
    return *any ? 0 : run_nomem(run, err);
}

static bool has_tag(struct run *run, const struct expr *test, const struct slice *tags, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (expr_test_value(&test->test, value_string(tags[i]), &run->scope))
            return true;
    return false;
}

/* What one definition says about the test; *out stays NULL when it says nothing. */
static int ask(struct labels *labels, const struct know_object *object, const struct expr *test,
               struct slice field, const struct expr **out, struct err *err)
{
    struct run *run = labels->run;
    bool types = slice_is(test->field, "eventtype");
    if (object->kind == KNOW_EVENT_TYPE) {
        const struct know_event_type *type = object->spec;
        bool meant = types ? expr_test_value(&test->test, value_string(object->name), &run->scope)
                           : (!field.len || slice_is(field, "eventtype")) &&
                                 has_tag(run, test, type->tags, type->tag_count);
        return meant ? type_filter(labels, object, out, err) : 0;
    }
    const struct know_tag *tag = object->spec;
    if (types || object->kind != KNOW_TAG || !has_tag(run, test, tag->tags, tag->tag_count) ||
        (field.len && !slice_equal(spl_field_alias(field), spl_field_alias(tag->field))))
        return 0;
    const struct expr *one =
        spl_comparison(run->arena, spl_field_alias(tag->field), SLICE("="), tag->value, 0);
    if (!one)
        return run_nomem(run, err);
    if (labels->depth >= LABEL_DEPTH_MAX)
        return err_set(err, ERR_LIMIT, "tags and event types stand in each other more than %d deep",
                       LABEL_DEPTH_MAX);
    labels->depth++;
    int result = replace(labels, one, out, err);
    labels->depth--;
    return result;
}

static int visit(void *context, const struct expr *test, const struct expr **out, struct err *err)
{
    struct labels *labels = context;
    struct run *run = labels->run;
    struct slice field = SLICE("");
    *out = test;
    if (slice_starts(test->field, SLICE("tag::")))
        field = slice_from(test->field, 5);
    else if (!slice_is(test->field, "eventtype") && !slice_is(test->field, "tag"))
        return 0;
    const struct know_object *object;
    for (size_t i = 0; (object = know_at(run->options->knowledge, i)); i++) {
        const struct expr *one = NULL;
        object = know_visible(object, run->options->person);
        if (object && ask(labels, object, test, field, &one, err) < 0)
            return -1;
        if (one && add(run, out, one, err) < 0)
            return -1;
    }
    return 0;
}

static int replace(struct labels *labels, const struct expr *filter, const struct expr **out,
                   struct err *err)
{
    return expr_map_tests(labels->run->arena, filter, visit, labels, out, err);
}

int labels_replace(struct run *run, const struct expr *filter, const struct expr **out,
                   struct err *err)
{
    struct labels labels = {.run = run};
    return replace(&labels, filter, out, err);
}

int labels_event_type(struct run *run, const struct know_object *type, const struct expr **out,
                      struct err *err)
{
    struct labels labels = {.run = run};
    return type_filter(&labels, type, out, err);
}
