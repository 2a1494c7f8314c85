#include "search/commands/model_rows.h"

#include "search/commands/row_filter.h"

/* What "search" commands behind ask, as far as it can be asked of events' fields. They still run. */
static int push_searches(struct model_view *view, const struct spl_command *next,
                         const struct expr **all, struct err *err)
{
    struct run *run = view->run;
    for (; next && next->descriptor == &command_search; next = next->next) {
        const struct spl_search *args = next->args;
        const struct expr *filter, *pushed, *rest;
        if (args->places) /* a subsearch runs once */
            continue;
        if (filter_resolve(run, args, &filter, err) < 0 ||
            model_split(view, filter, &pushed, &rest, err) < 0)
            return -1;
        if (pushed && !(*all = expr_and(run->arena, *all, pushed)))
            return run_nomem(run, err);
    }
    return 0;
}

int model_rows_expand(struct run *run, const struct spl_command *command,
                      const struct model_rows *rows, struct spl_expansion *out, struct err *err)
{
    struct model_view view;
    struct spl_search *search = arena_calloc(run->arena, sizeof(*search));
    struct model_fields *fields = arena_calloc(run->arena, sizeof(*fields));
    if (!search || !fields)
        return run_nomem(run, err);
    if (model_open(run, rows->name, &view, err) < 0 ||
        model_constraint(&view, view.node, &search->expr, err) < 0)
        return -1;
    view.bare = !rows->prefixed;
    fields->only = !rows->keep_all;
    if (push_searches(&view, command->next, &search->expr, err) < 0 ||
        model_fields_add_all(&view, fields, err) < 0 ||
        expansion_add(run, out, command, &command_search, search, err) < 0)
        return -1;
    return expansion_add(run, out, command, &command_model_fields, fields, err);
}
