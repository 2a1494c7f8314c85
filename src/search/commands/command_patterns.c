/*
 * patterns: templates of log lines with how often each occurs, most frequent first.
 *
 *   login of ann from 10.0.0.1   }  login of <*> from <*>   2   66.7   login of ann ...
 *   login of bob from 10.0.0.2   }
 *
 * A parse tree of fixed depth after P. He and others, Drain: An Online Log Parsing Approach with Fixed
 * Depth Tree (2017): lines with the same number of words and the same first word share a leaf; in it a
 * line joins the template of whose fixed words it has the largest share, and where they differ the template gets <*>.
 * Words with a digit are variable from the start. A line costs the same however many have come.
 */
#include "event/schema.h"
#include "search/commands/term_lists.h"

#include <stdlib.h>

enum {
    PATTERN_LEAF_MAX = 100, /* templates in a leaf that are compared with */
    PATTERN_DEPTH = 1,    /* first words that must be equal */
    PATTERN_EXAMPLE_BYTES = 4096
};

struct patterns_args {
    struct slice field;
    struct value likeness;
    double t;
    int64_t shown;
};

#define AT(f) offsetof(struct patterns_args, f)
static const struct command_option options[] = {
    {.name = "field", OPTION_FIELD, AT(field), "the text (_raw)"},
    {.name = "t", OPTION_NUMBER, AT(likeness), "words of a template that must be equal, 0 to 1 (0.5)"},
    {.name = "limit", OPTION_I64, AT(shown), "templates shown (0: all)"},
};

static int parse(struct spl_parser *p, struct spl_command *command)
{
    struct patterns_args *args = command_args(p, command, sizeof(*args));
    if (!args)
        return -1;
    args->field = FIELD_ORIGINAL;
    if (spl_take_options(p, args) < 0)
        return -1;
    args->t = args->likeness.type ? value_to_f64(args->likeness) : 0.5;
    if (!(args->t > 0 && args->t <= 1))
        return spl_fail(p, "t is more than 0 and at most 1");
    return spl_expect_end(p);
}

static void want(const struct spl_command *command, struct wanted *wanted)
{
    wanted_reset(wanted);
    wanted_add(wanted, ((const struct patterns_args *)command->args)->field);
}

static const struct slice variable = {"<*>", 3};

struct template {
    struct slice *words; /* variable where lines differ */
    uint32_t count;
    uint64_t lines;
    struct slice example;
    struct template *next; /* in the leaf */
};

struct patterns {
    struct map leaves;
    struct template **list;
    uint32_t count;
    uint64_t lines, other; /* of all; those that found no place */
    struct slice other_example;
};

static bool has_digit(struct slice word)
{
    for (size_t i = 0; i < word.len; i++)
        if (word.ptr[i] >= '0' && word.ptr[i] <= '9')
            return true;
    return false;
}

/* Words of a line; those with a digit are variable. */
static uint32_t split_line(struct slice text, struct slice *words)
{
    uint32_t count = 0;
    while (count < TERMS_MAX && term_next(&text, SLICE(" \t\r\n"), &words[count])) {
        if (has_digit(words[count]))
            words[count] = variable;
        count++;
    }
    return count;
}

/* The number of words and the first ones. */
static struct slice leaf_key(const struct slice *words, uint32_t count, char to[256])
{
    size_t len = sizeof(count);
    memcpy(to, &count, sizeof(count));
    for (uint32_t i = 0; i < count && i < PATTERN_DEPTH; i++) {
        struct slice word = slice_sub(words[i], 0, 100);
        to[len++] = '\n';
        memcpy(to + len, word.ptr, word.len);
        len += word.len;
    }
    return slice_of(to, len);
}

static struct template *find_template(const struct template *first, const struct slice *words,
                                      uint32_t count, double least)
{
    const struct template *best = NULL;
    double most = 0;
    for (const struct template *t = first; t; t = t->next) {
        uint32_t same = 0, fixed = 0;
        for (uint32_t i = 0; i < count; i++) {
            bool open = t->words[i].ptr == variable.ptr;
            same += !open && slice_equal(t->words[i], words[i]);
            fixed += !open;
        }
        double share = fixed ? (double)same / fixed : 1;
        if (share >= least && share > most) {
            most = share;
            best = t;
        }
    }
    return (struct template *)(uintptr_t)best;
}

static void widen(struct template *t, const struct slice *words)
{
    for (uint32_t i = 0; i < t->count; i++)
        if (!slice_equal(t->words[i], words[i]))
            t->words[i] = variable;
}

static struct template *new_template(struct stage *op, const struct slice *words, uint32_t count,
                                     struct slice line)
{
    struct patterns *all = op->state;
    struct arena *arena = op->run->arena;
    struct template *t = arena_calloc(arena, sizeof(*t));
    all->list = spl_grow(arena, all->list, all->count, sizeof(*all->list));
    if (!t || !all->list || !(t->words = arena_array(arena, count + 1U, sizeof(*t->words))))
        return NULL;
    t->count = count;
    for (uint32_t i = 0; i < count; i++) {
        bool open = words[i].ptr == variable.ptr;
        t->words[i] = open ? variable : arena_copy(arena, words[i]);
        if (!t->words[i].ptr)
            return NULL;
    }
    t->example = arena_copy(arena, slice_sub(line, 0, PATTERN_EXAMPLE_BYTES));
    all->list[all->count++] = t;
    return t->example.ptr ? t : NULL;
}

