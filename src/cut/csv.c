#include "cut/csv.h"

static size_t quoted_end(struct slice text, bool *escaped)
{
    for (size_t at = 1; at < text.len; at++) {
        if (text.ptr[at] != '"')
            continue;
        if (at + 1 >= text.len || text.ptr[at + 1] != '"')
            return at;
        *escaped = true;
        at++;
    }
    return text.len;
}

bool csv_next(struct csv *csv, struct csv_cell *out)
{
    if (!csv->more)
        return false;
    *out = (struct csv_cell){0};
    struct slice rest = csv->rest;
    size_t end = 0;
    if (rest.len && rest.ptr[0] == '"') {
        end = quoted_end(rest, &out->escaped);
        out->text = slice_sub(rest, 1, end - 1);
    }
    ptrdiff_t separator = slice_find_char(slice_from(rest, end), csv->separator);
    size_t stop = separator < 0 ? rest.len : end + (size_t)separator;
    if (end == 0)
        out->text = slice_sub(rest, 0, stop);
    if (!out->text.ptr)
        out->text = SLICE("");
    csv->more = separator >= 0;
    csv->rest = slice_from(rest, stop + 1);
    return true;
}

struct slice csv_unescape(struct slice text, struct arena *arena)
{
    char *start = arena_alloc(arena, text.len + 1), *to = start;
    if (!start)
        return SLICE_NONE;
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] == '"' && i + 1 < text.len && text.ptr[i + 1] == '"')
            i++;
        *to++ = text.ptr[i];
    }
    return slice_of(start, (size_t)(to - start));
}
