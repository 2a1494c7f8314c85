#include "cut/journal_export.h"

enum { NAME_BYTES_MAX = 64, LENGTH_BYTES = 8 };
#define FIELD_LENGTH_MAX (UINT64_C(1) << 30) /* the journal's own bound is below this: what is longer is no length */

/* What stands at the start of a text. */
enum item_kind { ITEM_FIELD, ITEM_BLANK, ITEM_LINE /* without '=' */, ITEM_OPEN /* its end is not there */ };

struct item {
    enum item_kind kind;
    uint64_t size; /* with its line end; of ITEM_OPEN: as far as it is known, else 0 */
    struct slice name, value;
};

static bool is_name(struct slice text)
{
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        if (!(c >= 'A' && c <= 'Z') && !(c >= '0' && c <= '9') && c != '_')
            return false;
    }
    return text.len > 0 && text.len <= NAME_BYTES_MAX;
}

static uint64_t length_at(const char *at)
{
    uint64_t length = 0;
    for (int i = LENGTH_BYTES - 1; i >= 0; i--)
        length = length << 8 | (unsigned char)at[i];
    return length;
}

/* rest: behind the name's line. False: what follows is no length, so the name was only a line. */
static bool cut_sized(struct slice name, struct slice rest, bool all, struct item *out)
{
    *out = (struct item){.kind = ITEM_OPEN, .name = name};
    if (rest.len < LENGTH_BYTES)
        return !all;
    uint64_t length = length_at(rest.ptr), there = rest.len - LENGTH_BYTES;
    if (length > FIELD_LENGTH_MAX)
        return false;
    bool bare = all && there == length; /* the text ends without a line end */
    out->size = name.len + 1 + LENGTH_BYTES + length + !bare;
    if (there < length + !bare)
        return true;
    out->kind = ITEM_FIELD;
    out->value = slice_sub(rest, LENGTH_BYTES, (size_t)length);
    return bare || rest.ptr[LENGTH_BYTES + length] == '\n';
}

/* With all, the text's end is a line's end, too. */
static struct item cut_item(struct slice text, bool all)
{
    struct item item = {.kind = ITEM_OPEN};
    ptrdiff_t end = slice_find_char(text, '\n');
    if (end < 0 && (!all || !text.len))
        return item;
    struct slice line = slice_sub(text, 0, end < 0 ? text.len : (size_t)end);
    if (end >= 0 && is_name(line) && cut_sized(line, slice_from(text, line.len + 1), all, &item))
        return item;
    item = (struct item){.kind = line.len ? ITEM_LINE : ITEM_BLANK, .size = line.len + (end >= 0)};
    if (slice_cut(line, '=', &item.name, &item.value) && is_name(item.name))
        item.kind = ITEM_FIELD;
    return item;
}

bool journal_export_detect(struct slice head)
{
    return slice_starts(head, SLICE("__CURSOR=")) || slice_starts(head, SLICE("__REALTIME_TIMESTAMP="));
}

static void give(struct slice text, size_t start, size_t len, bool part, size_t *used, struct journal_record *out)
{
    *out = (struct journal_record){slice_sub(text, start, len), part};
    *used = start + len;
}

/* More of a field that is longer than a record. */
static bool next_piece(struct journal_export *state, struct slice text, bool all, size_t max, size_t *used,
                       struct journal_record *out)
{
    size_t len = text.len < max ? text.len : max;
    bool ends = false;
    if (state->in_line) {
        ptrdiff_t end = slice_find_char(slice_sub(text, 0, len), '\n');
        ends = end >= 0;
        len = ends ? (size_t)end + 1 : len;
    } else if (state->left <= len) {
        ends = true;
        len = (size_t)state->left;
    }
    if (!len || (!ends && len < max && !all))
        return false;
    state->left -= state->in_line ? 0 : len;
    state->in_line = state->in_line && !ends;
    give(text, 0, len, true, used, out);
    return true;
}

/* The entry that began at `start` is over the limit with the field at `at`. */
static void next_over(struct journal_export *state, struct slice text, size_t start, size_t at, uint64_t size, size_t max,
                      size_t *used, struct journal_record *out)
{
    size_t len = at > start ? at - start : text.len - start < max ? text.len - start : max;
    state->in_entry = true;
    state->in_line = at == start && !size;
    state->left = at == start && size ? size - len : 0;
    give(text, start, len, true, used, out);
}

/* Of a whole entry, whose last line end is not the event's. */
static void next_whole(struct journal_export *state, struct slice text, size_t start, size_t end, size_t *used,
                       struct journal_record *out)
{
    give(text, start, end - start, state->in_entry, used, out);
    if (!out->part && slice_ends(out->bytes, SLICE("\n")))
        out->bytes.len--;
    state->in_entry = false;
}

bool journal_export_next(struct journal_export *state, struct slice text, bool all, size_t entry_max, size_t *used,
                         struct journal_record *out)
{
    size_t start = 0, at = 0;
    *used = 0;
    if (state->left || state->in_line)
        return next_piece(state, text, all, entry_max, used, out);
    for (;;) {
        struct item item = cut_item(slice_from(text, at), all);
        bool open = item.kind == ITEM_OPEN, blank = item.kind == ITEM_BLANK, full = text.len - start >= entry_max;
        bool over = !blank && ((open && full) || at - start + item.size > entry_max);
        if (over && (full || at > start || all)) {
            next_over(state, text, start, at, item.size, entry_max, used, out);
            return true;
        }
        if (open || over) {
            *used = start;
            if (all && text.len > start)
                next_whole(state, text, start, text.len, used, out);
            return *used > start;
        }
        if (blank && at > start) {
            next_whole(state, text, start, at, used, out);
            *used = at + 1;
            return true;
        }
        at += (size_t)item.size;
        if (blank) {
            start = at;
            state->in_entry = false;
        }
    }
}

bool journal_export_field(struct slice *entry, struct slice *name, struct slice *value)
{
    struct item item = cut_item(*entry, true);
    while (item.kind == ITEM_LINE || item.kind == ITEM_BLANK) { /* no field: it stands in the event's text alone */
        *entry = slice_from(*entry, (size_t)item.size);
        item = cut_item(*entry, true);
    }
    if (item.kind != ITEM_FIELD)
        return false;
    *name = item.name;
    *value = item.value;
    *entry = slice_from(*entry, (size_t)item.size);
    return true;
}
