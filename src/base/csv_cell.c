#include "base/csv_cell.h"

static bool starts_formula(struct slice text)
{
    static const struct slice signs[] = {{"=", 1},
                                         {"+", 1},
                                         {"-", 1},
                                         {"@", 1},
                                         {"\t", 1},
                                         {"\r", 1},
                                         {"\xef\xbc\x9d", 3},
                                         {"\xef\xbc\x8b", 3},
                                         {"\xef\xbc\x8d", 3},
                                         {"\xef\xbc\xa0", 3}};
    for (size_t i = 0; i < ARRAY_COUNT(signs); i++)
        if (slice_starts(text, signs[i]))
            return true;
    return false;
}

void csv_put_cell(struct buffer *to, struct slice text, bool number)
{
    bool formula = !number && starts_formula(text);
    bool quote = false;
    for (size_t i = 0; i < text.len; i++)
        quote |=
            text.ptr[i] == '"' || text.ptr[i] == ',' || text.ptr[i] == '\n' || text.ptr[i] == '\r';
    if (!quote && !formula) {
        buffer_put(to, text);
        return;
    }
    buffer_put_char(to, '"');
    if (formula)
        buffer_put_char(to, '\'');
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] == '"')
            buffer_put_char(to, '"');
        buffer_put_char(to, text.ptr[i]);
    }
    buffer_put_char(to, '"');
}
