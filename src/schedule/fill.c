#include "schedule/fill.h"

static int read_words(struct slice inner, struct fill_piece *out, struct err *err)
{
    struct slice word;
    while (inner.len) {
        if (inner.ptr[0] == ' ') {
            inner = slice_from(inner, 1);
            continue;
        }
        ptrdiff_t end = slice_find_char(inner, ' ');
        word = end < 0 ? inner : slice_sub(inner, 0, (size_t)end);
        inner = slice_from(inner, word.len);
        if (out->word_count == FILL_WORDS_MAX)
            return err_set(err, ERR_CONFIG, "{%.*s ...} has more than %d words", SLICE_ARG(out->words[0]), FILL_WORDS_MAX);
        out->words[out->word_count++] = word;
    }
    return out->word_count ? 1 : err_set(err, ERR_CONFIG, "{} names nothing; a brace itself is written {{");
}

int fill_next(struct slice *rest, struct fill_piece *out, struct err *err)
{
    *out = (struct fill_piece){.text = SLICE("")};
    if (!rest->len)
        return 0;
    size_t len = 0;
    while (len < rest->len && rest->ptr[len] != '{' && rest->ptr[len] != '}')
        len++;
    if (len) {
        out->text = slice_sub(*rest, 0, len);
        *rest = slice_from(*rest, len);
        return 1;
    }
    if (rest->len > 1 && rest->ptr[1] == rest->ptr[0]) {
        out->text = slice_sub(*rest, 0, 1);
        *rest = slice_from(*rest, 2);
        return 1;
    }
    ptrdiff_t close = rest->ptr[0] == '{' ? slice_find_char(*rest, '}') : -1;
    if (close < 0)
        return err_set(err, ERR_CONFIG, "'%c' stands alone; a brace itself is written twice", rest->ptr[0]);
    struct slice inner = slice_sub(*rest, 1, (size_t)close - 1);
    *rest = slice_from(*rest, (size_t)close + 1);
    return read_words(inner, out, err);
}

int fill_put_literal(struct buffer *to, struct slice value, struct err *err)
{
    if (slice_find_char(value, '\n') >= 0 || slice_find_char(value, '\r') >= 0)
        return err_set(err, ERR_CONFIG, "the value has a line break, which no search can ask for; look at the events of the finding");
    buffer_put_char(to, '"');
    for (size_t i = 0; i < value.len; i++) {
        char c = value.ptr[i];
        if (c == '"' || c == '\\' || c == '*')
            buffer_put_char(to, '\\');
        buffer_put_char(to, c);
    }
    buffer_put_char(to, '"');
    return 0;
}

void fill_put_shown(struct buffer *to, struct slice value, size_t bytes_max)
{
    size_t len = value.len;
    if (len > bytes_max)
        for (len = bytes_max; len > 0 && ((unsigned char)value.ptr[len] & 0xc0) == 0x80;)
            len--;
    buffer_put(to, slice_sub(value, 0, len));
    if (len < value.len)
        buffer_put_text(to, "…");
}
