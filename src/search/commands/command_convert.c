/* convert: numbers and times between their spellings. */
#include "base/time_pattern.h"
#include "search/rewrite.h"
#include "search/rows.h"

#include <math.h>

enum conversion {
    CONVERT_AUTO,
    CONVERT_NUM,
    CONVERT_RMUNIT,
    CONVERT_RMCOMMA,
    CONVERT_MEMK,
    CONVERT_DUR2SEC,
    CONVERT_MSTIME,
    CONVERT_CTIME,
    CONVERT_MKTIME,
    CONVERT_NONE,
};

struct converting {
    enum conversion kind;
    struct slice field, as;
};

struct convert_args {
    struct slice format;
    const struct converting *list;
    size_t count;
};

static const struct command_option options[] = {
    {.name = "timeformat",
     OPTION_TEXT,
     offsetof(struct convert_args, format),
     "of ctime and mktime",
     .standard = "%m/%d/%Y %H:%M:%S"},
};

static int take_kind(struct spl_parser *p, enum conversion *out)
{
    static const char *const names[] = {"auto",    "num",    "rmunit", "rmcomma", "memk",
                                        "dur2sec", "mstime", "ctime",  "mktime",  "none"};
    const char *nearest = NULL;
    size_t best = SIZE_MAX;
    for (size_t i = 0; i < ARRAY_COUNT(names); i++) {
        size_t distance = slice_distance(p->token.text, slice_text(names[i]));
        if (distance < best) {
            best = distance;
            nearest = names[i];
        }
        if (spl_at_word(p, names[i])) {
            *out = (enum conversion)i;
            return spl_advance(p);
        }
    }
    return spl_fail_near(p, nearest, "there is no conversion");
}

static int parse(struct spl_parser *p, struct spl_command *command)
{
    struct convert_args *args = command_args(p, command, sizeof(*args));
    struct converting *list = NULL;
    if (!args)
        return -1;
    args->format = SLICE("%m/%d/%Y %H:%M:%S");
    if (spl_take_options(p, args) < 0)
        return -1;
    while (p->token.kind != SPL_END) {
        struct converting one = {0};
        if (take_kind(p, &one.kind) < 0)
            return -1;
        if (!spl_at_sign(p, "("))
            return spl_fail(p, "here ( and a field are missing");
        if (spl_advance(p) < 0 || spl_take_field(p, &one.field) < 0)
            return -1;
        if (!spl_at_sign(p, ")"))
            return spl_fail(p, "here a closing ) is missing");
        one.as = one.field;
        if (spl_advance(p) < 0)
            return -1;
        if (spl_at_word(p, "as") && (spl_advance(p) < 0 || spl_take_field(p, &one.as) < 0))
            return -1;
        while (spl_at_sign(p, ","))
            if (spl_advance(p) < 0)
                return -1;
        list = spl_grow(p->arena, list, args->count, sizeof(*list));
        if (!list)
            return err_nomem(p->err);
        list[args->count++] = one;
    }
    args->list = list;
    return args->count ? 0 : spl_fail(p, "here a conversion such as ctime(field) is needed");
}

static void want(const struct spl_command *command, struct wanted *wanted)
{
    const struct convert_args *args = command->args;
    for (size_t i = args->count; i-- > 0;) {
        wanted_drop(wanted, args->list[i].as);
        wanted_add(wanted, args->list[i].field);
    }
}

/* ---- one value ---- */

struct context {
    const struct convert_args *args;
    enum conversion kind;
};

static struct value number_or_null(struct slice text, struct arena *arena)
{
    struct value n;
    return value_to_number(value_string(text), arena, &n) ? n : value_null();
}

static struct value without_commas(struct slice text, struct arena *arena)
{
    char *to = arena_alloc(arena, text.len + 1);
    size_t len = 0;
    for (size_t i = 0; to && i < text.len; i++)
        if (text.ptr[i] != ',')
            to[len++] = text.ptr[i];
    return to ? number_or_null(slice_of(to, len), arena) : value_null();
}

static size_t number_length(struct slice text)
{
    size_t i = text.len && (text.ptr[0] == '-' || text.ptr[0] == '+');
    while (i < text.len && ((text.ptr[i] >= '0' && text.ptr[i] <= '9') || text.ptr[i] == '.'))
        i++;
    return i;
}

