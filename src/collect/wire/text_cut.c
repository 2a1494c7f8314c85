#include "collect/wire/text_cut.h"

#include "base/limits.h"

#include <stdio.h>

enum { LOOK_BYTES = 256 * 1024, LOOK_LINES = 2 };
#define DELIVERY_BYTES_USUAL (1 * MIB)

static void set_encoding(struct text_cut *cut, const char *encoding)
{
    cut->encoding = encoding && *encoding ? encoding : NULL;
    cut->big_endian = cut->encoding && slice_is_nocase(slice_text(encoding), "UTF-16BE");
    bool wide = cut->big_endian || (cut->encoding && slice_is_nocase(slice_text(encoding), "UTF-16LE"));
    cut->unit = wide ? 2 : 1;
}

void text_cut_init(struct text_cut *cut, const char *encoding)
{
    *cut = (struct text_cut){.line_max = EVENT_BYTES_MAX, .delivery_bytes = DELIVERY_BYTES_USUAL};
    set_encoding(cut, encoding);
    line_records_init(&cut->lines);
}

void text_cut_close(struct text_cut *cut)
{
    line_records_close(&cut->lines);
}

static int give(struct delivery *out, struct buffer *records)
{
    out->framing = FRAMING_RECORDS;
    out->body = buffer_slice(records);
    return 1;
}

/* A line over the limit: its parts as records. */
static int next_parts(struct text_cut *cut, struct slice text, enum text_more more, struct buffer *records,
                      struct delivery *out, size_t *used)
{
    ptrdiff_t end = slice_find_char(slice_sub(text, 0, cut->line_max), '\n');
    size_t len = end >= 0 ? (size_t)end : text.len < cut->line_max ? text.len : cut->line_max;
    struct slice part = slice_sub(text, 0, len);
    if (end < 0 && len < cut->line_max && more != TEXT_ENDS)
        return 0;
    buffer_clear(records);
    cut->in_part = end < 0 && !(more == TEXT_ENDS && len == text.len);
    *used += len + (end >= 0);
    if (part.len && part.ptr[part.len - 1] == '\r' && !cut->in_part)
        part.len--;
    out->event_count = part.len > 0;
    if (part.len)
        delivery_put_record(records, part, SLICE("part=1"));
    return give(out, records);
}

/* ---- text in another encoding ---- */

static bool is_unit(const struct text_cut *cut, const char *at, char c)
{
    if (cut->unit == 1)
        return at[0] == c;
    return at[cut->big_endian] == c && at[!cut->big_endian] == 0;
}

/* Bytes up to the line's end, at most EVENT_BYTES_MAX. *whole: the end is there. */
static size_t encoded_line(const struct text_cut *cut, struct slice text, bool *whole)
{
    size_t unit = cut->unit, max = text.len < EVENT_BYTES_MAX ? text.len : EVENT_BYTES_MAX;
    for (size_t at = 0; at + unit <= max; at += unit)
        if (is_unit(cut, text.ptr + at, '\n')) {
            *whole = true;
            return at;
        }
    *whole = false;
    return max == text.len ? max : max / unit * unit;
}

static void put_encoded(struct text_cut *cut, struct slice line, bool part, struct buffer *records,
                        struct delivery *out)
{
    char hints[96];
    size_t unit = cut->unit;
    if (line.len >= unit && !part && is_unit(cut, line.ptr + line.len - unit, '\r'))
        line.len -= unit;
    if (line.len == 0)
        return;
    snprintf(hints, sizeof(hints), "encoding=%.60s%s", cut->encoding, part ? "\x1fpart=1" : "");
    delivery_put_record(records, line, slice_text(hints));
    out->event_count++;
}

static int next_encoded(struct text_cut *cut, struct slice text, enum text_more more, struct buffer *records,
                        struct delivery *out, size_t *used)
{
    size_t start = *used;
    bool whole;
    buffer_clear(records);
    while (text.len && *used < cut->delivery_bytes) {
        size_t len = encoded_line(cut, text, &whole);
        bool last = !whole && len == text.len; /* of the text: there is more otherwise */
        if (last && more != TEXT_ENDS)
            break;
        bool part = cut->in_part || !(whole || last);
        put_encoded(cut, slice_sub(text, 0, len), part, records, out);
        cut->in_part = !(whole || last);
        len += whole ? cut->unit : 0;
        text = slice_from(text, len);
        *used += len;
    }
    return *used > start ? give(out, records) : 0;
}

