#include "search/expand.h"

#include "search/parser.h"

enum { EXPANSION_DEPTH_MAX = 16 };

static void add_last(struct spl_expansion *expansion, struct spl_command *command)
{
    if (expansion->last)
        expansion->last->next = command;
    else
        expansion->first = command;
    expansion->last = command;
}

int expansion_add(struct run *run, struct spl_expansion *expansion, const struct spl_command *from,
                  const struct command *descriptor, const void *args, struct err *err)
{
    struct spl_command *command = arena_calloc(run->arena, sizeof(*command));
    if (!command)
        return run_nomem(run, err);
    *command = (struct spl_command){
        .descriptor = descriptor, .start = from->start, .end = from->end, .args = args};
    add_last(expansion, command);
    return 0;
}

static int add_copy(struct run *run, struct spl_expansion *expansion, const struct spl_command *from,
                    const struct spl_command *what, struct err *err)
{
    if (expansion_add(run, expansion, from, what->descriptor, what->args, err) < 0)
        return -1;
    expansion->last->inlines = what->inlines;
    return 0;
}

int expansion_add_text(struct run *run, struct spl_expansion *expansion,
                       const struct spl_command *from, struct slice text, const char *what,
                       struct err *err)
{
    struct spl_options options = {.knowledge = run->options->knowledge,
                                  .person = run->options->person};
    struct spl_query *query;
    if (spl_parse_with(text, run->arena, &options, &query, err) < 0) {
        err->start = from->start;
        err->end = from->end;
        return err_within(err, "%s", what);
    }
    for (const struct spl_command *c = query->commands; c; c = c->next)
        if (add_copy(run, expansion, from, c, err) < 0)
            return -1;
    if (!expansion->earliest.ptr)
        expansion->earliest = query->earliest;
    if (!expansion->latest.ptr)
        expansion->latest = query->latest;
    return 0;
}

static int copy_rest(struct run *run, struct spl_expansion *expansion, struct err *err)
{
    for (const struct spl_command *c = expansion->rest; c; c = c->next)
        if (add_copy(run, expansion, c, c, err) < 0)
            return -1;
    return 0;
}

int query_expand(struct run *run, const struct spl_query *query, const struct spl_query **out,
                 struct err *err)
{
    *out = query;
    for (int depth = 0;; depth++) {
        const struct spl_command *first = (*out)->commands;
        if (!first->descriptor || !first->descriptor->expand)
            return 0;
        if (depth == EXPANSION_DEPTH_MAX)
            return err_set_at(err, ERR_LIMIT, first->start, first->end,
                              "saved searches stand in saved searches more than %d deep",
                              EXPANSION_DEPTH_MAX);
        struct spl_expansion expansion = {.rest = first->next};
        struct spl_query *made = arena_alloc(run->arena, sizeof(*made));
        if (!made)
            return run_nomem(run, err);
        if (first->descriptor->expand(run, first, &expansion, err) < 0) {
            if (err->start < 0) {
                err->start = first->start;
                err->end = first->end;
            }
            return -1;
        }
        if (!expansion.first)
            return 0;
        if (copy_rest(run, &expansion, err) < 0)
            return -1;
        *made = **out;
        made->commands = expansion.first;
        if (!made->earliest.ptr)
            made->earliest = expansion.earliest;
        if (!made->latest.ptr)
            made->latest = expansion.latest;
        *out = made;
    }
}
