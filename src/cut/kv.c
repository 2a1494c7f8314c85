#include "cut/kv.h"

static size_t quoted_end(struct slice text, bool *escaped)
{
    size_t at = 1;
    for (; at < text.len && text.ptr[at] != '"'; at++)
        if (text.ptr[at] == '\\' && at + 1 < text.len) {
            *escaped = true;
            at++;
        }
    return at < text.len ? at : text.len;
}

static void take_value(struct kv *kv, struct kv_pair *out)
{
    struct slice rest = kv->rest;
    if (rest.len && rest.ptr[0] == '"') {
        size_t end = quoted_end(rest, &out->escaped);
        out->value = slice_sub(rest, 1, end > 0 ? end - 1 : 0);
        kv->rest = slice_from(rest, end + 1);
        return;
    }
    ptrdiff_t end = slice_find_char(rest, kv->separator);
    out->value = slice_sub(rest, 0, end < 0 ? rest.len : (size_t)end);
    kv->rest = slice_from(rest, out->value.len);
}

bool kv_next(struct kv *kv, struct kv_pair *out)
{
    *out = (struct kv_pair){0};
    for (;;) {
        while (kv->rest.len && (kv->rest.ptr[0] == kv->separator || kv->rest.ptr[0] == ' '))
            kv->rest = slice_from(kv->rest, 1);
        size_t at = 0;
        while (at < kv->rest.len && kv->rest.ptr[at] != kv->equals &&
               kv->rest.ptr[at] != kv->separator)
            at++;
        struct slice key = slice_sub(kv->rest, 0, at);
        bool pair = at < kv->rest.len && kv->rest.ptr[at] == kv->equals && key.len;
        if (at >= kv->rest.len)
            return false;
        kv->rest = slice_from(kv->rest, at + 1);
        if (!pair)
            continue;
        out->key = slice_trim(key);
        take_value(kv, out);
        return true;
    }
}

struct slice kv_unescape(struct slice value, struct arena *arena)
{
    char *start = arena_alloc(arena, value.len + 1), *to = start;
    if (!start)
        return SLICE_NONE;
    for (size_t i = 0; i < value.len; i++) {
        if (value.ptr[i] == '\\' && i + 1 < value.len)
            i++;
        *to++ = value.ptr[i];
    }
    return slice_of(start, (size_t)(to - start));
}
