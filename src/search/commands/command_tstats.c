/*
 * tstats: statistics over a data model or over events' own fields. It becomes a search, the model's names,
 * and stats, so it costs what those cost; prestats=true leaves the rows for a stats, chart or timechart
 * that follows.
 */
#include "event/schema.h"
#include "search/commands/fill_args.h"
#include "search/commands/model_fields.h"
#include "search/commands/row_filter.h"
#include "search/commands/stats_rows.h"
#include "search/commands/sub_rows.h"
#include "search/commands/tstats.h"
#include "search/parser.h"

#include <stdio.h>

struct tstats_args {
    bool prestats, append, accepted;
    int64_t chunk;
    struct slice fill;
    struct agg_list aggs;
    struct slice model;
    struct spl_search where;
    struct field_list by;
    struct slice span;
    struct field_list prefixes; /* PREFIX(a=): the column a= */
    const struct spl_query *own; /* append: itself as a search */
};

const struct command_option tstats_options[] = {
    {.name = "prestats", OPTION_BOOL, offsetof(struct tstats_args, prestats),
     "rows for a stats, chart or timechart that follows"},
    {.name = "append", OPTION_BOOL, offsetof(struct tstats_args, append), "after the rows that are there"},
    {.name = "fillnull_value", OPTION_TEXT, offsetof(struct tstats_args, fill),
     "what a missing by field counts as; without it such rows are left out"},
    {.name = "chunk_size", OPTION_I64, offsetof(struct tstats_args, chunk), "accepted, does nothing"},
    {.name = "summariesonly", OPTION_BOOL, offsetof(struct tstats_args, accepted),
     "accepted: there are no summaries, all events are read"},
    {.name = "allow_old_summaries", OPTION_BOOL, offsetof(struct tstats_args, accepted),
     "accepted, does nothing"},
    {.name = "include_reduced_buckets", OPTION_BOOL, offsetof(struct tstats_args, accepted),
     "accepted, does nothing"},
    {.name = "local", OPTION_BOOL, offsetof(struct tstats_args, accepted), "accepted, does nothing"},
    {.name = "use_summary_index_values", OPTION_BOOL, offsetof(struct tstats_args, accepted),
     "accepted, does nothing"},
};

/* ---- PREFIX(a=): written so that it is one word, and read back ---- */

#define MARK_OPEN '\x01'
#define MARK_EQUAL '\x02'
#define MARK_CLOSE '\x03'

/* The same length, so positions stay. */
static int mark_prefixes(struct spl_parser *p)
{
    struct slice rest = slice_sub(p->text, 0, p->end);
    char *copy = NULL;
    for (size_t at = p->token.start; at + 7 < rest.len; at++) {
        if (!slice_equal_nocase(slice_sub(rest, at, 7), SLICE("PREFIX(")))
            continue;
        ptrdiff_t close = slice_find_char(slice_from(rest, at), ')');
        if (close < 0)
            return spl_fail(p, "PREFIX( has no closing ); add it");
        if (!copy && !(copy = arena_string(p->arena, p->text)))
            return err_nomem(p->err);
        copy[at + 6] = MARK_OPEN;
        copy[at + (size_t)close] = MARK_CLOSE;
        for (size_t i = at + 7; i < at + (size_t)close; i++)
            copy[i] = copy[i] == '=' ? MARK_EQUAL : copy[i] == '"' || copy[i] == ' ' ? MARK_OPEN : copy[i];
    }
    if (!copy)
        return 0;
    p->text = slice_of(copy, p->text.len);
    p->at = p->token.start;
    return spl_advance(p);
}

