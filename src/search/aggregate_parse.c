#include "search/aggregate.h"

#include <stdio.h>

static bool at_stop(const struct spl_parser *p, const char *const *stops)
{
    for (; stops && *stops; stops++)
        if (spl_at_word(p, *stops))
            return true;
    return false;
}

bool spl_at_agg(const struct spl_parser *p)
{
    const char *nearest;
    double percent;
    return p->token.kind == SPL_WORD &&
           (stat_find(p->token.text, &percent, &nearest) || spl_at_word(p, "sparkline"));
}

static int find_stat(struct spl_parser *p, struct agg *agg)
{
    const char *nearest;
    if (p->token.kind != SPL_WORD)
        return spl_fail(p, "here a function such as count or avg(field) is needed");
    agg->stat = stat_find(p->token.text, &agg->percent, &nearest);
    return agg->stat ? 0 : spl_fail_near(p, nearest, "there is no statistics function");
}

/* The field inside of the brackets may hold almost anything: it ends at the closing one. */
static int take_argument(struct spl_parser *p, struct agg *agg)
{
    if (spl_at_word(p, "eval") && p->at < p->end && p->text.ptr[p->at] == '(') {
        if (spl_advance(p) < 0 || spl_advance(p) < 0 || spl_take_expr(p, &agg->expr) < 0)
            return -1;
        if (!spl_at_sign(p, ")"))
            return spl_fail(p, "here a closing ) is missing");
        agg->field = arena_printf(p->arena, "eval:%d", agg->expr->start);
        return agg->field.ptr ? spl_advance(p) : err_nomem(p->err);
    }
    if (spl_at_sign(p, ")"))
        return agg->stat->flags & STAT_ROWS ? 0 : spl_fail(p, "here the name of a field is needed");
    if (p->token.kind == SPL_WORD) {
        size_t start = p->token.start, at = p->token.end;
        while (at < p->end && p->text.ptr[at] != ')' && p->text.ptr[at] != ',' &&
               p->text.ptr[at] != '(' && p->text.ptr[at] != '"')
            at++;
        p->at = at;
        agg->field = spl_field_alias(slice_trim(slice_sub(p->text, start, at - start)));
        agg->wild = slice_find_char(agg->field, '*') >= 0;
        return spl_advance(p);
    }
    return spl_take_field(p, &agg->field);
}

static int take_call(struct spl_parser *p, struct agg *agg)
{
    if (find_stat(p, agg) < 0)
        return -1;
    struct spl_token name = p->token;
    if (spl_advance(p) < 0)
        return -1;
    if (spl_at_sign(p, "(")) {
        if (spl_advance(p) < 0 || take_argument(p, agg) < 0)
            return -1;
        return spl_at_sign(p, ")") || (agg->sparkline && spl_at_sign(p, ","))
                   ? 0
                   : spl_fail(p, "here a closing ) is missing");
    }
    if (agg->stat->flags & STAT_ROWS)
        return 0;
    /* alone it means every field with numbers */
    (void)name;
    agg->field = SLICE("*");
    agg->wild = true;
    return 0;
}

/* sparkline(agg(f), span), sparkline(count), sparkline */
static int take_sparkline(struct spl_parser *p, struct agg *agg)
{
    const char *nearest;
    agg->sparkline = true;
    if (spl_advance(p) < 0)
        return -1;
    if (!spl_at_sign(p, "(")) {
        agg->stat = stat_find(SLICE("count"), &agg->percent, &nearest);
        return 0;
    }
    if (spl_advance(p) < 0 || take_call(p, agg) < 0)
        return -1;
    if (spl_at_sign(p, ")") && spl_advance(p) < 0)
        return -1;
    if (spl_at_sign(p, ",")) {
        if (spl_advance(p) < 0)
            return -1;
        if (!span_parse(p->token.text, &agg->spark_span) || agg->spark_span.kind != SPAN_TIME)
            return spl_fail(p, "here a span such as 1h is needed");
        if (spl_advance(p) < 0)
            return -1;
    }
    return 0;
}

static int take_agg(struct spl_parser *p, struct agg *agg)
{
    size_t start = p->token.start;
    bool spark = spl_at_word(p, "sparkline");
    *agg = (struct agg){0};
    if ((spark ? take_sparkline(p, agg) : take_call(p, agg)) < 0)
        return -1;
    bool closed = spl_at_sign(p, ")");
    size_t end = closed ? p->token.end : start;
    if (closed && spl_advance(p) < 0)
        return -1;
    if (!closed)
        for (end = start; end < p->end && p->text.ptr[end] != ' ' && p->text.ptr[end] != ',' &&
                          p->text.ptr[end] != '\n' && p->text.ptr[end] != '\t' &&
                          end < p->token.start;)
            end++;
    agg->name = slice_trim(slice_sub(p->text, start, end - start));
    if (agg->wild && slice_is(agg->field, "*") && !closed)
        agg->name = arena_printf(p->arena, "%.*s(*)", SLICE_ARG(agg->name));
    if (!spl_at_word(p, "as"))
        return 0;
    if (spl_advance(p) < 0)
        return -1;
    return spl_take_field(p, &agg->name);
}

int spl_take_aggs(struct spl_parser *p, const char *const *stops, struct agg_list *out)
{
    struct agg *aggs = NULL;
    *out = (struct agg_list){0};
    while (p->token.kind != SPL_END && !at_stop(p, stops)) {
        aggs = spl_grow(p->arena, aggs, out->count, sizeof(*aggs));
        if (!aggs)
            return err_nomem(p->err);
        if (take_agg(p, &aggs[out->count]) < 0)
            return -1;
        out->count++;
        while (spl_at_sign(p, ","))
            if (spl_advance(p) < 0)
                return -1;
    }
    out->aggs = aggs;
    return out->count ? 0 : spl_fail(p, "here a function such as count or avg(field) is needed");
}

void wanted_add_aggs(struct wanted *wanted, const struct agg_list *list)
{
    for (size_t i = 0; i < list->count; i++) {
        const struct agg *agg = &list->aggs[i];
        if (agg->expr)
            wanted_add_expr(wanted, agg->expr);
        else if (agg->field.ptr)
            wanted_add(wanted, agg->field);
        /* earliest, latest and rate go by the time; so do sparklines */
        if (agg->sparkline || slice_find(slice_text(agg->stat->name), SLICE("est")) >= 0 ||
            slice_is(slice_text(agg->stat->name), "rate"))
            wanted_add(wanted, SLICE("@timestamp"));
    }
}
