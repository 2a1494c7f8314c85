/* rex: fields by named groups of a regular expression, or text replaced (mode=sed). */
#include "event/schema.h"
#include "search/rows.h"
#include "search/sed.h"

struct rex_args {
    struct slice field, mode, offset_field;
    int64_t max_match;
    struct slice pattern;
    struct regex *regex;
    struct sed *sed;
};

static const char *const mode_words[] = {"sed", NULL};

static const struct command_option options[] = {
    {.name = "field",
     OPTION_FIELD,
     offsetof(struct rex_args, field),
     "the field to read",
     .standard = "_raw"},
    {.name = "max_match",
     OPTION_I64,
     offsetof(struct rex_args, max_match),
     "matches kept; 0: all",
     .standard = "1"},
    {.name = "offset_field",
     OPTION_FIELD,
     offsetof(struct rex_args, offset_field),
     "where they stood"},
    {.name = "mode",
     OPTION_TEXT,
     offsetof(struct rex_args, mode),
     "replace instead",
     .words = mode_words},
};

static int compile(struct spl_parser *p, struct rex_args *args)
{
    if (slice_is_nocase(args->mode, "sed")) {
        struct err err;
        if (sed_parse(args->pattern, p->arena, &args->sed, &err) < 0)
            return spl_fail(p, "%s", err.text);
        return 0;
    }
    if (regex_new_in(p->arena, args->pattern, 0, &args->regex, p->err) < 0) {
        struct err err;
        if (p->err) {
            err = *p->err;
            spl_fail(p, "%s", err.text);
        }
        return -1;
    }
    if (regex_name_count(args->regex) == 0)
        return spl_fail(p, "the regular expression has no named group: write (?<field>...)");
    return 0;
}

static int parse(struct spl_parser *p, struct spl_command *command)
{
    struct rex_args *args = command_args(p, command, sizeof(*args));
    struct spl_token pattern = {0};
    if (!args)
        return -1;
    args->field = FIELD_ORIGINAL;
    args->max_match = 1;
    while (p->token.kind != SPL_END) {
        bool taken;
        if (spl_take_option(p, args, &taken) < 0)
            return -1;
        if (taken)
            continue;
        if (args->pattern.ptr || !spl_is_field(p))
            return spl_expect_end(p);
        pattern = p->token;
        args->pattern = p->token.text;
        if (spl_advance(p) < 0)
            return -1;
    }
    if (!args->pattern.ptr)
        return spl_fail(p, "here a regular expression in quotes is needed");
    p->token = pattern;
    return compile(p, args);
}

static void want(const struct spl_command *command, struct wanted *wanted)
{
    const struct rex_args *args = command->args;
    wanted_add(wanted, args->field);
    for (uint32_t i = 0; args->regex && i < regex_name_count(args->regex); i++) {
        uint32_t group; /* rows without a match keep what they have */
        wanted_add(wanted, spl_field_alias(regex_name(args->regex, i, &group)));
    }
}

static bool reads(const struct spl_command *command, struct text_use *use)
{
    const struct rex_args *args = command->args;
    if (!args->regex || (use->field.ptr && !slice_equal(use->field, args->field)))
        return false;
    use->field = args->field;
    use->whole = use->whole || args->offset_field.ptr;
    return regex_machine_add(use->machine, args->pattern);
}

/* ---- sed ---- */

static int push_sed(struct stage *op, struct frame *frame, struct err *err)
{
    const struct rex_args *args = op->command->args;
    const struct column *from = batch_find(frame->batch, args->field);
    struct column *to = frame_column(frame, args->field);
    for (uint32_t i = 0; to && from && i < from->count; i++) {
        if (!bits_get(frame->selected, from->rows[i]))
            continue;
        struct slice text = value_text(column_value(from, i), frame->batch->arena), changed;
        if (!text.ptr)
            continue;
        if (sed_apply(args->sed, text, frame->batch->arena, &changed, err) < 0)
            return -1;
        struct value v = changed.ptr == text.ptr ? column_value(from, i) : value_string(changed);
        if (column_add(frame->batch, to, from->rows[i], v) < 0)
            return run_nomem(op->run, err);
    }
    if (!to || frame_put(frame, to) < 0)
        return run_nomem(op->run, err);
    return stage_push(op, frame, err);
}

/* ---- groups ---- */

enum { NAMES_MAX = 64 };

struct captures {
    struct value values[NAMES_MAX];
    struct column *columns[NAMES_MAX];
    const struct column *old[NAMES_MAX];
    uint32_t groups[NAMES_MAX];
    uint32_t count;
    struct column *offsets;
};

/* Names may be used twice (in branches); they share a column. */
static int open_columns(struct stage *op, struct frame *frame, struct captures *c)
{
    const struct rex_args *args = op->command->args;
    c->count = regex_name_count(args->regex);
    c->count = c->count < NAMES_MAX ? c->count : NAMES_MAX;
    for (uint32_t i = 0; i < c->count; i++) {
        struct slice name = spl_field_alias(regex_name(args->regex, i, &c->groups[i]));
        c->columns[i] = NULL;
        for (uint32_t k = 0; k < i; k++)
            if (slice_equal(c->columns[k]->name, name))
                c->columns[i] = c->columns[k];
        c->old[i] = c->columns[i] ? NULL : batch_find(frame->batch, name);
        if (!c->columns[i] && !(c->columns[i] = frame_column(frame, name)))
            return -1;
    }
    c->offsets = args->offset_field.ptr ? frame_column(frame, args->offset_field) : NULL;
    return 0;
}