/* name with marks read back; *prefix gets what is inside of PREFIX( ). */
static int unmark(struct spl_parser *p, struct slice *name, struct slice *prefix)
{
    *prefix = SLICE_NONE;
    if (slice_find_char(*name, MARK_OPEN) < 0)
        return 0;
    char *to = arena_alloc(p->arena, name->len + 1);
    size_t len = 0, inside = 0;
    if (!to)
        return err_nomem(p->err);
    for (size_t i = 0; i < name->len; i++) {
        char c = name->ptr[i];
        if (c == MARK_OPEN && !inside) { /* the word PREFIX goes */
            len -= 6;
            inside = len + 1;
        } else if (c == MARK_CLOSE && inside) {
            *prefix = slice_of(to + inside - 1, len - inside + 1);
        } else if (c != MARK_OPEN) {
            to[len++] = c;
        }
        if (c == MARK_EQUAL)
            to[len - 1] = '=';
    }
    *name = slice_of(to, len);
    return prefix->len ? 0 : spl_fail(p, "PREFIX( ) needs the beginning of a term, such as level=");
}

static int note_prefix(struct spl_parser *p, struct tstats_args *args, struct slice *name)
{
    struct slice prefix;
    if (unmark(p, name, &prefix) < 0)
        return -1;
    if (!prefix.ptr)
        return 0;
    struct slice *names = (struct slice *)(uintptr_t)args->prefixes.names;
    names = spl_grow(p->arena, names, args->prefixes.count, sizeof(*names));
    if (!names)
        return err_nomem(p->err);
    names[args->prefixes.count++] = prefix;
    args->prefixes.names = names;
    return 0;
}

/* ---- reading ---- */

/* dc("DNS.query") is called dc(DNS.query). */
static int plain_name(struct spl_parser *p, struct slice *name)
{
    if (slice_find_char(*name, '"') < 0)
        return 0;
    char *to = arena_alloc(p->arena, name->len + 1);
    size_t len = 0;
    for (size_t i = 0; to && i < name->len; i++)
        if (name->ptr[i] != '"')
            to[len++] = name->ptr[i];
    *name = slice_of(to, len);
    return to ? 0 : err_nomem(p->err);
}

static int add_aggs(struct spl_parser *p, struct tstats_args *args, const struct agg_list *more)
{
    struct agg *aggs = (struct agg *)(uintptr_t)args->aggs.aggs;
    for (size_t i = 0; i < more->count; i++) {
        struct agg agg = more->aggs[i];
        struct slice unused;
        bool metrics = p->command->descriptor == &command_mstats;
        if (metrics && slice_is(agg.field, "_value"))
            return spl_fail(p, "a metric is a column here: name it, as in avg(cpu.usage)");
        if (agg.wild && !metrics)
            return spl_fail(p, "tstats needs the name of a field, without a star, in %.*s",
                            SLICE_ARG(agg.name));
        aggs = spl_grow(p->arena, aggs, args->aggs.count, sizeof(*aggs));
        if (!aggs)
            return err_nomem(p->err);
        if ((agg.field.ptr && note_prefix(p, args, &agg.field) < 0) ||
            unmark(p, &agg.name, &unused) < 0 || plain_name(p, &agg.name) < 0)
            return -1;
        aggs[args->aggs.count++] = agg;
        args->aggs.aggs = aggs;
    }
    return 0;
}

static int take_aggs(struct spl_parser *p, struct tstats_args *args)
{
    static const char *const stops[] = {
        "from", "where", "by", "groupby", "prestats", "append", "fillnull_value", "chunk_size",
        "summariesonly", "allow_old_summaries", "include_reduced_buckets", "local", NULL};
    for (;;) {
        struct agg_list some;
        if (spl_take_options(p, args) < 0)
            return -1;
        if (p->token.kind == SPL_END || spl_at_word(p, "from") || spl_at_word(p, "where") ||
            spl_at_word(p, "by") || spl_at_word(p, "groupby"))
            return args->aggs.count
                       ? 0
                       : spl_fail(p, "here a function such as count or avg(field) is needed");
        if (spl_take_aggs(p, stops, &some) < 0 || add_aggs(p, args, &some) < 0)
            return -1;
    }
}

