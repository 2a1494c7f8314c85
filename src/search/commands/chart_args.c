/* chart and timechart: options, aggregates and axes. */
#include "search/commands/chart.h"
#include "search/rows.h"

#include "event/schema.h"

#define AT(field) offsetof(struct chart_args, field)
const struct command_option chart_options[] = {
    {.name = "limit",
     OPTION_TEXT,
     AT(limit_text),
     "columns shown; 0: all; top5 or bottom5",
     .standard = "10"},
    {.name = "useother",
     OPTION_BOOL,
     AT(use_other),
     "a column for all the others",
     .standard = "t"},
    {.name = "usenull",
     OPTION_BOOL,
     AT(use_null),
     "a column for rows without the field",
     .standard = "t"},
    {.name = "otherstr",
     OPTION_TEXT,
     AT(other),
     "name of the column of the others",
     .standard = "OTHER"},
    {.name = "nullstr",
     OPTION_TEXT,
     AT(null),
     "name of the column of rows without the field",
     .standard = "NULL"},
    {.name = "sep", OPTION_TEXT, AT(sep), "between aggregate and value in names", .standard = ": "},
    {.name = "format",
     OPTION_TEXT,
     AT(format),
     "names from $AGG$ and $VAL$ where there are several aggregates"},
    {.name = "span", OPTION_SPAN, AT(span), "width of buckets"},
    {.name = "minspan", OPTION_SPAN, AT(min_span), "the least width"},
    {.name = "bins", OPTION_I64, AT(bins), "at most so many buckets", .standard = "100"},
    {.name = "cont", OPTION_BOOL, AT(cont), "empty buckets are rows", .standard = "t"},
    {.name = "partial",
     OPTION_BOOL,
     AT(partial),
     "buckets that an end of the range cuts",
     .standard = "t"},
    {.name = "fixedrange",
     OPTION_BOOL,
     AT(fixed_range),
     "the whole range of the search",
     .standard = "t"},
    {.name = "aligntime", OPTION_TEXT, AT(align), "accepted, does nothing"},
    {.name = "agg", OPTION_TEXT, AT(agg_text), "what limit ranks columns by", .standard = "sum"},
};

/* 10, top5 or bottom5. */
static bool read_limit(struct slice text, struct chart_args *args)
{
    args->bottom = slice_starts(text, SLICE("bottom"));
    if (args->bottom || slice_starts(text, SLICE("top")))
        text = slice_from(text, args->bottom ? 6 : 3);
    return slice_to_i64(slice_trim(text), &args->limit) && args->limit >= 0;
}

static int find_pick(struct spl_parser *p, struct slice name, struct chart_args *args)
{
    const char *nearest;
    args->pick.stat = stat_find(name, &args->pick.percent, &nearest);
    return args->pick.stat ? 0 : spl_fail_near(p, nearest, "there is no statistics function");
}

/* sum, or sum(field): the field is the first aggregate's in any case */
static int take_pick_stat(struct spl_parser *p, struct chart_args *args)
{
    if (find_pick(p, p->token.text, args) < 0 || spl_advance(p) < 0)
        return -1;
    if (!spl_at_sign(p, "("))
        return 0;
    while (p->token.kind != SPL_END && !spl_at_sign(p, ")"))
        if (spl_advance(p) < 0)
            return -1;
    if (p->token.kind == SPL_END)
        return spl_fail(p, "here a closing ) is missing");
    return spl_advance(p);
}

