#include "search/output.h"

#include "base/csv_cell.h"
#include "base/utf8.h"
#include "event/schema.h"

#include <stdio.h>

bool output_format_by_name(struct slice name, enum output_format *out)
{
    static const char *const names[] = {"table", "json", "jsonl", "csv"};
    for (size_t i = 0; i < ARRAY_COUNT(names); i++)
        if (slice_is_nocase(name, names[i])) {
            *out = (enum output_format)i;
            return true;
        }
    return false;
}

/* Times are seconds since 1970 with as many digits as they have. */
static struct slice number_text(struct value v, char to[VALUE_TEXT_SIZE])
{
    if (v.type == VALUE_TIME)
        return slice_of(to, decimal_format(decimal_trim((struct decimal){v.i64, 9}), to));
    return value_text_small(v, to);
}

static void put_json_value(struct value v, bool exact, struct json *json)
{
    char small[VALUE_TEXT_SIZE];
    bool number = v.type == VALUE_I64 || v.type == VALUE_DECIMAL || v.type == VALUE_TIME;
    if (number && (exact || v.type == VALUE_TIME))
        json_raw(json, number_text(v, small));
    else if (v.type == VALUE_BOOL)
        json_text(json, value_text_small(v, small));
    else
        value_to_json(v, json);
}

static void put_row(const struct search_result *result, uint32_t row, bool exact, struct json *json)
{
    json_open(json, '{');
    for (uint32_t c = 0; c < result->rows->column_count; c++) {
        const struct column *column = result->rows->columns[c];
        uint32_t first, count = column_range(column, row, &first);
        if (!count)
            continue;
        json_key_slice(json, result->names[c]);
        if (count > 1)
            json_open(json, '[');
        for (uint32_t i = 0; i < count; i++)
            put_json_value(column->values[first + i], exact, json);
        if (count > 1)
            json_close(json, ']');
    }
    json_close(json, '}');
}

void output_put_row(const struct search_result *result, uint32_t row, struct json *json)
{
    put_row(result, row, false, json);
}

static void put_json(const struct search_result *result, bool lines, struct buffer *to)
{
    buffer_put_text(to, lines ? "" : "[");
    for (uint32_t row = 0; row < result->rows->row_count; row++) {
        struct json json;
        json_init(&json, to);
        if (!lines)
            buffer_put_text(to, row ? ",\n" : "\n");
        put_row(result, row, true, &json);
        buffer_put_text(to, lines ? "\n" : "");
    }
    buffer_put_text(to, lines ? "" : "\n]\n");
}

/* ---- CSV ---- */

/* Several values of a cell: one a line. */
static bool cell_text(const struct column *column, uint32_t row, char separator, bool seconds,
                      struct buffer *to)
{
    uint32_t first, count = column_range(column, row, &first);
    bool number = count == 1;
    buffer_clear(to);
    for (uint32_t i = 0; i < count; i++) {
        char small[VALUE_TEXT_SIZE];
        struct value v = column->values[first + i];
        if (i)
            buffer_put_char(to, separator);
        buffer_put(to, seconds ? number_text(v, small) : value_text_small(v, small));
        number &= v.type == VALUE_I64 || v.type == VALUE_F64 || v.type == VALUE_DECIMAL ||
                  v.type == VALUE_TIME;
    }
    return number;
}

static void put_csv(const struct search_result *result, struct buffer *to)
{
    struct buffer cell;
    buffer_init(&cell, 64 * MIB);
    for (uint32_t c = 0; c < result->rows->column_count; c++) {
        buffer_put_text(to, c ? "," : "");
        csv_put_cell(to, result->names[c], false);
    }
    buffer_put_text(to, "\r\n");
    for (uint32_t row = 0; row < result->rows->row_count; row++) {
        for (uint32_t c = 0; c < result->rows->column_count; c++) {
            bool number = cell_text(result->rows->columns[c], row, '\n', true, &cell);
            buffer_put_text(to, c ? "," : "");
            csv_put_cell(to, buffer_slice(&cell), number);
        }
        buffer_put_text(to, "\r\n");
    }
    buffer_close(&cell);
}

/* ---- table ---- */

enum { CELL_WIDTH_MAX = 80 };