/* Any text of UTF-16 has ASCII in it, if only its line ends; bytes that only begin like it do not. */
static bool has_ascii_units(struct slice text, bool big_endian)
{
    for (size_t at = 2; at + 2 <= text.len; at += 2)
        if (text.ptr[at + !big_endian] == 0 && text.ptr[at + big_endian] > 0)
            return true;
    return false;
}

/* ---- the beginning ---- */

/* The mark's bytes, which are done with. */
static size_t look_for_mark(struct text_cut *cut, struct slice text)
{
    text = slice_sub(text, 0, LOOK_BYTES);
    bool little = slice_starts(text, SLICE("\xff\xfe")), big = slice_starts(text, SLICE("\xfe\xff"));
    if ((!little && !big) || !has_ascii_units(text, big))
        return 0;
    set_encoding(cut, big ? "UTF-16BE" : "UTF-16LE");
    return 2;
}

static enum text_form form_of(const struct text_cut *cut, struct slice text)
{
    bool asked = cut->lines.join && !cut->lines.join->by_stamp; /* for lines, by who set it up */
    if (cut->encoding || asked)
        return FORM_LINES;
    return json_records_detect(text) ? FORM_JSON : journal_export_detect(text) ? FORM_JOURNAL : FORM_LINES;
}

/* A line that names columns is known by the one behind it. */
static bool has_enough_to_look_at(struct slice text)
{
    size_t lines = 0;
    for (size_t i = 0; i < text.len && i < LOOK_BYTES && lines < LOOK_LINES; i++)
        lines += text.ptr[i] == '\n';
    return lines == LOOK_LINES || text.len >= LOOK_BYTES;
}

/* ---- texts whose events are no lines ---- */

/* The next event of the text, which is shortened by it. */
static bool next_record(struct text_cut *cut, struct slice *text, bool all, struct journal_record *out, size_t *used)
{
    size_t taken = 0;
    *out = (struct journal_record){0};
    bool more = cut->form == FORM_JSON ? json_records_next(&cut->json, *text, all, &taken, &out->bytes)
                                       : journal_export_next(&cut->journal, *text, all, cut->line_max, &taken, out);
    *text = slice_from(*text, taken);
    *used += taken;
    return more;
}

/* The whole events of the text that is there. */
static int give_records(struct text_cut *cut, struct slice *text, bool all, struct buffer *records,
                        struct delivery *out, size_t *used)
{
    struct journal_record record;
    buffer_clear(records);
    while (records->len < cut->delivery_bytes && next_record(cut, text, all, &record, used)) {
        delivery_put_record(records, record.bytes, record.part ? SLICE("part=1") : SLICE(""));
        out->event_count++;
    }
    return out->event_count ? give(out, records) : 0;
}

/* ---- lines ---- */

/* Bytes of whole lines for one delivery; 0 when there is no line end. */
static size_t whole_lines(const struct text_cut *cut, struct slice text)
{
    size_t len = text.len < cut->delivery_bytes ? text.len : cut->delivery_bytes;
    const char *end = memrchr(text.ptr, '\n', len);
    if (!end)
        end = memchr(text.ptr, '\n', text.len < DELIVERY_BYTES_USUAL ? text.len : DELIVERY_BYTES_USUAL);
    return end ? (size_t)(end - text.ptr) + 1 : 0;
}

static int give_lines(struct text_cut *cut, struct slice text, enum text_more more, struct buffer *records,
                      struct delivery *out, size_t *used)
{
    size_t len = text.len;
    if (cut->in_part)
        return next_parts(cut, text, more, records, out, used);
    if (more != TEXT_ENDS || len > cut->delivery_bytes) {
        len = whole_lines(cut, text);
        if (!len)
            return next_parts(cut, text, more, records, out, used);
        size_t end = line_records_end(&cut->lines, slice_sub(text, 0, len));
        if (more == TEXT_GOES_ON && cut->lines.join && end == len && text.len < cut->delivery_bytes)
            return 0; /* one record, which may go on */
        len = more == TEXT_RESTS && text.len <= cut->delivery_bytes ? len : end;
    }
    *used += len;
    text = slice_sub(text, 0, len);
    if (line_records_give(&cut->lines, text, records, out))
        return 1;
    out->framing = FRAMING_LINES;
    out->body = text;
    out->event_count = delivery_count_lines(out->body);
    return 1;
}