static struct value memory_k(struct slice text, struct arena *arena)
{
    size_t len = number_length(text);
    struct value n = number_or_null(slice_sub(text, 0, len), arena);
    char unit = len < text.len ? (char)(text.ptr[len] | 0x20) : 'k';
    double factor = unit == 'k' ? 1 : unit == 'm' ? 1024 : unit == 'g' ? 1024.0 * 1024 : NAN;
    if (n.type == VALUE_NULL || isnan(factor))
        return value_null();
    return value_f64(value_to_f64(n) * factor);
}

/* [D+]HH:MM:SS, MM:SS.mmm */
static struct value duration(struct slice text)
{
    struct slice days = SLICE_NONE, rest = text, part;
    double total = 0, n;
    if (slice_cut(text, '+', &days, &rest) && !slice_to_f64(days, &total))
        return value_null();
    double seconds = 0;
    while (slice_next_part(&rest, ':', &part)) {
        if (!slice_to_f64(part, &n))
            return value_null();
        seconds = seconds * 60 + n;
    }
    return value_f64(total * 86400 + seconds);
}

static int make_time(const struct context *context, struct run *run, struct value v,
                     struct arena *arena, struct value *out)
{
    char small[VALUE_TEXT_SIZE];
    int64_t ns;
    if (context->kind == CONVERT_MKTIME) {
        struct time_pattern_in in = {.zone = run->scope.zone, .near_ns = run->scope.now_ns};
        size_t used;
        struct slice text = slice_trim(value_text_small(v, small));
        if (time_pattern_parse(context->args->format, text, &in, &ns, &used) && used == text.len)
            return value_to_number(value_time(ns), arena, out) ? 0 : -1;
        return 0;
    }
    if (v.type == VALUE_TIME)
        ns = v.i64;
    else if (!time_parse_epoch(value_text_small(v, small), &ns))
        return 0;
    struct buffer to;
    buffer_init(&to, 4096);
    time_pattern_format(context->args->format, ns, run->scope.zone, &to);
    struct slice copy = arena_copy(arena, buffer_slice(&to));
    buffer_close(&to);
    *out = value_string(copy);
    return copy.ptr ? 0 : -1;
}

static int change(const void *ptr, struct run *run, struct value v, struct arena *arena,
                  struct value *out)
{
    const struct context *context = ptr;
    struct slice text = value_text(v, arena);
    if (!text.ptr)
        return -1;
    *out = value_null();
    switch (context->kind) {
    case CONVERT_AUTO:
        *out = without_commas(text, arena);
        if (out->type == VALUE_NULL)
            *out = v;
        return 0;
    case CONVERT_NUM:
    case CONVERT_RMCOMMA:
        *out = without_commas(text, arena);
        return 0;
    case CONVERT_RMUNIT:
        *out = number_or_null(slice_sub(text, 0, number_length(text)), arena);
        return 0;
    case CONVERT_MEMK:
        *out = memory_k(text, arena);
        return 0;
    case CONVERT_DUR2SEC:
    case CONVERT_MSTIME:
        *out = duration(text);
        return 0;
    case CONVERT_CTIME:
    case CONVERT_MKTIME:
        return make_time(context, run, v, arena, out);
    case CONVERT_NONE:
        *out = v;
        return 0;
    }
    return 0;
}

static int convert_one(struct stage *op, struct frame *frame, const struct converting *one,
                       struct slice field, struct slice as, struct err *err)
{
    struct context context = {op->command->args, one->kind};
    return frame_rewrite(op->run, frame, field, as, change, &context, err);
}

static int push(struct stage *op, struct frame *frame, struct err *err)
{
    const struct convert_args *args = op->command->args;
    for (size_t i = 0; i < args->count; i++) {
        const struct converting *one = &args->list[i];
        bool wild = slice_find_char(one->field, '*') >= 0;
        uint32_t columns = frame->batch->column_count;
        for (uint32_t c = 0; wild && c < columns; c++) {
            struct slice name = frame->batch->columns[c]->name;
            if (slice_matches_stars(name, one->field) && one->kind != CONVERT_NONE &&
                convert_one(op, frame, one, name, name, err) < 0)
                return -1;
        }
        if (!wild && convert_one(op, frame, one, one->field, one->as, err) < 0)
            return -1;
    }
    return stage_push(op, frame, err);
}

const struct command command_convert = {
    .name = "convert",
    .summary = "numbers and times between spellings",
    .syntax = "convert [timeformat=TEXT] FUNCTION(FIELD) [as NEW] ...",
    .notes = "Functions: auto, num, rmunit, rmcomma, memk, dur2sec, mstime, ctime, mktime, none.",
    .flags = COMMAND_STREAMS,
    .options = options,
    .option_count = ARRAY_COUNT(options),
    .parse = parse,
    .want = want,
    .push = push,
};
