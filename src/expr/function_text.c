/* Text. Given several values, a function of one text is applied to each member. */
#include "expr/function.h"

#include "base/unescape.h"
#include "base/utf8.h"

typedef struct slice (*text_map)(struct slice text, struct slice extra, struct arena *arena);

static int map_text(struct call *call, text_map map, struct value_list *out)
{
    struct value_list list;
    struct slice extra;
    if (call_arg(call, 0, &list) < 0 || call_text(call, 1, &extra) < 0)
        return -1;
    struct value *values = arena_array(call->scope->scratch, list.count + 1U, sizeof(*values));
    if (!values)
        return err_nomem(call->err);
    for (uint32_t i = 0; i < list.count; i++) {
        struct slice text = value_text(list.values[i], call->scope->scratch);
        struct slice mapped = text.ptr ? map(text, extra, call->scope->scratch) : SLICE_NONE;
        if (!mapped.ptr)
            return err_nomem(call->err);
        values[i] = value_string(mapped);
    }
    *out = (struct value_list){values, list.count};
    return 0;
}

static struct slice change_case(struct slice text, struct arena *arena,
                                uint32_t (*change)(uint32_t))
{
    char *to = arena_alloc(arena, 4 * text.len + 1);
    if (!to)
        return SLICE_NONE;
    size_t len = 0;
    while (text.len) {
        uint32_t c;
        size_t used = utf8_decode(text, &c);
        if (used)
            len += utf8_encode(change(c), to + len);
        else
            to[len++] = text.ptr[0];
        text = slice_from(text, used ? used : 1);
    }
    return slice_of(to, len);
}

static struct slice map_lower(struct slice text, struct slice extra, struct arena *arena)
{
    (void)extra;
    return change_case(text, arena, utf8_fold);
}

static struct slice map_upper(struct slice text, struct slice extra, struct arena *arena)
{
    (void)extra;
    return change_case(text, arena, utf8_upper);
}

static bool in_set(char c, struct slice set)
{
    if (!set.ptr)
        return c == ' ' || c == '\t' || c == '\n' || c == '\r';
    return slice_find_char(set, c) >= 0;
}

static struct slice map_ltrim(struct slice text, struct slice set, struct arena *arena)
{
    (void)arena;
    while (text.len && in_set(text.ptr[0], set))
        text = slice_from(text, 1);
    return text;
}

static struct slice map_rtrim(struct slice text, struct slice set, struct arena *arena)
{
    (void)arena;
    while (text.len && in_set(text.ptr[text.len - 1], set))
        text.len--;
    return text;
}

static struct slice map_trim(struct slice text, struct slice set, struct arena *arena)
{
    return map_rtrim(map_ltrim(text, set, arena), set, arena);
}

static struct slice map_urldecode(struct slice text, struct slice extra, struct arena *arena)
{
    (void)extra;
    return unescape_url(text, arena);
}

