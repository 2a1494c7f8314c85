/* replace: whole values by others; stars match anything and come back in the new value. */
#include "event/schema.h"
#include "search/rewrite.h"
#include "search/rows.h"

struct replacing {
    struct slice from, to;
};

struct replace_args {
    const struct replacing *list;
    size_t count;
    struct field_list fields;
};

/* A pattern keeps its backslashes: \* is a star. */
static int take_text(struct spl_parser *p, struct slice *out)
{
    if (!spl_is_field(p))
        return spl_fail(p, "here a value is missing");
    *out = p->token.text;
    return spl_advance(p);
}

static int parse(struct spl_parser *p, struct spl_command *command)
{
    struct replace_args *args = command_args(p, command, sizeof(*args));
    struct replacing *list = NULL;
    if (!args)
        return -1;
    for (bool more = true; more;) {
        list = spl_grow(p->arena, list, args->count, sizeof(*list));
        if (!list)
            return err_nomem(p->err);
        if (take_text(p, &list[args->count].from) < 0)
            return -1;
        if (!spl_at_word(p, "with"))
            return spl_fail(p, "here WITH and the new value are missing");
        if (spl_advance(p) < 0 || take_text(p, &list[args->count].to) < 0)
            return -1;
        args->count++;
        while (spl_at_sign(p, ","))
            if (spl_advance(p) < 0)
                return -1;
        more = spl_is_field(p) && !spl_at_word(p, "in");
    }
    args->list = list;
    if (spl_at_word(p, "in") &&
        (spl_advance(p) < 0 || spl_take_fields(p, NULL, false, &args->fields) < 0))
        return -1;
    return spl_expect_end(p);
}

static void want(const struct spl_command *command, struct wanted *wanted)
{
    const struct replace_args *args = command->args;
    wanted_add_list(wanted, &args->fields);
    if (args->fields.count == 0)
        wanted->all = true;
}

enum { STARS_MAX = 16 };

/* Greedy from the left is what people expect: "* *" on "a b c" takes a and "b c". */
static bool match(struct slice pattern, struct slice text, struct slice *stars, size_t count)
{
    for (size_t p = 0; p < pattern.len; p++) {
        char c = pattern.ptr[p];
        if (c == '*' && count < STARS_MAX) {
            struct slice rest = slice_from(pattern, p + 1);
            for (size_t len = 0; len <= text.len; len++)
                if (match(rest, slice_from(text, len), stars, count + 1)) {
                    stars[count] = slice_sub(text, 0, len);
                    return true;
                }
            return false;
        }
        if (c == '\\' && p + 1 < pattern.len &&
            (pattern.ptr[p + 1] == '*' || pattern.ptr[p + 1] == '\\'))
            c = pattern.ptr[++p];
        if (text.len == 0 || text.ptr[0] != c)
            return false;
        text = slice_from(text, 1);
    }
    return text.len == 0;
}

static struct slice filled(struct slice to, const struct slice *stars, struct arena *arena)
{
    struct buffer out;
    size_t star = 0;
    buffer_init(&out, MIB);
    for (size_t i = 0; i < to.len; i++) {
        if (to.ptr[i] == '\\' && i + 1 < to.len && to.ptr[i + 1] == '*')
            buffer_put_char(&out, to.ptr[++i]);
        else if (to.ptr[i] == '*' && star < STARS_MAX)
            buffer_put(&out, stars[star++]);
        else
            buffer_put_char(&out, to.ptr[i]);
    }
    struct slice copy = arena_copy(arena, buffer_slice(&out));
    buffer_close(&out);
    return copy;
}

static size_t star_count(struct slice pattern)
{
    size_t count = 0;
    for (size_t i = 0; i < pattern.len; i++)
        count += pattern.ptr[i] == '*';
    return count;
}

/* Backtracking is bounded: more than four stars in a pattern are not tried on long values. */
static int change(const void *context, struct run *run, struct value v, struct arena *arena,
                  struct value *out)
{
    const struct replace_args *args = context;
    (void)run;
    *out = v;
    for (size_t i = 0; i < args->count; i++) {
        struct slice stars[STARS_MAX];
        for (size_t k = 0; k < STARS_MAX; k++)
            stars[k] = SLICE("");
        struct slice text = value_text(*out, arena);
        if (!text.ptr)
            return -1;
        if (star_count(args->list[i].from) > 4 && text.len > 1000)
            continue;
        if (!match(args->list[i].from, text, stars, 0))
            continue;
        struct slice made = filled(args->list[i].to, stars, arena);
        if (!made.ptr)
            return -1;
        *out = value_string(made);
    }
    return 0;
}

static int push(struct stage *op, struct frame *frame, struct err *err)
{
    const struct replace_args *args = op->command->args;
    uint32_t columns = frame->batch->column_count;
    for (uint32_t c = 0; c < columns; c++) {
        struct slice name = frame->batch->columns[c]->name;
        bool listed = args->fields.count == 0 && !slice_equal(name, FIELD_TIMESTAMP) &&
                      !slice_equal(name, FIELD_ORIGINAL);
        for (size_t i = 0; i < args->fields.count; i++)
            listed |= slice_matches_stars(name, args->fields.names[i]);
        if (listed && frame_rewrite(op->run, frame, name, name, change, args, err) < 0)
            return -1;
    }
    return stage_push(op, frame, err);
}

const struct command command_replace = {
    .name = "replace",
    .summary = "values by others",
    .syntax = "replace OLD with NEW[, OLD with NEW ...] [in FIELD ...]",
    .notes = "The whole value must match; * stands for anything.",
    .flags = COMMAND_STREAMS,
    .parse = parse,
    .want = want,
    .push = push,
};
