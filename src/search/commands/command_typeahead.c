/* typeahead: what could follow the letters that were typed: names of fields, name="value" pairs and
 * words of texts, the most frequent first. */
#include "event/schema.h"
#include "search/commands/stored.h"
#include "search/commands/term_lists.h"

#include <stdlib.h>


struct typeahead_args {
    struct slice prefix, index, collapse, start, end, max_time;
    int64_t count;
    struct field_list indexes;
};

#define AT(f) offsetof(struct typeahead_args, f)
static const struct command_option options[] = {
    {.name = "prefix", OPTION_TEXT, AT(prefix), "the letters that were typed"},
    {.name = "count", OPTION_I64, AT(count), "words given (50)"},
    {.name = "index", OPTION_TEXT, AT(index), "stars are allowed; several times for several"},
    {.name = "max_time", OPTION_TEXT, AT(max_time), "accepted"},
    {.name = "collapse", OPTION_TEXT, AT(collapse), "accepted"},
    {.name = "starttimeu", OPTION_TEXT, AT(start), "accepted"},
    {.name = "endtimeu", OPTION_TEXT, AT(end), "accepted"},
};

static int parse(struct spl_parser *p, struct spl_command *command)
{
    struct typeahead_args *args = command_args(p, command, sizeof(*args));
    if (!args)
        return -1;
    args->count = 50;
    if (stored_take_options(p, args, &args->index, &args->indexes, false) < 0)
        return -1;
    if (!args->prefix.len)
        return spl_fail(p, "typeahead needs prefix=, the letters that were typed");
    return spl_expect_end(p);
}

struct word {
    struct slice text;
    uint64_t count;
    bool name; /* of a field: = follows */
};

struct typing {
    struct stage *op;
    struct map words;
    struct word **list;
    uint32_t count, rows;
    bool cut;
};

static bool begins(const struct typing *t, struct slice text)
{
    struct slice prefix = ((const struct typeahead_args *)t->op->command->args)->prefix;
    return text.len >= prefix.len &&
           slice_equal_nocase(slice_sub(text, 0, prefix.len), prefix);
}

static int add(struct typing *t, struct slice text, uint64_t times, bool name)
{
    struct arena *arena = t->op->run->arena;
    struct word *word = begins(t, text) ? map_find(&t->words, text) : NULL;
    if (word)
        word->count += times;
    if (word || !begins(t, text))
        return 0;
    if (t->count >= TYPEAHEAD_WORDS_MAX) {
        t->cut = true;
        return 0;
    }
    word = arena_calloc(arena, sizeof(*word));
    t->list = spl_grow(arena, t->list, t->count, sizeof(*t->list));
    if (!word || !t->list || !(word->text = arena_copy(arena, text)).ptr)
        return -1;
    word->count = times;
    word->name = name;
    t->list[t->count++] = word;
    return map_put(&t->words, word->text, word);
}

static int add_words(struct typing *t, struct slice text)
{
    struct slice word;
    while (term_next(&text, SLICE(" \t\r\n[]<>(){}|!;,'\"&?+"), &word))
        if (add(t, word, 1, false) < 0)
            return -1;
    return 0;
}

static int add_column(struct typing *t, const struct frame *frame, const struct column *column)
{
    struct arena *arena = frame->batch->arena;
    struct slice name = spl_field_shown(column->name, NULL);
    const struct typeahead_args *args = t->op->command->args;
    size_t shared = args->prefix.len < name.len ? args->prefix.len : name.len;
    bool near = slice_equal_nocase(slice_sub(args->prefix, 0, shared), slice_sub(name, 0, shared));
    bool raw = slice_equal(column->name, FIELD_ORIGINAL);
    uint64_t count = 0;
    for (uint32_t i = 0; (raw || near) && i < column->count; i++) {
        if (!bits_get(frame->selected, column->rows[i]))
            continue;
        struct slice text = rows_text(column_value(column, i), arena);
        count++;
        if (raw && text.ptr && add_words(t, text) < 0)
            return -1;
        if (raw || !text.ptr || text.len > 200)
            continue;
        struct slice pair = arena_printf(arena, "%.*s=\"%.*s\"", SLICE_ARG(name), SLICE_ARG(text));
        if (!pair.ptr || add(t, pair, 1, false) < 0)
            return -1;
    }
    return count && !raw ? add(t, name, count, true) : 0;
}

static int visit(void *context, const struct frame *frame, struct err *err)
{
    struct typing *t = context;
    for (uint32_t c = 0; c < frame->batch->column_count; c++)
        if (add_column(t, frame, frame->batch->columns[c]) < 0)
            return run_nomem(t->op->run, err);
    t->rows += frame_count(frame);
    return t->rows >= TYPEAHEAD_ROWS;
}

static int by_count(const void *a, const void *b)
{
    const struct word *const *x = a, *const *y = b;
    if ((*x)->count != (*y)->count)
        return (*x)->count < (*y)->count ? 1 : -1;
    return slice_compare((*x)->text, (*y)->text);
}

static int finish(struct stage *op, struct err *err)
{
    const struct typeahead_args *args = op->command->args;
    struct typing t = {.op = op};
    struct stored_scan scan = {.indexes = &args->indexes, .newest_first = true};
    struct batch *out = frame_batch_new(op->run->arena, 0);
    map_init(&t.words, op->run->arena);
    if (!out)
        return run_nomem(op->run, err);
    if (stored_rows(op->run, &scan, visit, &t, err) < 0)
        return -1;
    if (t.rows >= TYPEAHEAD_ROWS || t.cut)
        run_message(op->run, "typeahead-limit", op->command, false,
                    "typeahead counted in the first %u rows%s", t.rows,
                    t.cut ? ", and the first 100000 words" : "");
    if (t.count)
        qsort(t.list, t.count, sizeof(*t.list), by_count);
    for (uint32_t i = 0; i < t.count && i < (uint64_t)args->count; i++) {
        uint32_t row = out->row_count++;
        if (batch_put(out, row, SLICE("content"), value_string(t.list[i]->text)) < 0 ||
            batch_put(out, row, SLICE("count"), value_i64((int64_t)t.list[i]->count)) < 0 ||
            batch_put(out, row, SLICE("operator"), value_i64(t.list[i]->name)) < 0)
            return run_nomem(op->run, err);
    }
    return stage_emit(op, out, NULL, out->row_count, err);
}

const struct command command_typeahead = {
    .name = "typeahead",
    .syntax = "typeahead prefix=TEXT [options]",
    .summary = "words to complete: typeahead prefix=sou count=10",
    .flags = COMMAND_GENERATES | COMMAND_TRANSFORMS,
    .options = options,
    .option_count = ARRAY_COUNT(options),
    .parse = parse,
    .push = stage_pass,
    .finish = finish,
};
