#include "cut/line_records.h"

#include "base/limits.h"
#include "cut/csv.h"

enum {
    HEADER_BYTES_MAX = 16 * 1024,
    HEADER_CELLS_MIN = 3,
    HEADER_WORDS_MIN = 6, /* between blanks: a sentence has words, too */
    HEADER_CELL_BYTES_MAX = 64,
};

void line_records_init(struct line_records *lines)
{
    *lines = (struct line_records){0};
    buffer_init(&lines->header, HEADER_BYTES_MAX);
}

void line_records_close(struct line_records *lines)
{
    buffer_close(&lines->header);
}

static struct slice without_cr(struct slice line)
{
    if (line.len && line.ptr[line.len - 1] == '\r')
        line.len--;
    return line;
}

size_t line_records_end(const struct line_records *lines, struct slice text)
{
    size_t end = text.len;
    while (lines->join && text.ptr && end > 0) {
        const char *before = end > 1 ? memrchr(text.ptr, '\n', end - 1) : NULL;
        size_t start = before ? (size_t)(before - text.ptr) + 1 : 0;
        struct slice line = without_cr(slice_sub(text, start, end - 1 - start));
        if (line_join_begins(lines->join, line))
            return start ? start : text.len;
        end = start;
    }
    return text.len;
}

/* --- lines that name columns --- */

/* A word or a few, as headers have them. */
static bool is_column_name(struct slice cell)
{
    bool letter = false;
    cell = slice_trim(cell);
    for (size_t i = 0; i < cell.len; i++) {
        char c = cell.ptr[i];
        bool small = (c | 0x20) >= 'a' && (c | 0x20) <= 'z', digit = c >= '0' && c <= '9';
        letter |= small || (unsigned char)c >= 0x80;
        if (!small && !digit && (unsigned char)c < 0x80 && slice_find_char(SLICE(" _-.()/#%"), c) < 0)
            return false;
        if (i == 0 && digit)
            return false;
    }
    return letter && cell.len <= HEADER_CELL_BYTES_MAX;
}

/* All cells are names, and the line behind it has as many cells that are not all names. */
static bool is_csv_header(struct slice line, struct slice next)
{
    static const char separators[] = ",;\t ";
    for (size_t s = 0; s < sizeof(separators) - 1; s++) {
        struct csv head = {line, separators[s], true}, row = {next, separators[s], true};
        struct csv_cell cell;
        size_t cells = 0, others = 0;
        bool names = true, blanks = separators[s] == ' ';
        while (names && csv_next(&head, &cell)) {
            names = is_column_name(cell.text);
            cells++;
        }
        if (!names || cells < (blanks ? HEADER_WORDS_MIN : HEADER_CELLS_MIN))
            continue;
        size_t needed = blanks ? cells / 2 : 1; /* cells of the row that are no names */
        while (csv_next(&row, &cell)) {
            others += !is_column_name(cell.text);
            cells--;
        }
        return cells == 0 && others >= needed;
    }
    return false;
}

/* What a line of comment says the columns are, or SLICE_NONE. */
static struct slice directive_of(struct slice line)
{
    if (slice_starts(line, SLICE("#Fields:")))
        return slice_trim(slice_from(line, 8));
    return slice_starts(line, SLICE("#fields\t")) ? slice_from(line, 8) : SLICE_NONE;
}

/* --- giving --- */

struct giving {
    struct line_records *lines;
    struct buffer *records;
    struct delivery *out;
    bool hint_due; /* the next record carries the names */
};

static struct slice without_line_end(struct slice raw)
{
    while (raw.len && (raw.ptr[raw.len - 1] == '\n' || raw.ptr[raw.len - 1] == '\r'))
        raw.len--;
    return raw;
}

static void put_record(struct giving *giving, struct slice raw)
{
    char hint[HEADER_BYTES_MAX + 8] = "header=";
    struct slice names = buffer_slice(&giving->lines->header);
    raw = without_line_end(raw);
    if (!raw.len)
        return;
    bool hinted = giving->hint_due && names.len && slice_find_char(names, '\x1f') < 0;
    if (hinted)
        memcpy(hint + 7, names.ptr, names.len);
    delivery_put_record(giving->records, raw, hinted ? slice_of(hint, 7 + names.len) : SLICE(""));
    giving->hint_due = false;
    giving->out->event_count++;
}

static bool cut_line(struct slice text, size_t at, size_t *next)
{
    if (at >= text.len)
        return false;
    const char *end = memchr(text.ptr + at, '\n', text.len - at);
    *next = end ? (size_t)(end - text.ptr) + 1 : text.len;
    return true;
}

static struct slice line_at(struct slice text, size_t at)
{
    size_t next = at;
    (void)cut_line(text, at, &next);
    struct slice line = slice_sub(text, at, next - at);
    if (line.len && line.ptr[line.len - 1] == '\n')
        line.len--;
    return without_cr(line);
}

/* The line itself is an event of its own kind. */
static void take_names(struct giving *giving, struct slice line, struct slice names)
{
    delivery_put_record(giving->records, without_line_end(line), SLICE("decoder=file-header"));
    giving->out->event_count++;
    buffer_clear(&giving->lines->header);
    buffer_put(&giving->lines->header, names);
    if (buffer_failed(&giving->lines->header)) /* longer than any header: then the names are not known */
        buffer_clear(&giving->lines->header);
    giving->hint_due = true;
}

/* The file's first line tells whether there are lines that name columns. */
static struct slice look(struct line_records *lines, struct slice text)
{
    size_t next = 0;
    struct slice first = line_at(text, 0);
    if (lines->looked || !cut_line(text, 0, &next))
        return SLICE_NONE;
    lines->looked = true;
    lines->comments = first.len && first.ptr[0] == '#';
    return !lines->comments && is_csv_header(first, line_at(text, next)) ? first : SLICE_NONE;
}

bool line_records_give(struct line_records *lines, struct slice text, struct buffer *records,
                       struct delivery *out)
{
    struct giving giving = {.lines = lines, .records = records, .out = out, .hint_due = true};
    struct slice header = look(lines, text);
    size_t start = 0, next;
    if (!lines->join && !lines->header.len && !lines->comments && !header.ptr)
        return false;
    buffer_clear(records);
    for (size_t at = 0; cut_line(text, at, &next); at = next) {
        struct slice line = line_at(text, at);
        struct slice names = at == 0 && header.ptr ? header : lines->comments ? directive_of(line) : SLICE_NONE;
        bool begins = names.ptr || !lines->join || line_join_begins(lines->join, line);
        if (at > start && (begins || next - start > EVENT_BYTES_MAX)) {
            put_record(&giving, slice_sub(text, start, at - start));
            start = at;
        }
        if (names.ptr) {
            take_names(&giving, line, names);
            start = next;
        }
    }
    put_record(&giving, slice_from(text, start));
    out->framing = FRAMING_RECORDS;
    out->body = buffer_slice(records);
    return true;
}