/* where sum in top5, where max notin bottom3, where avg > 10 */
static int take_where(struct spl_parser *p, struct chart_args *args)
{
    static const char HOW[] = "where is written: where sum in top5, or where max > 100";
    if (spl_advance(p) < 0 || take_pick_stat(p, args) < 0)
        return -1;
    args->pick.others = spl_at_word(p, "notin");
    if (args->pick.others || spl_at_word(p, "in")) {
        if (spl_advance(p) < 0)
            return -1;
        bool ranked = slice_starts(p->token.text, SLICE("top")) ||
                      slice_starts(p->token.text, SLICE("bottom"));
        return ranked && read_limit(p->token.text, args) ? spl_advance(p) : spl_fail(p, HOW);
    }
    struct slice word = p->token.text;
    bool above = slice_starts(word, SLICE(">"));
    if (p->token.kind != SPL_WORD || (!above && !slice_starts(word, SLICE("<"))))
        return spl_fail(p, HOW);
    args->pick.by = above ? PICK_ABOVE : PICK_BELOW;
    if (word.len == 1 && spl_advance(p) < 0)
        return -1;
    word = word.len == 1 ? p->token.text : slice_from(word, 1);
    return slice_to_f64(word, &args->pick.bound) ? spl_advance(p) : spl_fail(p, HOW);
}

static int take_split(struct spl_parser *p, struct chart_args *args, struct slice *to)
{
    if (spl_advance(p) < 0 || spl_take_field(p, to) < 0)
        return -1;
    if (spl_at_sign(p, ",") && spl_advance(p) < 0)
        return -1;
    return spl_take_options(p, args);
}

/* agg over x by y, agg by x y, agg by x */
static int take_axes(struct spl_parser *p, struct chart_args *args)
{
    bool over = spl_at_word(p, "over");
    if (over && take_split(p, args, &args->x) < 0)
        return -1;
    if (!spl_at_word(p, "by"))
        return 0;
    struct slice *first = args->x.ptr ? &args->y : &args->x;
    if (take_split(p, args, first) < 0)
        return -1;
    if (!over && first == &args->x && spl_is_field(p)) {
        if (spl_take_field(p, &args->y) < 0 || spl_take_options(p, args) < 0)
            return -1;
    }
    return 0;
}

int chart_parse(struct spl_parser *p, struct spl_command *command, bool time)
{
    static const char *const stops[] = {"by", "over", NULL};
    struct chart_args *args = command_args(p, command, sizeof(*args));
    if (!args)
        return -1;
    *args = (struct chart_args){.other = SLICE("OTHER"),
                                .null = SLICE("NULL"),
                                .sep = SLICE(": "),
                                .use_other = true,
                                .use_null = true,
                                .cont = true,
                                .partial = true,
                                .fixed_range = true,
                                .limit = 10,
                                .bins = 100};
    args->time = time;
    if (time)
        args->x = FIELD_TIMESTAMP;
    if (spl_take_options(p, args) < 0)
        return -1;
    bool closed = spl_at_sign(p, "("); /* timechart (avg(x)) */
    if (closed && spl_advance(p) < 0)
        return -1;
    if (spl_take_aggs(p, stops, &args->aggs) < 0 || take_axes(p, args) < 0)
        return -1;
    if (!args->x.ptr)
        return spl_fail(p, "chart needs a field for its rows: over x, or by x");
    if (find_pick(p, args->agg_text.ptr ? args->agg_text : SLICE("sum"), args) < 0)
        return -1;
    if (args->limit_text.ptr && !read_limit(args->limit_text, args))
        return spl_fail(p, "limit wants a whole number, top5 or bottom5");
    if (spl_at_word(p, "where") && (take_where(p, args) < 0 || spl_take_options(p, args) < 0))
        return -1;
    return spl_expect_end(p);
}

const struct agg_list *chart_aggs(const struct spl_command *command)
{
    bool is_chart =
        command->descriptor == &command_chart || command->descriptor == &command_timechart;
    return is_chart ? &((const struct chart_args *)command->args)->aggs : NULL;
}

void chart_want(const struct spl_command *command, struct wanted *wanted)
{
    const struct chart_args *args = command->args;
    wanted_reset(wanted);
    wanted_add(wanted, args->x);
    if (args->y.ptr)
        wanted_add(wanted, args->y);
    wanted_add_aggs(wanted, &args->aggs);
}
