/* cluster: rows whose text is alike: each row joins the first group whose first row is like it. */
#include "event/schema.h"
#include "search/commands/term_lists.h"
#include "search/hold.h"

#include <math.h>

enum cluster_match { MATCH_LIST, MATCH_SET, MATCH_NGRAMS };

struct cluster_args {
    struct value threshold;
    double t;
    struct slice delims, field, match_name;
    enum cluster_match match;
    bool show_count, label_only;
    struct slice count_field, label_field;
};

#define AT(f) offsetof(struct cluster_args, f)
static const struct command_option options[] = {
    {.name = "t", OPTION_NUMBER, AT(threshold), "how alike rows must be, 0 to 1 (0.8)"},
    {.name = "delims", OPTION_TEXT, AT(delims), "characters between words (all but letters, digits and _)"},
    {.name = "showcount", OPTION_BOOL, AT(show_count), "the size of the group (f)"},
    {.name = "countfield", OPTION_FIELD, AT(count_field), "its name (cluster_count)"},
    {.name = "labelfield", OPTION_FIELD, AT(label_field), "the number of the group (cluster_label)"},
    {.name = "field", OPTION_FIELD, AT(field), "the text that is compared (_raw)"},
    {.name = "labelonly", OPTION_BOOL, AT(label_only), "all rows with their number, not one a group (f)"},
    {.name = "match", OPTION_TEXT, AT(match_name), "termlist, termset or ngramset"},
};

static int parse(struct spl_parser *p, struct spl_command *command)
{
    static const char *const names[] = {"termlist", "termset", "ngramset"};
    struct cluster_args *args = command_args(p, command, sizeof(*args));
    size_t match = 0;
    if (!args)
        return -1;
    *args = (struct cluster_args){.field = FIELD_ORIGINAL,
                                  .match_name = SLICE("termlist"),
                                  .count_field = SLICE("cluster_count"),
                                  .label_field = SLICE("cluster_label")};
    if (spl_take_options(p, args) < 0)
        return -1;
    while (match < 3 && !slice_is_nocase(args->match_name, names[match]))
        match++;
    if (match == 3)
        return spl_fail(p, "match is termlist, termset or ngramset");
    args->match = (enum cluster_match)match;
    args->t = args->threshold.type ? value_to_f64(args->threshold) : 0.8;
    if (!(args->t > 0 && args->t <= 1))
        return spl_fail(p, "t is more than 0 and at most 1");
    return spl_expect_end(p);
}

static void want(const struct spl_command *command, struct wanted *wanted)
{
    wanted_add(wanted, ((const struct cluster_args *)command->args)->field);
}

struct group_found {
    struct term_list terms; /* of its first row */
    uint32_t first, count;
};

struct clustering {
    struct map words;
    struct group_found *groups;
    uint32_t count;
    uint32_t *of_row; /* UINT32_MAX: the row lacks the field */
};

/* What is not one of delims; without delims, words of letters, digits, _ and bytes beyond ASCII. */
static struct slice default_delims(struct arena *arena)
{
    char *to = arena_alloc(arena, 128);
    size_t len = 0;
    for (int c = 1; to && c < 128; c++) {
        bool word = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                    c == '_';
        if (!word)
            to[len++] = (char)c;
    }
    return to ? slice_of(to, len) : SLICE_NONE;
}

static bool alike(const struct cluster_args *args, const struct term_list *a,
                  const struct term_list *b)
{
    uint32_t low = a->count < b->count ? a->count : b->count;
    uint32_t high = a->count < b->count ? b->count : a->count;
    double share = high ? (double)low / high : 1;
    if (args->match == MATCH_LIST)
        return share >= args->t && term_list_in_order(a, b) >= args->t;
    return sqrt(share) >= args->t && term_list_as_sets(a, b) >= args->t - 1e-12;
}

