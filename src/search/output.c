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

/* ---- a whole answer ---- */

int output_open(struct output *output, const struct search_result *whole, enum output_format format,
                struct buffer *to)
{
    *output = (struct output){.whole = whole, .format = format, .to = to};
    output->arena = arena_new(16 * MIB);
    uint32_t count = whole->rows->column_count;
    if (!output->arena)
        return -1;
    output->widths = arena_array(output->arena, count + 1U, sizeof(*output->widths));
    output->columns = arena_array(output->arena, count + 1U, sizeof(*output->columns));
    buffer_init(&output->cell, 64 * MIB);
    for (uint32_t c = 0; output->widths && c < count; c++)
        output->widths[c] = put_visible(whole->names[c], NULL);
    return output->widths && output->columns ? 0 : -1;
}

void output_close(struct output *output)
{
    buffer_close(&output->cell);
    arena_free(output->arena);
}

/* The part's columns in the order of the whole; NULL: it lacks one. */
static void find_columns(struct output *output, const struct batch *part)
{
    const struct batch *whole = output->whole->rows;
    for (uint32_t c = 0; c < whole->column_count; c++)
        output->columns[c] =
            part == whole ? whole->columns[c] : batch_find(part, whole->columns[c]->name);
}

static bool take_cell(struct output *output, uint32_t c, uint32_t row, char separator, bool seconds)
{
    buffer_clear(&output->cell);
    return output->columns[c] &&
           cell_text(output->columns[c], row, separator, seconds, &output->cell);
}

bool output_measures(const struct output *output)
{
    return output->format == OUTPUT_TABLE;
}

void output_measure(struct output *output, const struct search_result *part)
{
    find_columns(output, part->rows);
    for (uint32_t c = 0; c < output->whole->rows->column_count; c++)
        for (uint32_t row = 0; row < part->rows->row_count; row++) {
            take_cell(output, c, row, ' ', false);
            size_t width = put_visible(buffer_slice(&output->cell), NULL);
            output->widths[c] = width > output->widths[c] ? width : output->widths[c];
        }
}

void output_head(struct output *output)
{
    struct buffer *to = output->to;
    uint32_t count = output->whole->rows->column_count;
    const struct slice *names = output->whole->names;
    if (output->format == OUTPUT_JSON)
        buffer_put_text(to, "[");
    for (uint32_t c = 0; output->format == OUTPUT_CSV && c < count; c++) {
        buffer_put_text(to, c ? "," : "");
        csv_put_cell(to, names[c], false);
    }
    if (output->format == OUTPUT_CSV)
        buffer_put_text(to, "\r\n");
    for (uint32_t c = 0; output->format == OUTPUT_TABLE && c < count; c++) {
        buffer_put_text(to, c ? "  " : "");
        put_padded(names[c], output->widths[c], false, to);
    }
    if (output->format == OUTPUT_TABLE && count)
        buffer_put_text(to, "\n");
}

static void put_csv_row(struct output *output, uint32_t row)
{
    for (uint32_t c = 0; c < output->whole->rows->column_count; c++) {
        bool number = take_cell(output, c, row, '\n', true);
        buffer_put_text(output->to, c ? "," : "");
        csv_put_cell(output->to, buffer_slice(&output->cell), number);
    }
    buffer_put_text(output->to, "\r\n");
}

static void put_table_row(struct output *output, uint32_t row)
{
    uint32_t count = output->whole->rows->column_count;
    for (uint32_t c = 0; c < count; c++) {
        bool number = take_cell(output, c, row, ' ', false);
        buffer_put_text(output->to, c ? "  " : "");
        put_padded(buffer_slice(&output->cell), c + 1 == count && !number ? 0 : output->widths[c],
                   number, output->to);
    }
    buffer_put_char(output->to, '\n');
}

static void put_json_row(struct output *output, const struct search_result *part, uint32_t row)
{
    struct json json;
    json_init(&json, output->to);
    if (output->format == OUTPUT_JSON)
        buffer_put_text(output->to, output->rows ? ",\n" : "\n");
    put_row(part, row, true, &json);
    if (output->format == OUTPUT_JSONL)
        buffer_put_text(output->to, "\n");
}

void output_part(struct output *output, const struct search_result *part)
{
    bool json = output->format == OUTPUT_JSON || output->format == OUTPUT_JSONL;
    if (!json)
        find_columns(output, part->rows);
    for (uint32_t row = 0; row < part->rows->row_count; row++, output->rows++) {
        if (json)
            put_json_row(output, part, row);
        else if (output->format == OUTPUT_CSV)
            put_csv_row(output, row);
        else
            put_table_row(output, row);
    }
}

void output_tail(struct output *output)
{
    if (output->format == OUTPUT_JSON)
        buffer_put_text(output->to, "\n]\n");
}

void output_put(const struct search_result *result, enum output_format format, struct buffer *to)
{
    struct output output;
    if (output_open(&output, result, format, to) < 0)
        to->failed = true;
    else {
        if (output_measures(&output))
            output_measure(&output, result);
        output_head(&output);
        output_part(&output, result);
        output_tail(&output);
    }
    output_close(&output);
}
