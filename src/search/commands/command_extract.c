/* extract (kv): fields of key=value text.
 *
 *   a=1, b="two words" c=3          without delimiters: name=value anywhere in the text
 *   a:1|b:2|c                       pairdelim="|" kvdelim=":": each character is a delimiter
 */
#include "event/schema.h"
#include "search/rows.h"

enum { EXTRACT_PAIRS = 50, EXTRACT_CHARS = 10240 };

struct extract_args {
    struct slice pair_delims, key_delims;
    int64_t limit, chars;
    bool clean, add, reload;
    struct slice name;
};

#define AT(field) offsetof(struct extract_args, field)
static const struct command_option options[] = {
    {.name = "pairdelim", OPTION_TEXT, AT(pair_delims), "characters between pairs"},
    {.name = "kvdelim", OPTION_TEXT, AT(key_delims), "characters between key and value"},
    {.name = "limit", OPTION_I64, AT(limit), "pairs taken of a row (50; 0: all)"},
    {.name = "maxchars", OPTION_I64, AT(chars), "bytes of a row's text that are looked at (10240; 0: all)"},
    {.name = "clean_keys", OPTION_BOOL, AT(clean), "keys of letters, digits and _ only (t)"},
    {.name = "mv_add", OPTION_BOOL, AT(add), "a key that comes again adds a value (f)"},
    {.name = "reload", OPTION_BOOL, AT(reload), "accepted"},
};

static int parse(struct spl_parser *p, struct spl_command *command)
{
    struct extract_args *args = command_args(p, command, sizeof(*args));
    if (!args)
        return -1;
    args->limit = EXTRACT_PAIRS;
    args->chars = EXTRACT_CHARS;
    args->clean = true;
    while (p->token.kind != SPL_END) {
        bool taken;
        if (spl_take_option(p, args, &taken) < 0)
            return -1;
        if (!taken && spl_take_field(p, &args->name) < 0)
            return -1;
        while (spl_at_sign(p, ","))
            if (spl_advance(p) < 0)
                return -1;
    }
    return 0;
}

static void want(const struct spl_command *command, struct wanted *wanted)
{
    (void)command;
    wanted_add(wanted, FIELD_ORIGINAL);
}

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_one_of(char c, struct slice set)
{
    return slice_find_char(set, c) >= 0;
}

struct pair {
    struct slice key, value;
};

/* "..." with \" inside, at the start of text; its length with the quotes, 0: it does not close. */
static size_t quoted_length(struct slice text)
{
    for (size_t i = 1; i < text.len; i++) {
        if (text.ptr[i] == '\\')
            i++;
        else if (text.ptr[i] == text.ptr[0])
            return i + 1;
    }
    return 0;
}

/* The value at the start of *rest, up to one of ends. */
static struct slice take_value(struct slice *rest, struct slice ends)
{
    bool quote = rest->len && (rest->ptr[0] == '"' || rest->ptr[0] == '\'');
    size_t len = quote ? quoted_length(*rest) : 0;
    if (len) {
        struct slice value = slice_sub(*rest, 1, len - 2);
        *rest = slice_from(*rest, len);
        return value;
    }
    while (len < rest->len && !is_one_of(rest->ptr[len], ends))
        len++;
    struct slice value = slice_sub(*rest, 0, len);
    *rest = slice_from(*rest, len);
    return value;
}

/* name=value somewhere in the text. */
static bool next_found(struct slice *rest, struct pair *out)
{
    while (rest->len) {
        size_t end = 0;
        if (!is_letter(rest->ptr[0]) && rest->ptr[0] != '_') {
            size_t quoted = rest->ptr[0] == '"' ? quoted_length(*rest) : 0;
            *rest = slice_from(*rest, quoted ? quoted : 1);
            continue;
        }
        while (end < rest->len && (is_letter(rest->ptr[end]) || is_digit(rest->ptr[end]) ||
                                   is_one_of(rest->ptr[end], SLICE("_.-:"))))
            end++;
        struct slice key = slice_sub(*rest, 0, end);
        *rest = slice_from(*rest, end);
        if (!rest->len || rest->ptr[0] != '=')
            continue;
        *rest = slice_from(*rest, 1);
        if (rest->len && rest->ptr[0] == '=') /* a comparison in the text */
            continue;
        *out = (struct pair){key, take_value(rest, SLICE(" \t\r\n,;|&\"'()[]{}<>"))};
        return true;
    }
    return false;
}