static int take_from(struct spl_parser *p, struct tstats_args *args)
{
    if (!spl_at_word(p, "from"))
        return 0;
    if (spl_advance(p) < 0)
        return -1;
    if (p->token.kind == SPL_END)
        return spl_fail(p, "after from a data model is missing: from datamodel=NAME");
    if (!spl_at_word(p, "datamodel"))
        return spl_fail(p, "tstats reads a data model (from datamodel=NAME) or, without from, the "
                           "events");
    if (spl_advance(p) < 0)
        return -1;
    if (!spl_at_sign(p, "="))
        return spl_fail(p, "after from a data model is missing: from datamodel=NAME");
    return spl_take_value(p, &args->model);
}

static int take_where(struct spl_parser *p, struct tstats_args *args)
{
    static const char *const stops[] = {"by", "groupby", NULL};
    if (!spl_at_word(p, "where"))
        return 0;
    return spl_advance(p) < 0 ? -1 : spl_take_search(p, true, stops, &args->where);
}

static int take_span(struct spl_parser *p, struct tstats_args *args)
{
    struct span span;
    struct spl_token at = p->token;
    if (spl_advance(p) < 0 || spl_take_value(p, &args->span) < 0)
        return -1;
    if (span_parse(args->span, &span) && span.kind == SPAN_TIME)
        return 0;
    p->token = at;
    return spl_fail(p, "span wants a span of time such as 5m or 1d");
}

static int take_by(struct spl_parser *p, struct tstats_args *args)
{
    struct slice *names = NULL;
    if (!spl_at_word(p, "by") && !spl_at_word(p, "groupby"))
        return 0;
    if (spl_advance(p) < 0)
        return -1;
    while (spl_is_field(p)) {
        if (spl_at_option(p) && spl_at_word(p, "span")) {
            if (take_span(p, args) < 0)
                return -1;
        } else {
            names = spl_grow(p->arena, names, args->by.count, sizeof(*names));
            if (!names)
                return err_nomem(p->err);
            if (spl_take_field(p, &names[args->by.count]) < 0 ||
                note_prefix(p, args, &names[args->by.count]) < 0)
                return -1;
            if (slice_find_char(names[args->by.count], '*') >= 0)
                return spl_fail(p, "by needs names of fields, without stars");
            args->by.names = names;
            args->by.count++;
        }
        while (spl_at_sign(p, ","))
            if (spl_advance(p) < 0)
                return -1;
    }
    if (args->by.count > 64)
        return spl_fail(p, "tstats groups by at most 64 fields");
    return args->by.count ? 0 : spl_fail(p, "here the name of a field is needed");
}

static bool groups_by(const struct tstats_args *args, struct slice name)
{
    for (size_t i = 0; i < args->by.count; i++)
        if (slice_equal(args->by.names[i], name))
            return true;
    return false;
}

/* mstats with a span groups by time first. */
static int add_time(struct spl_parser *p, struct tstats_args *args)
{
    struct slice *names = arena_array(p->arena, args->by.count + 1, sizeof(*names));
    if (!names)
        return err_nomem(p->err);
    names[0] = FIELD_TIMESTAMP;
    for (size_t i = 0; i < args->by.count; i++)
        names[i + 1] = args->by.names[i];
    args->by.names = names;
    args->by.count++;
    return 0;
}

static int parse_parts(struct spl_parser *p, struct tstats_args *args)
{
    if (mark_prefixes(p) < 0 || take_aggs(p, args) < 0 || take_from(p, args) < 0 ||
        take_where(p, args) < 0 || take_by(p, args) < 0)
        return -1;
    bool timeless = args->span.ptr && !groups_by(args, FIELD_TIMESTAMP);
    if (timeless && p->command->descriptor != &command_mstats)
        return spl_fail(p, "span is the width of _time; add _time behind by");
    if (timeless && add_time(p, args) < 0)
        return -1;
    return spl_expect_end(p);
}

