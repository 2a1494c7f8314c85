/* from: rows of a data model, a saved search or a lookup table. */
#include "search/commands/model_rows.h"
#include "search/commands/saved.h"
#include "search/commands/sub_rows.h"
#include "search/rows.h"

enum from_kind { FROM_MODEL, FROM_SAVED, FROM_TABLE };

struct from_args {
    enum from_kind kind;
    struct slice name;
};

static const struct {
    const char *name;
    enum from_kind kind;
} kinds[] = {{"datamodel", FROM_MODEL},   {"savedsearch", FROM_SAVED}, {"inputlookup", FROM_TABLE},
             {"lookup", FROM_TABLE}};

/* datamodel:M.N, datamodel:"M N", datamodel M.N, datamodel:"M"."N" */
static int take_name(struct spl_parser *p, struct from_args *args)
{
    struct slice rest = slice_trim(slice_sub(p->text, p->token.start, p->end - p->token.start));
    char *to = arena_alloc(p->arena, rest.len + 1);
    size_t len = 0;
    if (!to)
        return err_nomem(p->err);
    while (spl_is_field(p) || spl_at_sign(p, ",")) {
        if (len && !p->token.glued)
            return spl_expect_end(p);
        memcpy(to + len, p->token.text.ptr, p->token.text.len);
        len += p->token.text.len;
        if (spl_advance(p) < 0)
            return -1;
    }
    args->name = slice_of(to, len);
    return len ? spl_expect_end(p) : spl_fail(p, "here a name is needed: from datamodel:Web.Web");
}

static int parse(struct spl_parser *p, struct spl_command *command)
{
    struct from_args *args = command_args(p, command, sizeof(*args));
    struct slice word = p->token.text, after = SLICE("");
    if (!args)
        return -1;
    slice_cut(p->token.text, ':', &word, &after);
    for (size_t i = 0; i < ARRAY_COUNT(kinds); i++) {
        if (p->token.kind != SPL_WORD || !slice_is_nocase(word, kinds[i].name))
            continue;
        args->kind = kinds[i].kind;
        p->at = p->token.start + word.len + (word.len < p->token.text.len);
        return spl_advance(p) < 0 ? -1 : take_name(p, args);
    }
    return spl_fail(p, "from reads datamodel:NAME, savedsearch:NAME or inputlookup:NAME");
}

static int expand_table(struct run *run, const struct spl_command *command, struct slice name,
                        struct spl_expansion *out, struct err *err)
{
    struct sub_args *args = arena_calloc(run->arena, sizeof(*args));
    if (!args)
        return run_nomem(run, err);
    args->table = name;
    return expansion_add(run, out, command, &command_inputlookup, args, err);
}

static int expand(struct run *run, const struct spl_command *command, struct spl_expansion *out,
                  struct err *err)
{
    const struct from_args *args = command->args;
    struct model_rows rows = {.name = args->name};
    switch (args->kind) {
    case FROM_SAVED:
        return saved_expand(run, command, args->name, NULL, 0, out, err);
    case FROM_TABLE:
        return expand_table(run, command, args->name, out, err);
    case FROM_MODEL:
        break;
    }
    return model_rows_expand(run, command, &rows, out, err);
}

const struct command command_from = {
    .name = "from",
    .summary = "rows of a data model, a saved search or a table: from datamodel:Web.Web",
    .flags = COMMAND_GENERATES,
    .parse = parse,
    .expand = expand,
    .syntax = "from datamodel:MODEL[.NODE] | savedsearch:NAME | inputlookup:TABLE",
};
