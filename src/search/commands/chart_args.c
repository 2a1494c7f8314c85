/* chart and timechart: options, aggregates and axes. */
#include "search/commands/chart.h"

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
    {.name = "format", OPTION_TEXT, AT(format), "names as $AGG$ and $VAL$"},
    {.name = "span", OPTION_SPAN, AT(span), "width of buckets"},
    {.name = "minspan", OPTION_SPAN, AT(min_span), "the least width"},
    {.name = "bins", OPTION_I64, AT(bins), "at most so many buckets", .standard = "100"},
    {.name = "cont", OPTION_BOOL, AT(cont), "empty buckets are rows", .standard = "t"},
    {.name = "partial",
     OPTION_BOOL,
     AT(partial),
     "buckets at the ends that are cut",
     .standard = "t"},
    {.name = "fixedrange",
     OPTION_BOOL,
     AT(fixed_range),
     "the whole range of the search",
     .standard = "t"},
    {.name = "aligntime", OPTION_TEXT, AT(align), "accepted, does nothing"},
    {.name = "agg", OPTION_TEXT, AT(format), "accepted, does nothing"},
};

static int read_limit(struct spl_parser *p, struct chart_args *args)
{
    struct slice text = args->limit_text;
    args->limit = 10;
    if (!text.ptr)
        return 0;
    args->bottom = slice_starts(text, SLICE("bottom"));
    if (args->bottom || slice_starts(text, SLICE("top")))
        text = slice_from(text, args->bottom ? 6 : 3);
    text = slice_trim(text);
    if (!slice_to_i64(text, &args->limit) || args->limit < 0)
        return spl_fail(p, "limit wants a whole number, top5 or bottom5");
    return 0;
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
    struct chart_args *args = arena_calloc(p->arena, sizeof(*args));
    if (!args)
        return err_nomem(p->err);
    command->args = args;
    *args = (struct chart_args){.other = SLICE("OTHER"),
                                .null = SLICE("NULL"),
                                .sep = SLICE(": "),
                                .use_other = true,
                                .use_null = true,
                                .cont = true,
                                .partial = true,
                                .fixed_range = true,
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
    if (spl_at_word(p, "where")) { /* where count in top5 */
        while (p->token.kind != SPL_END)
            if (spl_advance(p) < 0)
                return -1;
    }
    return read_limit(p, args) < 0 ? -1 : spl_expect_end(p);
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