/* Behind other commands, with append, it is a search of its own that has its own time range. */
int tstats_parse(struct spl_parser *p, struct spl_command *command)
{
    struct slice text = p->text;
    struct tstats_args *args = arena_calloc(p->arena, sizeof(*args));
    struct spl_query *outer = p->query, *own = arena_calloc(p->arena, sizeof(*own));
    struct spl_command *copy = arena_calloc(p->arena, sizeof(*copy));
    if (!args || !own || !copy)
        return err_nomem(p->err);
    command->args = args;
    bool first = outer->commands == command;
    if (!first) {
        *own = (struct spl_query){.text = text, .commands = copy, .command_count = 1};
        p->query = own;
    }
    int result = parse_parts(p, args);
    p->query = outer;
    p->text = text;
    outer->has_macros |= own->has_macros;
    if (result < 0 || first)
        return result;
    *copy = *command;
    copy->next = NULL;
    args->own = own;
    return args->append || own->has_macros
               ? 0
               : spl_fail(p, "%s makes rows and stands first; behind other commands it takes "
                             "append=true", command->descriptor->name);
}

/* ---- as other commands ---- */

static void add_visited(void *context, struct slice name)
{
    struct field_list *list = ((void **)context)[0];
    struct arena *arena = ((void **)context)[1];
    struct slice *names = (struct slice *)(uintptr_t)list->names;
    names = spl_grow(arena, names, list->count, sizeof(*names));
    list->wild |= !names; /* memory was out */
    if (names)
        names[list->count++] = name;
    list->names = names;
}

/* All names that must be columns behind the model's names. */
static int used_names(struct run *run, const struct tstats_args *args, const struct expr *rest,
                      struct field_list *out, struct err *err)
{
    void *context[] = {out, run->arena};
    bool all = false;
    *out = (struct field_list){0};
    for (size_t i = 0; i < args->by.count; i++)
        add_visited(context, args->by.names[i]);
    for (size_t i = 0; i < args->aggs.count; i++) {
        if (args->aggs.aggs[i].expr)
            expr_fields(args->aggs.aggs[i].expr, add_visited, context, &all);
        else if (args->aggs.aggs[i].field.ptr && !args->aggs.aggs[i].wild)
            add_visited(context, args->aggs.aggs[i].field);
    }
    if (rest)
        expr_fields(rest, add_visited, context, &all);
    return out->wild ? run_nomem(run, err) : 0;
}

static int add_search(struct run *run, struct spl_expansion *out, const struct spl_command *command,
                      const struct expr *expr, struct err *err)
{
    struct spl_search *args = arena_calloc(run->arena, sizeof(*args));
    if (!args)
        return run_nomem(run, err);
    args->expr = expr;
    return expansion_add(run, out, command, &command_search, args, err);
}

static int add_names(struct model_view *view, struct spl_expansion *out,
                     const struct spl_command *command, const struct expr *rest, struct err *err)
{
    const struct tstats_args *args = command->args;
    struct run *run = view->run;
    struct field_list used;
    struct model_fields *fields = arena_calloc(run->arena, sizeof(*fields));
    if (!fields)
        return run_nomem(run, err);
    if (used_names(run, args, rest, &used, err) < 0)
        return -1;
    for (size_t i = 0; i < args->prefixes.count; i++)
        if (model_fields_add_prefix(run, fields, args->prefixes.names[i], err) < 0)
            return -1;
    for (size_t i = 0; i < used.count; i++)
        if (model_fields_add(view, fields, used.names[i], err) < 0)
            return -1;
    return fields->count ? expansion_add(run, out, command, &command_model_fields, fields, err) : 0;
}

static int add_stats(struct run *run, struct spl_expansion *out, const struct spl_command *command,
                     struct err *err)
{
    const struct tstats_args *args = command->args;
    struct stats_args *stats = arena_calloc(run->arena, sizeof(*stats));
    if (!stats)
        return run_nomem(run, err);
    stats->aggs = args->aggs;
    stats->by = args->by;
    stats->fill = args->fill;
    return expansion_add(run, out, command, &command_stats, stats, err);
}

