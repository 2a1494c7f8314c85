/* The records of a delivery body as text: "hints\traw" lines, 0x1f as ';'. */
#include "base/buffer.h"
#include "base/err.h"
#include "event/delivery.h"

#include "test.h"

static inline void records_print(const struct buffer *records, struct buffer *to)
{
    struct delivery delivery = {.framing = FRAMING_RECORDS, .body = buffer_slice(records)};
    struct delivery_event event;
    size_t at = 0;
    bool damaged;
    buffer_clear(to);
    while (delivery_next(&delivery, &at, &event, &damaged)) {
        for (size_t i = 0; i < event.hints.len; i++)
            buffer_put_char(to, event.hints.ptr[i] == 0x1f ? ';' : event.hints.ptr[i]);
        buffer_put_char(to, '\t');
        buffer_put(to, event.raw);
        buffer_put_char(to, '\n');
    }
}

/* What a parser gave, or its sentence, is this. Closes the records. */
static inline void records_expect(int result, const struct err *err, struct buffer *records, const char *wanted)
{
    struct buffer text;
    buffer_init(&text, 1024 * 1024);
    if (result < 0)
        buffer_put_text(&text, err->text);
    else
        records_print(records, &text);
    if (!slice_is(buffer_slice(&text), wanted))
        fail_msg("got '%.*s', want '%s'", SLICE_ARG(buffer_slice(&text)), wanted);
    buffer_close(records);
    buffer_close(&text);
}