/* East Asian wide and full-width forms take two columns; combining marks none. */
static size_t char_width(uint32_t c)
{
    static const struct {
        uint32_t low, high;
    } wide[] = {{0x1100, 0x115f},   {0x2e80, 0x303e},  {0x3041, 0x33ff}, {0x3400, 0x4dbf},
                {0x4e00, 0x9fff},   {0xa000, 0xa4cf},  {0xac00, 0xd7a3}, {0xf900, 0xfaff},
                {0xfe30, 0xfe6f},   {0xff00, 0xff60},  {0xffe0, 0xffe6}, {0x1f300, 0x1f64f},
                {0x1f900, 0x1f9ff}, {0x20000, 0x3fffd}};
    if ((c >= 0x300 && c <= 0x36f) || (c >= 0x200b && c <= 0x200f) || c == 0xfeff)
        return 0;
    for (size_t i = 0; i < ARRAY_COUNT(wide); i++)
        if (c >= wide[i].low && c <= wide[i].high)
            return 2;
    return 1;
}

static bool is_hidden(uint32_t c)
{
    return c < 0x20 || (c >= 0x7f && c < 0xa0) || (c >= 0x202a && c <= 0x202e) ||
           (c >= 0x2066 && c <= 0x2069) || (c >= 0x200b && c <= 0x200f) || c == 0xfeff;
}

/* Writes text so that it cannot move the cursor or hide; returns its width. to may be NULL. */
static size_t put_visible(struct slice text, struct buffer *to)
{
    size_t width = 0;
    while (text.len && width < CELL_WIDTH_MAX) {
        uint32_t c;
        size_t len = utf8_decode(text, &c);
        bool broken = len == 0;
        len = broken ? 1 : len;
        if (broken || is_hidden(c)) {
            char code[16];
            int n = broken ? snprintf(code, sizeof(code), "\\x%02x", (unsigned char)text.ptr[0])
                    : c == '\n' ? snprintf(code, sizeof(code), "\\n")
                    : c == '\t' ? snprintf(code, sizeof(code), "\\t")
                                : snprintf(code, sizeof(code), "\\u%04x", c);
            if (to)
                buffer_put(to, slice_of(code, (size_t)n));
            width += (size_t)n;
        } else {
            if (to)
                buffer_put(to, slice_sub(text, 0, len));
            width += char_width(c);
        }
        text = slice_from(text, len);
    }
    if (text.len) {
        if (to)
            buffer_put_text(to, "…");
        width++;
    }
    return width;
}

static void put_padded(struct slice text, size_t width, bool right, struct buffer *to)
{
    size_t used = put_visible(text, NULL);
    for (size_t i = used; right && i < width; i++)
        buffer_put_char(to, ' ');
    put_visible(text, to);
    for (size_t i = used; !right && i < width; i++)
        buffer_put_char(to, ' ');
}

static void put_table_row(const struct search_result *result, uint32_t row, const size_t *widths,
                          struct buffer *cell, struct buffer *to)
{
    for (uint32_t c = 0; c < result->rows->column_count; c++) {
        bool number = cell_text(result->rows->columns[c], row, ' ', false, cell);
        buffer_put_text(to, c ? "  " : "");
        bool last = c + 1 == result->rows->column_count;
        put_padded(buffer_slice(cell), last && !number ? 0 : widths[c], number, to);
    }
    buffer_put_char(to, '\n');
}

static void put_table(const struct search_result *result, struct buffer *to)
{
    const struct batch *rows = result->rows;
    struct buffer cell;
    struct arena *arena = arena_new(16 * MIB);
    size_t *widths = arena ? arena_array(arena, rows->column_count + 1U, sizeof(*widths)) : NULL;
    buffer_init(&cell, 64 * MIB);
    for (uint32_t c = 0; widths && c < rows->column_count; c++) {
        widths[c] = put_visible(result->names[c], NULL);
        for (uint32_t row = 0; row < rows->row_count; row++) {
            cell_text(rows->columns[c], row, ' ', false, &cell);
            size_t width = put_visible(buffer_slice(&cell), NULL);
            widths[c] = width > widths[c] ? width : widths[c];
        }
    }
    if (!widths)
        to->failed = true;
    for (uint32_t c = 0; widths && c < rows->column_count; c++) {
        buffer_put_text(to, c ? "  " : "");
        put_padded(result->names[c], widths[c], false, to);
    }
    buffer_put_text(to, rows->column_count ? "\n" : "");
    for (uint32_t row = 0; widths && row < rows->row_count; row++)
        put_table_row(result, row, widths, &cell, to);
    buffer_close(&cell);
    arena_free(arena);
}

void output_put(const struct search_result *result, enum output_format format, struct buffer *to)
{
    switch (format) {
    case OUTPUT_TABLE:
        put_table(result, to);
        return;
    case OUTPUT_JSON:
    case OUTPUT_JSONL:
        put_json(result, format == OUTPUT_JSONL, to);
        return;
    case OUTPUT_CSV:
        put_csv(result, to);
        return;
    }
}
