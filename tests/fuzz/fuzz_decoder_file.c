/* A decoder file and a text for it, with a line "====" between them: it compiles or says why not,
 * and whatever it does to the text, no event is lost. */
#include "decode/decode.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uint32_t decode_all(struct decode *decode, struct slice text)
{
    struct batch *batch = batch_new(BATCH_ARENA_MAX);
    struct delivery delivery = {.framing = FRAMING_LINES, .body = text};
    struct decode_place place = {0};
    struct err err;
    uint32_t rows = 0;
    int more;
    delivery.received_ns = 1772323200 * NS_PER_SECOND;
    do {
        more = decode_delivery(decode, &delivery, &place, batch, &err);
        assert(more >= 0 && decode_finish(batch, &err) == 0);
        rows += batch->row_count;
        batch_reset(batch);
    } while (more);
    batch_free(batch);
    return rows;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice text = slice_of(data, size), file = text, events = SLICE("{\"a\":\"b c\"}\nx=1 y");
    ptrdiff_t mark = slice_find(text, SLICE("\n====\n"));
    struct decoders *decoders;
    struct err err;
    if (mark >= 0) {
        file = slice_sub(text, 0, (size_t)mark);
        events = slice_from(text, (size_t)mark + 6);
    }
    err_clear(&err);
    if (decoders_load_text(file, "fuzz", &decoders, &err) < 0) {
        assert(err.text[0]);
        return 0;
    }
    struct decode *decode = decode_new(decoders);
    if (decode)
        assert(decode_all(decode, events) == delivery_count_lines(events));
    decode_free(decode);
    decoders_free(decoders);
    return 0;
}
