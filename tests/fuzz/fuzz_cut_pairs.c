/* key=value, cells, dissect, lines of a file: pieces lie within the text, walks end, and where sixteen bytes are looked at
 * together the answer is that of a walk over single bytes. */
#include "base/arena.h"
#include "base/limits.h"
#include "cut/csv.h"
#include "cut/dissect.h"
#include "cut/kv.h"
#include "cut/line_records.h"
#include "cut/xml_path.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void within(struct slice whole, struct slice part)
{
    assert(!part.len || (part.ptr >= whole.ptr && part.ptr + part.len <= whole.ptr + whole.len));
}

/* --- pairs, byte by byte --- */

static bool at_separator(const struct kv *kv, size_t at)
{
    return slice_starts(slice_from(kv->rest, at), kv->separator);
}

static size_t plain_quoted_end(struct slice text, bool *escaped)
{
    size_t at = 1;
    for (; at < text.len && text.ptr[at] != text.ptr[0]; at++)
        if (text.ptr[at] == '\\' && at + 1 < text.len) {
            *escaped = true;
            at++;
        }
    return at < text.len ? at : text.len;
}

static void plain_value(struct kv *kv, struct kv_pair *out)
{
    struct slice rest = kv->rest;
    bool ignored = false;
    if (rest.len && slice_find_char(kv->quotes, rest.ptr[0]) >= 0) {
        size_t end = plain_quoted_end(rest, &out->escaped);
        out->value = slice_sub(rest, 1, end - 1);
        kv->rest = slice_from(rest, end + 1);
        return;
    }
    size_t end = 0;
    if (kv->spaces)
        end = kv_spaced_end(rest, kv->separator.ptr[0], kv->equals, &ignored);
    else
        while (end < rest.len && !at_separator(kv, end))
            end++;
    out->value = slice_trim(slice_sub(rest, 0, end));
    kv->rest = slice_from(rest, end);
}

static bool plain_next(struct kv *kv, struct kv_pair *out)
{
    *out = (struct kv_pair){0};
    for (;;) {
        while (kv->rest.len && (kv->rest.ptr[0] == ' ' || at_separator(kv, 0)))
            kv->rest = slice_from(kv->rest, kv->rest.ptr[0] == ' ' ? 1 : kv->separator.len);
        size_t at = 0;
        while (at < kv->rest.len && kv->rest.ptr[at] != kv->equals && !at_separator(kv, at))
            at++;
        if (at == kv->rest.len)
            return false;
        struct slice key = slice_sub(kv->rest, 0, at);
        bool pair = kv->rest.ptr[at] == kv->equals && key.len;
        kv->rest = slice_from(kv->rest, at + (kv->rest.ptr[at] == kv->equals ? 1 : kv->separator.len));
        if (!pair)
            continue;
        out->key = slice_trim(key);
        plain_value(kv, out);
        return true;
    }
}

static void check_pairs(struct slice text, unsigned form)
{
    static const struct kv forms[] = {
        {.separator = {" ", 1}, .equals = '=', .quotes = {"\"", 1}},
        {.separator = {" ", 1}, .equals = '=', .quotes = {"\"'", 2}, .spaces = true},
        {.separator = {"; ", 2}, .equals = ':', .quotes = {"\"", 1}},
        {.separator = {",", 1}, .equals = '=', .quotes = {"", 0}},
        {.separator = {"||", 2}, .equals = '|', .quotes = {"'", 1}},
        {.separator = {"\n", 1}, .equals = ':', .quotes = {"\"", 1}},
    };
    struct kv kv = forms[form % ARRAY_COUNT(forms)], plain;
    struct kv_pair pair, other;
    size_t pairs = 0;
    kv.rest = text;
    plain = kv;
    while (kv_next(&kv, &pair)) {
        within(text, pair.key);
        within(text, pair.value);
        assert(plain_next(&plain, &other));
        assert(slice_equal(pair.key, other.key) && slice_equal(pair.value, other.value) && pair.escaped == other.escaped);
        assert(++pairs <= text.len);
    }
    assert(!plain_next(&plain, &other));
}

/* --- cells --- */

static void check_cells(struct slice text, char separator, struct arena *arena)
{
    struct csv csv = {text, separator, true};
    struct csv_cell cell;
    size_t cells = 0, at = 0;
    while (csv_next(&csv, &cell)) {
        within(text, cell.text);
        if (cell.escaped)
            assert(csv_unescape(cell.text, arena).len <= cell.text.len);
        bool quoted = at < text.len && text.ptr[at] == '"';
        size_t end = at;
        while (!quoted && end < text.len && text.ptr[end] != separator)
            end++;
        assert(quoted || slice_equal(cell.text, slice_sub(text, at, end - at)));
        assert(csv.rest.len <= text.len && ++cells <= text.len + 1);
        at = text.len - csv.rest.len;
    }
    assert(!csv.rest.len);
}

/* --- a pattern from the first line, a text from what follows --- */

static void check_dissect(struct slice pattern, struct slice text, struct arena *arena)
{
    struct dissect dissect;
    struct slice values[DISSECT_KEYS_MAX];
    struct err err;
    err_clear(&err);
    if (dissect_compile(pattern, arena, &dissect, &err) < 0 || !dissect_match(&dissect, text, values))
        return;
    assert(dissect.count <= DISSECT_KEYS_MAX);
    for (size_t i = 0; i < dissect.count; i++)
        within(text, values[i]);
}

static int count_text(void *context, struct slice path, struct slice text)
{
    size_t *count = context;
    (void)text;
    assert(path.len);
    return ++*count > 100000 ? -1 : 0;
}

static void check_xml(struct slice path, struct slice text, struct arena *arena)
{
    size_t count = 0;
    if (!xml_path_fits(text))
        return;
    (void)!xml_path_leaves(text, arena, count_text, &count);
    if (path.len)
        (void)!xml_path_each(text, path, arena, count_text, &count);
}

/* Every byte of the lines is in a record, or is a line's end. */
static void check_records(struct slice text)
{
    struct line_join join = {.by_stamp = true};
    struct line_records lines;
    struct buffer records;
    struct delivery delivery = {0};
    buffer_init(&records, 64 * MIB);
    line_records_init(&lines);
    lines.join = &join;
    assert(line_records_end(&lines, text) <= text.len);
    if (line_records_give(&lines, text, &records, &delivery)) {
        struct delivery_event event;
        bool damaged = false;
        size_t at = 0, bytes = 0;
        while (delivery_next(&delivery, &at, &event, &damaged))
            bytes += event.raw.len;
        assert(!damaged && bytes <= text.len);
    }
    buffer_close(&records);
    line_records_close(&lines);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena *arena = arena_new(64 * MIB);
    if (!arena || !size) {
        arena_free(arena);
        return 0;
    }
    struct slice text = slice_of((const char *)data + 1, size - 1), first, rest = text;
    check_pairs(text, data[0]);
    check_cells(text, data[0] & 1 ? ',' : '\t', arena);
    if (slice_next_line(&rest, &first)) {
        check_dissect(first, rest, arena);
        check_xml(first, rest, arena);
    }
    check_records(text);
    arena_free(arena);
    return 0;
}
