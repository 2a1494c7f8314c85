#include "search/commands/foreach_text.h"

#include "base/buffer.h"
#include "base/limits.h"

/* The parts of name that the stars of pattern stand for. */
static struct slice star_part(struct slice pattern, struct slice name, int which)
{
    struct slice part = SLICE("");
    for (int seen = 0; pattern.len;) {
        ptrdiff_t star = slice_find_char(pattern, '*');
        if (star < 0)
            return seen >= which ? part : SLICE("");
        name = slice_from(name, (size_t)star);
        pattern = slice_from(pattern, (size_t)star + 1);
        ptrdiff_t next = slice_find_char(pattern, '*');
        struct slice literal = next < 0 ? pattern : slice_sub(pattern, 0, (size_t)next);
        ptrdiff_t end = next < 0      ? (ptrdiff_t)(name.len - literal.len)
                        : literal.len ? slice_find(name, literal)
                                      : 0;
        part = slice_sub(name, 0, end < 0 ? 0 : (size_t)end);
        name = slice_from(name, part.len);
        if (++seen == which)
            return part;
    }
    return part;
}

/* The mark at the start of text that stands for a text: what it stands for, and its length; 0 when none
 * begins here. */
static size_t text_mark(struct slice text, const struct foreach_marks *marks,
                        const struct foreach_at *at, struct slice *with)
{
    *with = at->name;
    if (slice_starts(text, marks->field))
        return marks->field.len;
    *with = star_part(at->pattern, at->name, 1);
    if (slice_starts(text, marks->string))
        return marks->string.len;
    for (int i = 0; i < FOREACH_SEGMENTS; i++) {
        *with = star_part(at->pattern, at->name, i + 1);
        if (slice_starts(text, marks->segments[i]))
            return marks->segments[i].len;
    }
    return 0;
}

/* How many bytes of body a quoted text or name takes, quotes too; 0 when body begins with none. */
static size_t quoted_length(struct slice body)
{
    char quote = body.len ? body.ptr[0] : 0;
    if (quote != '"' && quote != '\'')
        return 0;
    for (size_t i = 1; i < body.len; i++) {
        if (body.ptr[i] == '\\')
            i++;
        else if (body.ptr[i] == quote)
            return i + 1;
    }
    return 0;
}

/* One piece of the body: a mark, or a byte. In a quoted text (quoted) a member ends and begins it. */
static size_t put_piece(struct buffer *to, struct slice body, const struct foreach_marks *marks,
                        const struct foreach_at *at, bool quoted)
{
    struct slice with;
    size_t len = text_mark(body, marks, at, &with);
    if (len) {
        buffer_put(to, with);
        return len;
    }
    if (at->items && slice_starts(body, marks->item)) {
        buffer_put(to, quoted ? SLICE("\".'" FOREACH_ITEM "'.\"") : SLICE("'" FOREACH_ITEM "'"));
        return marks->item.len;
    }
    if (at->items && slice_starts(body, marks->iter)) {
        buffer_printf(to, "%u", at->iter);
        return marks->iter.len;
    }
    buffer_put(to, slice_sub(body, 0, 1));
    return 1;
}

struct slice foreach_filled(struct slice body, const struct foreach_marks *marks,
                            const struct foreach_at *at, struct arena *arena)
{
    struct buffer to;
    size_t quoted = 0;    /* bytes that are left of a quoted text */
    bool brackets = false; /* a member stands in it: it is ("..." . '@item' . "...") */
    buffer_init(&to, QUERY_BYTES_MAX);
    while (body.len) {
        size_t length = quoted ? 0 : quoted_length(body);
        struct slice inside = slice_sub(body, length > 1, length > 1 ? length - 2 : 0);
        if (length && at->items && slice_equal(inside, marks->item)) {
            buffer_put(&to, SLICE("'" FOREACH_ITEM "'"));
            body = slice_from(body, length);
            continue;
        }
        if (length && body.ptr[0] == '"') {
            quoted = length;
            brackets = at->items && slice_find(inside, marks->item) >= 0;
            if (brackets)
                buffer_put(&to, SLICE("("));
        }
        size_t len = put_piece(&to, body, marks, at, quoted);
        body = slice_from(body, len);
        quoted -= quoted ? len : 0;
        if (brackets && !quoted) {
            buffer_put(&to, SLICE(")"));
            brackets = false;
        }
    }
    struct slice copy = buffer_failed(&to) ? SLICE_NONE : arena_copy(arena, buffer_slice(&to));
    buffer_close(&to);
    return copy;
}
