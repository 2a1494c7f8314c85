#include "cut/dissect.h"

static int compile_part(struct slice *pattern, struct dissect_part *part, struct err *err)
{
    ptrdiff_t end = slice_find_char(*pattern, '}');
    if (end < 0)
        return err_set(err, ERR_CONFIG, "a %%{ of the pattern has no }");
    struct slice key = slice_sub(*pattern, 2, (size_t)end - 2);
    *pattern = slice_from(*pattern, (size_t)end + 1);
    part->repeated = slice_ends(key, SLICE("->"));
    if (part->repeated)
        key.len -= 2;
    part->key = key.len && key.ptr[0] == '?' ? SLICE("") : key;
    ptrdiff_t next = slice_find(*pattern, SLICE("%{"));
    part->literal = slice_sub(*pattern, 0, next < 0 ? pattern->len : (size_t)next);
    *pattern = slice_from(*pattern, part->literal.len);
    if (part->literal.len == 0 && pattern->len)
        return err_set(err, ERR_CONFIG, "two keys of the pattern need something between them");
    return 0;
}

int dissect_compile(struct slice pattern, struct arena *arena, struct dissect *out, struct err *err)
{
    *out = (struct dissect){0};
    out->parts = arena_array(arena, DISSECT_KEYS_MAX, sizeof(*out->parts));
    pattern = arena_copy(arena, pattern);
    if (!out->parts || !pattern.ptr)
        return err_nomem(err);
    ptrdiff_t first = slice_find(pattern, SLICE("%{"));
    if (first < 0)
        return err_set(err, ERR_CONFIG, "the pattern has no %%{key}");
    out->prefix = slice_sub(pattern, 0, (size_t)first);
    pattern = slice_from(pattern, (size_t)first);
    while (pattern.len) {
        if (out->count == DISSECT_KEYS_MAX)
            return err_set(err, ERR_CONFIG, "the pattern has more than %d keys", DISSECT_KEYS_MAX);
        if (compile_part(&pattern, &out->parts[out->count++], err) < 0)
            return -1;
    }
    return 0;
}

bool dissect_match(const struct dissect *dissect, struct slice text,
                   struct slice values[DISSECT_KEYS_MAX])
{
    if (!slice_starts(text, dissect->prefix))
        return false;
    text = slice_from(text, dissect->prefix.len);
    for (size_t i = 0; i < dissect->count; i++) {
        const struct dissect_part *part = &dissect->parts[i];
        if (part->literal.len == 0) {
            values[i] = text;
            return true;
        }
        ptrdiff_t end = part->literal.len == 1 ? slice_find_char(text, part->literal.ptr[0])
                                               : slice_find(text, part->literal);
        if (end < 0)
            return false;
        values[i] = slice_sub(text, 0, (size_t)end);
        text = slice_from(text, (size_t)end + part->literal.len);
        while (part->repeated && slice_starts(text, part->literal))
            text = slice_from(text, part->literal.len);
    }
    return text.len == 0;
}
