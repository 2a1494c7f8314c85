#include "search/sed.h"

#include "base/limits.h"

struct sed {
    bool translate;
    struct regex *regex;
    struct slice from, to; /* y: parallel; s: to is the replacement */
    int64_t nth;           /* 0: all, n: only the n-th */
    struct sed *next;
};

/* Up to the next unescaped delimiter. */
static bool take_part(struct slice *text, char delimiter, struct slice *out)
{
    for (size_t i = 0; i < text->len; i++) {
        if (text->ptr[i] == '\\') {
            i++;
        } else if (text->ptr[i] == delimiter) {
            *out = slice_sub(*text, 0, i);
            *text = slice_from(*text, i + 1);
            return true;
        }
    }
    return false;
}

static int parse_flags(struct slice *text, struct sed *sed, unsigned *flags, struct err *err)
{
    sed->nth = 1;
    while (text->len && text->ptr[0] != ' ' && text->ptr[0] != ';') {
        char c = text->ptr[0];
        if (c == 'g')
            sed->nth = 0;
        else if (c == 'i' || c == 'I')
            *flags |= REGEX_CASELESS;
        else if (c >= '1' && c <= '9')
            sed->nth = c - '0';
        else
            return err_set(err, ERR_CONFIG, "the sed expression has an unknown flag %c", c);
        *text = slice_from(*text, 1);
    }
    return 0;
}

static int parse_one(struct slice *text, struct arena *arena, struct sed *sed, struct err *err)
{
    char kind = text->ptr[0];
    if ((kind != 's' && kind != 'y') || text->len < 2)
        return err_set(err, ERR_CONFIG,
                       "a sed expression is s/regex/replacement/flags or y/abc/xyz/");
    char delimiter = text->ptr[1];
    *text = slice_from(*text, 2);
    if (!take_part(text, delimiter, &sed->from) || !take_part(text, delimiter, &sed->to))
        return err_set(err, ERR_CONFIG, "the sed expression is incomplete: it needs three %c",
                       delimiter);
    sed->translate = kind == 'y';
    if (sed->translate)
        return sed->from.len == sed->to.len
                   ? 0
                   : err_set(err, ERR_CONFIG, "both lists of y must be equally long");
    unsigned flags = 0;
    if (parse_flags(text, sed, &flags, err) < 0)
        return -1;
    return regex_new_in(arena, sed->from, flags, &sed->regex, err);
}

int sed_parse(struct slice text, struct arena *arena, struct sed **out, struct err *err)
{
    struct sed **to = out;
    *out = NULL;
    err_clear(err);
    text = slice_trim(text);
    do {
        struct sed *sed = arena_calloc(arena, sizeof(*sed));
        if (!sed)
            return err_nomem(err);
        if (!text.len)
            return err_set(err, ERR_CONFIG, "the sed expression is empty");
        if (parse_one(&text, arena, sed, err) < 0)
            return -1;
        *to = sed;
        to = &sed->next;
        while (text.len && (text.ptr[0] == ' ' || text.ptr[0] == ';'))
            text = slice_from(text, 1);
    } while (text.len);
    return 0;
}

/* \1 .. \9 and & are groups; \n is a line break. */
static void put_replacement(struct buffer *to, struct slice with, const struct regex_groups *groups)
{
    for (size_t i = 0; i < with.len; i++) {
        char c = with.ptr[i], next = i + 1 < with.len ? with.ptr[i + 1] : '\0';
        if (c == '\\' && next >= '0' && next <= '9') {
            uint32_t group = (uint32_t)(next - '0');
            if (group < groups->count && groups->group[group].ptr)
                buffer_put(to, groups->group[group]);
            i++;
        } else if (c == '\\' && next) {
            buffer_put_char(to, next == 'n' ? '\n' : next == 't' ? '\t' : next);
            i++;
        } else {
            buffer_put_char(to, c);
        }
    }
}

static bool replace(const struct sed *sed, struct slice text, struct buffer *to)
{
    struct regex_groups groups;
    size_t at = 0, copied = 0;
    int64_t count = 0;
    while (at <= text.len && regex_capture(sed->regex, text, at, &groups) == REGEX_YES) {
        size_t start = (size_t)(groups.group[0].ptr - text.ptr), len = groups.group[0].len;
        count++;
        at = start + len + (len == 0);
        if (sed->nth && count != sed->nth)
            continue;
        buffer_put(to, slice_sub(text, copied, start - copied));
        put_replacement(to, sed->to, &groups);
        copied = start + len;
        if (sed->nth)
            break;
    }
    buffer_put(to, slice_from(text, copied));
    return count > 0;
}

static void translate(const struct sed *sed, struct slice text, struct buffer *to)
{
    for (size_t i = 0; i < text.len; i++) {
        ptrdiff_t at = slice_find_char(sed->from, text.ptr[i]);
        buffer_put_char(to, at < 0 ? text.ptr[i] : sed->to.ptr[at]);
    }
}

int sed_apply(const struct sed *sed, struct slice text, struct arena *arena, struct slice *out,
              struct err *err)
{
    *out = text;
    for (; sed; sed = sed->next) {
        struct buffer to;
        bool changed = true;
        buffer_init(&to, 16 * MIB);
        if (sed->translate)
            translate(sed, *out, &to);
        else
            changed = replace(sed, *out, &to);
        struct slice copy = changed ? arena_copy(arena, buffer_slice(&to)) : *out;
        bool failed = buffer_failed(&to) || !copy.ptr;
        buffer_close(&to);
        if (failed)
            return err_nomem(err);
        *out = copy;
    }
    return 0;
}