static int add_line(struct stage *op, struct slice line)
{
    const struct patterns_args *args = op->command->args;
    struct patterns *all = op->state;
    struct slice words[TERMS_MAX];
    char room[256];
    uint32_t count = split_line(line, words), held = 0;
    struct slice key = leaf_key(words, count, room);
    struct template *first = map_find(&all->leaves, key);
    struct template *found = find_template(first, words, count, args->t);
    all->lines++;
    if (found) {
        widen(found, words);
        found->lines++;
        return 0;
    }
    for (const struct template *t = first; t; t = t->next)
        held++;
    if (all->count >= PATTERNS_MAX || held >= PATTERN_LEAF_MAX) {
        if (!all->other++)
            all->other_example = arena_copy(op->run->arena, slice_sub(line, 0, PATTERN_EXAMPLE_BYTES));
        return all->other_example.ptr ? 0 : -1;
    }
    found = new_template(op, words, count, line);
    struct slice copy = first ? key : arena_copy(op->run->arena, key);
    if (!found || !copy.ptr)
        return -1;
    found->lines = 1;
    found->next = first;
    return map_put(&all->leaves, copy, found);
}

static int push(struct stage *op, struct frame *frame, struct err *err)
{
    const struct patterns_args *args = op->command->args;
    const struct column *column = batch_find(frame->batch, args->field);
    for (uint32_t i = 0; column && i < column->count; i++) {
        if (!bits_get(frame->selected, column->rows[i]))
            continue;
        struct slice line = rows_text(column_value(column, i), frame->batch->arena);
        if (line.ptr && add_line(op, line) < 0)
            return run_nomem(op->run, err);
    }
    return run_check(op->run, err);
}

static int by_lines(const void *a, const void *b)
{
    const struct template *const *x = a, *const *y = b;
    if ((*x)->lines != (*y)->lines)
        return (*x)->lines < (*y)->lines ? 1 : -1;
    return slice_compare((*x)->example, (*y)->example);
}

static int put_row(struct stage *op, struct batch *out, struct slice pattern, uint64_t lines,
                   struct slice example)
{
    const struct patterns *all = op->state;
    uint32_t row = out->row_count++;
    double percent = 100.0 * (double)lines / (double)all->lines;
    return pattern.ptr && batch_put(out, row, SLICE("pattern"), value_string(pattern)) == 0 &&
                   batch_put(out, row, SLICE("count"), value_i64((int64_t)lines)) == 0 &&
                   batch_put(out, row, SLICE("percent"), rows_from_f64(percent)) == 0 &&
                   batch_put(out, row, SLICE("example"), value_string(example)) == 0
               ? 0
               : -1;
}

static struct slice pattern_text(struct stage *op, const struct template *t)
{
    struct buffer text;
    buffer_init(&text, MIB);
    for (uint32_t i = 0; i < t->count; i++) {
        buffer_put_text(&text, i ? " " : "");
        buffer_put(&text, t->words[i]);
    }
    if (t->count == TERMS_MAX)
        buffer_put_text(&text, " ...");
    struct slice copy =
        buffer_failed(&text) ? SLICE_NONE : arena_copy(op->run->arena, buffer_slice(&text));
    buffer_close(&text);
    return copy;
}

static int finish(struct stage *op, struct err *err)
{
    const struct patterns_args *args = op->command->args;
    struct patterns *all = op->state;
    struct batch *out = frame_batch_new(op->run->arena, 0);
    uint32_t shown = all->count;
    if (!out)
        return run_nomem(op->run, err);
    if (all->count)
        qsort(all->list, all->count, sizeof(*all->list), by_lines);
    if (args->shown && (uint64_t)args->shown < shown)
        shown = (uint32_t)args->shown;
    for (uint32_t i = 0; i < shown; i++)
        if (put_row(op, out, pattern_text(op, all->list[i]), all->list[i]->lines,
                    all->list[i]->example) < 0)
            return run_nomem(op->run, err);
    if (all->other) {
        run_message(op->run, "patterns-limit", op->command, true,
                    "patterns holds %d templates; %llu lines that are like none of them are counted "
                    "under <*>",
                    PATTERNS_MAX, (unsigned long long)all->other);
        if (put_row(op, out, variable, all->other, all->other_example) < 0)
            return run_nomem(op->run, err);
    }
    return stage_emit(op, out, NULL, out->row_count, err);
}

static int make(struct run *run, const struct spl_command *command, struct stage *op,
                struct err *err)
{
    struct patterns *all = arena_calloc(run->arena, sizeof(*all));
    (void)command;
    op->push = push;
    op->finish = finish;
    op->state = all;
    if (!all)
        return run_nomem(run, err);
    map_init(&all->leaves, run->arena);
    return 0;
}

const struct command command_patterns = {
    .name = "patterns",
    .syntax = "patterns [options]",
    .summary = "templates of log lines with count, per cent and an example: patterns t=0.6",
    .flags = COMMAND_TRANSFORMS | COMMAND_HOLDS,
    .options = options,
    .option_count = ARRAY_COUNT(options),
    .parse = parse,
    .make = make,
    .want = want,
};
