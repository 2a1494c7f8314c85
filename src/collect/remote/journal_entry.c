#include "collect/remote/journal_entry.h"

#include "base/utf8.h"

static bool is_plain(struct slice value)
{
    for (size_t i = 0; i < value.len; i++)
        if ((unsigned char)value.ptr[i] < ' ' && value.ptr[i] != '\t')
            return false;
    return utf8_valid(value);
}

void journal_entry_put(struct buffer *to, struct slice field)
{
    struct slice name, value;
    if (!slice_cut(field, '=', &name, &value))
        return;
    buffer_put(to, name);
    if (is_plain(value)) {
        buffer_put_char(to, '=');
    } else {
        buffer_put_char(to, '\n');
        buffer_put_le64(to, value.len);
    }
    buffer_put(to, value);
    buffer_put_char(to, '\n');
}

bool journal_cursor_number(struct slice cursor, struct slice *counting, uint64_t *number)
{
    struct slice part, name, value;
    bool found = false;
    *counting = SLICE_NONE;
    *number = 0;
    while (slice_next_part(&cursor, ';', &part)) {
        if (!slice_cut(part, '=', &name, &value))
            continue;
        if (slice_is(name, "s"))
            *counting = value;
        if (!slice_is(name, "i") || value.len == 0 || value.len > 16)
            continue;
        found = true;
        for (size_t i = 0; i < value.len; i++) {
            char c = value.ptr[i];
            bool digit = c >= '0' && c <= '9', letter = c >= 'a' && c <= 'f';
            found = found && (digit || letter);
            *number = *number << 4 | (uint64_t)(digit ? c - '0' : c - 'a' + 10);
        }
    }
    return found && counting->len > 0;
}