/* key<delim>value<delim>... */
static bool next_cut(const struct extract_args *args, struct slice *rest, struct pair *out)
{
    struct slice pairs = args->pair_delims.ptr ? args->pair_delims : SLICE(" \t\r\n,;|&");
    struct slice keys = args->key_delims.ptr ? args->key_delims : SLICE("=");
    while (rest->len) {
        while (rest->len && is_one_of(rest->ptr[0], pairs))
            *rest = slice_from(*rest, 1);
        size_t end = 0;
        while (end < rest->len && !is_one_of(rest->ptr[end], pairs) &&
               !is_one_of(rest->ptr[end], keys))
            end++;
        out->key = slice_trim(slice_sub(*rest, 0, end));
        *rest = slice_from(*rest, end);
        if (!rest->len || !is_one_of(rest->ptr[0], keys))
            continue;
        while (rest->len && is_one_of(rest->ptr[0], keys))
            *rest = slice_from(*rest, 1);
        out->value = slice_trim(take_value(rest, pairs));
        return true;
    }
    return false;
}

/* Other characters become _; what a name cannot begin with is cut off. */
static struct slice clean_key(struct slice key, struct arena *arena)
{
    char *to = arena_string(arena, key);
    size_t start = 0;
    for (size_t i = 0; to && i < key.len; i++)
        if (!is_letter(to[i]) && !is_digit(to[i]) && (unsigned char)to[i] < 0x80)
            to[i] = '_';
    while (to && start < key.len && (to[start] == '_' || is_digit(to[start])))
        start++;
    return to ? slice_of(to + start, key.len - start) : SLICE_NONE;
}

static int put_pair(struct stage *op, struct spread *spread, const struct batch *batch, uint32_t row,
                    const struct pair *pair)
{
    const struct extract_args *args = op->command->args;
    struct arena *arena = spread->frame->batch->arena;
    struct slice key = args->clean ? clean_key(pair->key, arena) : arena_copy(arena, pair->key);
    struct slice value = arena_copy(arena, pair->value);
    if (!key.ptr || !value.ptr)
        return -1;
    if (!key.len || !value.len)
        return 0;
    key = spl_field_alias(key);
    if (spread_has(spread, row, key))
        return args->add ? spread_put(spread, row, key, value_string(value)) : 0;
    const struct column *old = batch_find(batch, key);
    uint32_t first, count = old ? column_range(old, row, &first) : 0;
    if (count && !args->add)
        return 0;
    for (uint32_t k = 0; k < count; k++)
        if (spread_put(spread, row, key, column_value(old, first + k)) < 0)
            return -1;
    return spread_put(spread, row, key, value_string(value));
}

static int extract_row(struct stage *op, struct spread *spread, const struct batch *batch,
                       uint32_t row, struct slice text)
{
    const struct extract_args *args = op->command->args;
    bool found = !args->pair_delims.ptr && !args->key_delims.ptr;
    struct pair pair;
    int64_t count = 0;
    if (args->chars && text.len > (size_t)args->chars) {
        text.len = (size_t)args->chars;
        run_message(op->run, "extract-maxchars", op->command, true,
                    "extract looked at the first %lld bytes only of longer texts; maxchars=0 takes "
                    "all",
                    (long long)args->chars);
    }
    while (found ? next_found(&text, &pair) : next_cut(args, &text, &pair)) {
        if (args->limit && ++count > args->limit) {
            run_message(op->run, "extract-limit", op->command, true,
                        "extract took the first %lld pairs only of rows with more; limit=0 takes "
                        "all",
                        (long long)args->limit);
            break;
        }
        if (put_pair(op, spread, batch, row, &pair) < 0)
            return -1;
    }
    return 0;
}

static int push(struct stage *op, struct frame *frame, struct err *err)
{
    const struct column *from = batch_find(frame->batch, FIELD_ORIGINAL);
    struct spread spread;
    spread_init(&spread, frame);
    for (uint32_t row = frame_next(frame, 0); from && row < frame->batch->row_count;
         row = frame_next(frame, row + 1)) {
        struct slice text = rows_text(column_first(from, row), frame->batch->arena);
        if (text.ptr && extract_row(op, &spread, frame->batch, row, text) < 0)
            return run_nomem(op->run, err);
    }
    if (spread_finish(&spread) < 0)
        return run_nomem(op->run, err);
    return stage_push(op, frame, err);
}

static int make(struct run *run, const struct spl_command *command, struct stage *op,
                struct err *err)
{
    const struct extract_args *args = command->args;
    (void)run;
    op->push = push;
    if (args->name.ptr)
        return err_set(err, ERR_CONFIG,
                       "extract has no stored rules such as %.*s; use pairdelim= and kvdelim=, or rex",
                       SLICE_ARG(args->name));
    return 0;
}

const struct command command_extract = {
    .name = "extract",
    .alias = "kv",
    .syntax = "extract [options]",
    .summary = "fields of key=value text: extract pairdelim=\"|;\" kvdelim=\"=:\"",
    .flags = COMMAND_STREAMS,
    .options = options,
    .option_count = ARRAY_COUNT(options),
    .parse = parse,
    .make = make,
    .want = want,
};