#define MAPPED(name)                                                                               \
    static int call_##name(struct call *call, struct value_list *out)                              \
    {                                                                                              \
        return map_text(call, map_##name, out);                                                    \
    }
MAPPED(lower)
MAPPED(upper)
MAPPED(ltrim)
MAPPED(rtrim)
MAPPED(trim)
MAPPED(urldecode)

static int map_len(struct call *call, struct value v, struct value *out)
{
    struct slice text = value_text(v, call->scope->scratch);
    if (!text.ptr)
        return err_nomem(call->err);
    *out = value_i64((int64_t)utf8_count(text));
    return 0;
}

static int call_len(struct call *call, struct value_list *out)
{
    return call_map(call, map_len, out);
}

/* Skips count code points. */
static struct slice skip(struct slice text, int64_t count)
{
    for (; count > 0 && text.len; count--) {
        uint32_t c;
        size_t used = utf8_decode(text, &c);
        text = slice_from(text, used ? used : 1);
    }
    return text;
}

static int map_substr(struct call *call, struct value v, struct value *out)
{
    struct slice text = value_text(v, call->scope->scratch);
    int64_t start, count = INT64_MAX;
    bool ok, count_ok = true;
    if (!text.ptr)
        return err_nomem(call->err);
    if (call_i64(call, 1, &start, &ok) < 0)
        return -1;
    if (call->node->arg_count > 2 && call_i64(call, 2, &count, &count_ok) < 0)
        return -1;
    if (!ok || !count_ok)
        return 0;
    int64_t total = (int64_t)utf8_count(text);
    int64_t first = start > 0 ? start - 1 : start < 0 ? total + start : 0;
    if (first < 0)
        first = 0;
    text = skip(text, first);
    struct slice rest = count < 0 ? text : skip(text, count);
    if (count < 0)
        rest = text;
    text.len -= rest.len;
    *out = value_string(text);
    return 0;
}

static int call_substr(struct call *call, struct value_list *out)
{
    return call_map(call, map_substr, out);
}

/* \1 .. \9 and \0 in the replacement stand for groups. */
static void put_replacement(struct buffer *to, struct slice replacement,
                            const struct regex_groups *groups)
{
    for (size_t i = 0; i < replacement.len; i++) {
        char c = replacement.ptr[i];
        bool group = c == '\\' && i + 1 < replacement.len && replacement.ptr[i + 1] >= '0' &&
                     replacement.ptr[i + 1] <= '9';
        if (!group) {
            buffer_put_char(to, c);
            continue;
        }
        uint32_t number = (uint32_t)(replacement.ptr[++i] - '0');
        if (number < groups->count)
            buffer_put(to, groups->group[number]);
    }
}

static void replace_all(struct call *call, const struct regex *regex, struct slice text,
                        struct slice replacement, struct buffer *to)
{
    struct regex_groups groups;
    size_t at = 0;
    while (at <= text.len) {
        enum regex_result result = regex_capture(regex, text, at, &groups);
        expr_regex_done(call->scope, result);
        if (result != REGEX_YES || call->scope->stopped)
            break;
        size_t start = (size_t)(groups.group[0].ptr - text.ptr), len = groups.group[0].len;
        buffer_put(to, slice_sub(text, at, start - at));
        put_replacement(to, replacement, &groups);
        at = start + len;
        if (len == 0 && at < text.len)
            buffer_put_char(to, text.ptr[at]);
        at += len == 0;
    }
    if (at < text.len)
        buffer_put(to, slice_from(text, at));
}

static int call_replace(struct call *call, struct value_list *out)
{
    struct value_list list;
    struct slice replacement;
    struct regex *own;
    if (call_arg(call, 0, &list) < 0 || call_text(call, 2, &replacement) < 0)
        return -1;
    const struct regex *regex = call_regex(call, 1, &own);
    struct value *values = arena_array(call->scope->scratch, list.count + 1U, sizeof(*values));
    int result = values ? 0 : err_nomem(call->err);
    struct buffer to;
    buffer_init(&to, EXPR_TEXT_MAX);
    for (uint32_t i = 0; result == 0 && regex && replacement.ptr && i < list.count; i++) {
        buffer_clear(&to);
        char small[VALUE_TEXT_SIZE];
        replace_all(call, regex, value_text_small(list.values[i], small), replacement, &to);
        struct slice copy = arena_copy(call->scope->scratch, buffer_slice(&to));
        if (buffer_failed(&to))
            result = call_too_long(call);
        else if (!copy.ptr)
            result = err_nomem(call->err);
        values[i] = value_string(copy);
        out->count = i + 1;
    }
    out->values = values;
    buffer_close(&to);
    regex_free(own);
    return result;
}

static int prepare_replace(struct expr *node, struct arena *arena, struct err *err)
{
    return function_prepare_regex(node, 1, arena, err);
}

static const struct expr_function functions[] = {
    {"len", 1, 1, "len(text): code points", call_len, 0},
    {"lower", 1, 1, "lower(text): in lower case", call_lower, 0},
    {"upper", 1, 1, "upper(text): in upper case", call_upper, 0},
    {"trim", 1, 2, "trim(text[, characters]): without blanks at both ends", call_trim, 0},
    {"ltrim", 1, 2, "ltrim(text[, characters]): without blanks at the start", call_ltrim, 0},
    {"rtrim", 1, 2, "rtrim(text[, characters]): without blanks at the end", call_rtrim, 0},
    {"substr", 2, 3, "substr(text, start[, count]): start from 1, negative from the end",
     call_substr, 0},
    {"replace", 3, 3, "replace(text, \"regex\", new): all matches, \\1 is the first group",
     call_replace, prepare_replace},
    {"urldecode", 1, 1, "urldecode(text): %20 and its kin decoded", call_urldecode, 0},
};
const struct expr_family functions_text = {functions, ARRAY_COUNT(functions)};
