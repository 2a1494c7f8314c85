#include "cut/csv.h"

#include "base/lane.h"

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
    const char *start = csv->rest.ptr, *end = start + csv->rest.len, *at = start;
    if (!csv->more)
        return false;
    *out = (struct csv_cell){.text = SLICE("")};
    if (at < end && *at == '"') {
        at += quoted_end(csv->rest, &out->escaped);
        out->text = slice_of(start + 1, (size_t)(at - start) - 1);
    }
    const char *stop = lane_seek(at, end, csv->separator, csv->separator);
    if (at == start && stop > start)
        out->text = slice_of(start, (size_t)(stop - start));
    csv->more = stop < end;
    csv->rest = slice_of(csv->more ? stop + 1 : end, csv->more ? (size_t)(end - stop) - 1 : 0);
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