/* Rows as stats would take them: by fields filled, or all of them there. */
static int add_prestats(struct run *run, struct spl_expansion *out,
                        const struct spl_command *command, struct err *err)
{
    const struct tstats_args *args = command->args;
    const struct expr *all = NULL;
    if (args->fill.ptr && args->by.count) {
        struct fill_args *fill = arena_calloc(run->arena, sizeof(*fill));
        if (!fill)
            return run_nomem(run, err);
        *fill = (struct fill_args){args->fill, args->by};
        return expansion_add(run, out, command, &command_fillnull, fill, err);
    }
    for (size_t i = 0; i < args->by.count; i++) {
        const struct expr *one = expr_test_new(run->arena, args->by.names[i], TEST_EXISTS, 0, SLICE(""));
        if (!one || !(all = expr_and(run->arena, all, one)))
            return run_nomem(run, err);
    }
    return all ? add_search(run, out, command, all, err) : 0;
}

static int add_bin(struct run *run, struct spl_expansion *out, const struct spl_command *command,
                   struct err *err)
{
    const struct tstats_args *args = command->args;
    if (!args->span.ptr)
        return 0;
    struct slice text = arena_printf(run->arena, "* | bin span=%.*s _time", SLICE_ARG(args->span));
    struct spl_query *query;
    if (!text.ptr)
        return run_nomem(run, err);
    if (spl_parse(text, run->arena, &query, err) < 0)
        return -1;
    const struct spl_command *bin = query->commands->next;
    return expansion_add(run, out, command, bin->descriptor, bin->args, err);
}

int tstats_expand(struct run *run, const struct spl_command *command, struct spl_expansion *out,
                  struct err *err)
{
    const struct tstats_args *args = command->args;
    struct model_view view = {.run = run};
    const struct expr *where, *pushed, *rest, *all;
    if ((args->model.ptr && model_open(run, args->model, &view, err) < 0) ||
        filter_resolve(run, &args->where, &where, err) < 0 ||
        model_constraint(&view, view.node, &all, err) < 0 ||
        model_split(&view, where, &pushed, &rest, err) < 0)
        return -1;
    if (pushed && !(all = expr_and(run->arena, all, pushed)))
        return run_nomem(run, err);
    if (command->descriptor == &command_mcatalog) {
        const struct expr *metric = expr_test_new(run->arena, FIELD_METRIC_NAME, TEST_EXISTS, 0, SLICE(""));
        if (!metric || !(all = expr_and(run->arena, all, metric)))
            return run_nomem(run, err);
    }
    if (add_search(run, out, command, all, err) < 0 ||
        add_names(&view, out, command, rest, err) < 0 ||
        (rest && add_search(run, out, command, rest, err) < 0) ||
        add_bin(run, out, command, err) < 0)
        return -1;
    return args->prestats ? add_prestats(run, out, command, err)
                          : add_stats(run, out, command, err);
}

static int finish(struct stage *op, struct err *err)
{
    const struct tstats_args *args = op->command->args;
    struct batch *rows;
    return run_subsearch(op->run, args->own, &rows, err) < 0 ? -1 : sub_emit(op, rows, 0, err);
}

int tstats_make(struct run *run, const struct spl_command *command, struct stage *op,
                struct err *err)
{
    const struct tstats_args *args = command->args;
    (void)run;
    op->push = stage_pass;
    op->finish = finish;
    return args->own ? 0
                     : err_set(err, ERR_CONFIG, "tstats stands first; behind other commands it takes "
                                                "append=true");
}

const struct command command_tstats = {
    .name = "tstats",
    .summary = "statistics of a data model: tstats count from datamodel=Web where Web.status=404 by Web.src",
    TSTATS_PARTS,
    .syntax = "tstats [options] FUNCTION(FIELD) [as NAME] ... [from datamodel=MODEL[.NODE]] [where TERMS] [by FIELD ... [span=SPAN]]",
    .notes = "There are no summaries: all events are read, and without span _time stays exact.\n"
             "A field that the model does not have counts as missing, and a message says so.",
};