static int place_row(struct stage *op, struct clustering *c, uint32_t row, struct slice text,
                     struct slice delims)
{
    const struct cluster_args *args = op->command->args;
    struct arena *arena = op->run->arena;
    uint32_t ids[TERMS_MAX + 1];
    struct term_list terms = {.ids = ids};
    int made = args->match == MATCH_NGRAMS ? term_list_ngrams(&c->words, text, &terms)
                                           : term_list_make(&c->words, text, delims, &terms);
    if (made < 0)
        return -1;
    if (args->match != MATCH_LIST)
        term_list_sort(&terms);
    uint32_t g = 0;
    while (g < c->count && !alike(args, &terms, &c->groups[g].terms))
        g++;
    if (g == c->count) {
        c->groups = spl_grow(arena, c->groups, c->count, sizeof(*c->groups));
        uint32_t *copy = arena_array(arena, terms.count + 1U, sizeof(*copy));
        if (!c->groups || !copy)
            return -1;
        memcpy(copy, ids, terms.count * sizeof(*copy));
        c->groups[c->count++] = (struct group_found){{copy, terms.count}, row, 0};
    }
    c->groups[g].count++;
    c->of_row[row] = g;
    return 0;
}

static int find_groups(struct stage *op, struct clustering *c, const struct batch *batch,
                       struct err *err)
{
    const struct cluster_args *args = op->command->args;
    const struct column *column = batch_find(batch, args->field);
    struct slice delims = args->delims.ptr ? args->delims : default_delims(op->run->arena);
    map_init(&c->words, op->run->arena);
    c->of_row = arena_array(op->run->arena, batch->row_count + 1U, sizeof(*c->of_row));
    if (!c->of_row || !delims.ptr)
        return run_nomem(op->run, err);
    for (uint32_t row = 0; row < batch->row_count; row++) {
        struct value v = column ? column_first(column, row) : value_null();
        struct slice text = rows_text(v, op->run->arena);
        c->of_row[row] = UINT32_MAX;
        if (row % 256 == 0 && run_check(op->run, err) < 0)
            return -1;
        if (text.ptr && place_row(op, c, row, text, delims) < 0)
            return run_nomem(op->run, err);
    }
    return 0;
}

static int finish(struct stage *op, struct err *err)
{
    const struct cluster_args *args = op->command->args;
    struct clustering c = {0};
    struct frame frame;
    bool failed;
    if (!hold_frame(op, &frame, &failed, err))
        return failed ? -1 : 0;
    uint32_t rows = frame.batch->row_count, count = 0;
    uint32_t *shown = arena_array(op->run->arena, rows + 1U, sizeof(*shown));
    struct column *label = frame_column(&frame, args->label_field);
    struct column *size = frame_column(&frame, args->count_field);
    if (!shown || !label || !size)
        return run_nomem(op->run, err);
    if (find_groups(op, &c, frame.batch, err) < 0)
        return -1;
    for (uint32_t row = 0; row < rows; row++) {
        uint32_t g = c.of_row[row];
        if (g == UINT32_MAX)
            continue;
        if (args->label_only || c.groups[g].first == row)
            shown[count++] = row;
        if (column_add(frame.batch, label, row, value_i64(g + 1)) < 0 ||
            column_add(frame.batch, size, row, value_i64(c.groups[g].count)) < 0)
            return run_nomem(op->run, err);
    }
    if (frame_put(&frame, label) < 0 || (args->show_count && frame_put(&frame, size) < 0))
        return run_nomem(op->run, err);
    return stage_emit(op, frame.batch, shown, count, err);
}

const struct command command_cluster = {
    .name = "cluster",
    .syntax = "cluster [options]",
    .summary = "groups of rows whose text is alike: cluster t=0.7 showcount=t field=message",
    .flags = COMMAND_HOLDS,
    .options = options,
    .option_count = ARRAY_COUNT(options),
    .parse = parse,
    .make = hold_make,
    .finish = finish,
    .want = want,
};