int text_cut_next(struct text_cut *cut, struct slice text, enum text_more more, struct buffer *records,
                  struct delivery *out, size_t *used)
{
    *used = 0;
    if (!cut->looked) {
        if (more == TEXT_GOES_ON && !has_enough_to_look_at(text))
            return 0;
        cut->looked = true;
        *used = look_for_mark(cut, text);
        text = slice_from(text, *used);
        cut->form = form_of(cut, text);
    }
    if (cut->form != FORM_LINES) {
        if (give_records(cut, &text, more == TEXT_ENDS, records, out, used))
            return 1;
        if ((more == TEXT_ENDS && text.len == 0) || (more != TEXT_ENDS && text.len < text_cut_wants(cut)))
            return 0;
        cut->form = FORM_LINES; /* an object over the limit: lines, or parts of one */
    }
    if (text.len == 0)
        return 0;
    return cut->encoding ? next_encoded(cut, text, more, records, out, used)
                         : give_lines(cut, text, more, records, out, used);
}

/* ---- to go on later ---- */

enum {
    SAVED_IN_PART = 1,
    SAVED_LOOKED = 2,
    SAVED_LITTLE_ENDIAN = 4, /* by its mark */
    SAVED_BIG_ENDIAN = 8,
    SAVED_JSON_INSIDE = 16,
    SAVED_JSON_WITHIN = 32,
    SAVED_IN_LINE = 64,
    SAVED_IN_ENTRY = 128,
    SAVED_LINES_LOOKED = 256,
    SAVED_COMMENTS = 512,
    SAVED_ALL = 1023,
};

void text_cut_save(const struct text_cut *cut, struct buffer *to)
{
    bool wide = cut->unit == 2;
    unsigned flags = (cut->in_part ? SAVED_IN_PART : 0u) | (cut->looked ? SAVED_LOOKED : 0u) |
                     (wide && !cut->big_endian ? SAVED_LITTLE_ENDIAN : 0u) |
                     (wide && cut->big_endian ? SAVED_BIG_ENDIAN : 0u) | (cut->json.inside ? SAVED_JSON_INSIDE : 0u) |
                     (cut->json.within ? SAVED_JSON_WITHIN : 0u) | (cut->journal.in_line ? SAVED_IN_LINE : 0u) |
                     (cut->journal.in_entry ? SAVED_IN_ENTRY : 0u) |
                     (cut->lines.looked ? SAVED_LINES_LOOKED : 0u) | (cut->lines.comments ? SAVED_COMMENTS : 0u);
    buffer_put_varint(to, flags);
    buffer_put_varint(to, cut->form);
    buffer_put_varint(to, cut->journal.left);
    buffer_put_block(to, buffer_slice(&cut->lines.header));
}

int text_cut_load(struct text_cut *cut, struct slice *from)
{
    uint64_t flags, form, left;
    struct slice header;
    if (!slice_take_varint(from, &flags) || !slice_take_varint(from, &form) || !slice_take_varint(from, &left) ||
        !slice_take_block(from, &header) || flags > SAVED_ALL || form > FORM_JOURNAL)
        return -1;
    if (flags & (SAVED_LITTLE_ENDIAN | SAVED_BIG_ENDIAN))
        set_encoding(cut, flags & SAVED_BIG_ENDIAN ? "UTF-16BE" : "UTF-16LE");
    cut->in_part = flags & SAVED_IN_PART;
    cut->looked = flags & SAVED_LOOKED;
    cut->form = (enum text_form)form;
    cut->json = (struct json_records){.inside = flags & SAVED_JSON_INSIDE, .within = flags & SAVED_JSON_WITHIN};
    cut->journal = (struct journal_export){
        .left = left, .in_line = flags & SAVED_IN_LINE, .in_entry = flags & SAVED_IN_ENTRY};
    cut->lines.looked = flags & SAVED_LINES_LOOKED;
    cut->lines.comments = flags & SAVED_COMMENTS;
    buffer_clear(&cut->lines.header);
    buffer_put(&cut->lines.header, header);
    return buffer_failed(&cut->lines.header) ? -1 : 0;
}