static int keep_old(struct frame *frame, struct captures *c, uint32_t i, uint32_t row)
{
    uint32_t first, count = c->old[i] ? column_range(c->old[i], row, &first) : 0;
    for (uint32_t k = 0; k < count; k++)
        if (column_add(frame->batch, c->columns[i], row, column_value(c->old[i], first + k)) < 0)
            return -1;
    return 0;
}

static int put_offset(struct stage *op, struct frame *frame, struct captures *c, uint32_t row,
                      struct slice text, const struct regex_groups *groups)
{
    const struct rex_args *args = op->command->args;
    for (uint32_t i = 0; c->offsets && i < c->count; i++) {
        struct slice part = c->groups[i] < groups->count ? groups->group[c->groups[i]] : SLICE_NONE;
        if (!part.ptr || !part.len)
            continue;
        uint32_t ignored;
        struct slice name = regex_name(args->regex, i, &ignored);
        struct slice say =
            arena_printf(frame->batch->arena, "%.*s=%td-%td", SLICE_ARG(name), part.ptr - text.ptr,
                         part.ptr - text.ptr + (ptrdiff_t)part.len - 1);
        if (!say.ptr || column_add(frame->batch, c->offsets, row, value_string(say)) < 0)
            return -1;
    }
    return 0;
}

/* All matches of one value; how many, or -1. */
static int match_value(struct stage *op, struct frame *frame, struct captures *c, uint32_t row,
                       struct slice text)
{
    const struct rex_args *args = op->command->args;
    struct regex_groups groups;
    size_t start = 0;
    int found = 0;
    while (start <= text.len && (args->max_match == 0 || found < args->max_match)) {
        enum regex_result result = regex_capture(args->regex, text, start, &groups);
        expr_regex_done(&op->run->scope, result);
        if (result != REGEX_YES || op->run->scope.stopped)
            break;
        for (uint32_t i = 0; i < c->count; i++) {
            struct slice part =
                c->groups[i] < groups.count ? groups.group[c->groups[i]] : SLICE_NONE;
            if (part.ptr && column_add(frame->batch, c->columns[i], row, value_string(part)) < 0)
                return -1;
        }
        if (put_offset(op, frame, c, row, text, &groups) < 0)
            return -1;
        size_t end = (size_t)(groups.group[0].ptr - text.ptr) + groups.group[0].len;
        start = end > start ? end : end + 1;
        found++;
    }
    return found;
}

/* at: the first entry of the row or a later one. */
static int match_row(struct stage *op, struct frame *frame, struct captures *c, uint32_t row,
                     const struct column *from, uint32_t at)
{
    uint32_t before[NAMES_MAX];
    for (uint32_t i = 0; i < c->count; i++)
        before[i] = c->columns[i]->count;
    for (; from && at < from->count && from->rows[at] == row; at++) {
        struct slice text = value_text(column_value(from, at), frame->batch->arena);
        if (text.ptr && match_value(op, frame, c, row, text) < 0)
            return -1;
    }
    for (uint32_t i = 0; i < c->count; i++)
        if (c->columns[i]->count == before[i] && keep_old(frame, c, i, row) < 0)
            return -1;
    return 0;
}

/* The next selected row, from this one on, that something may become of: it has a text, or what it has
 * already is kept. *at goes on to its entry. */
static uint32_t next_row(const struct frame *frame, const struct captures *c,
                         const struct column *from, uint32_t row, uint32_t *at)
{
    bool every = false;
    for (uint32_t i = 0; i < c->count; i++)
        every = every || c->old[i];
    for (;;) {
        row = frame_next(frame, row);
        while (from && *at < from->count && from->rows[*at] < row)
            ++*at;
        if (every || row >= frame->batch->row_count)
            return row;
        uint32_t next = from && *at < from->count ? from->rows[*at] : frame->batch->row_count;
        if (next <= row)
            return next;
        row = next;
    }
}

static int push(struct stage *op, struct frame *frame, struct err *err)
{
    const struct rex_args *args = op->command->args;
    struct captures c;
    uint32_t at = 0, rows = frame->batch->row_count;
    if (open_columns(op, frame, &c) < 0)
        return run_nomem(op->run, err);
    const struct column *from = batch_find(frame->batch, args->field);
    for (uint32_t row = 0; (row = next_row(frame, &c, from, row, &at)) < rows; row++) {
        if (match_row(op, frame, &c, row, from, at) < 0)
            return run_nomem(op->run, err);
        if (op->run->scope.stopped && run_check(op->run, err) < 0)
            return -1;
    }
    for (uint32_t i = 0; i < c.count; i++)
        if (frame_put(frame, c.columns[i]) < 0)
            return run_nomem(op->run, err);
    if (c.offsets && frame_put(frame, c.offsets) < 0)
        return run_nomem(op->run, err);
    return stage_push(op, frame, err);
}

static int make(struct run *run, const struct spl_command *command, struct stage *op,
                struct err *err)
{
    (void)run;
    (void)err;
    op->push = ((const struct rex_args *)command->args)->sed ? push_sed : push;
    return 0;
}

const struct command command_rex = {
    .name = "rex",
    .summary = "fields by a regular expression",
    .syntax = "rex [options] \"EXPRESSION with (?<field>...)\"",
    .notes = "An expression that takes too long on a row leaves the row as it was, and a message "
             "says so.",
    .flags = COMMAND_STREAMS | COMMAND_SPREADS,
    .options = options,
    .option_count = ARRAY_COUNT(options),
    .parse = parse,
    .make = make,
    .want = want,
    .reads = reads,
};
