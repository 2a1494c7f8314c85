/* Any bytes through all decoders that come with the product: each event keeps its bytes, and however it is decoded, the same
 * bytes give the same event. */
#include "base/buffer.h"
#include "base/json.h"
#include "base/limits.h"
#include "decode/decode.h"

#include <assert.h>
#include <stdlib.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct decoders *decoders;

static void load(void)
{
    struct err err;
    const char *places[] = {"content/decoders", "../content/decoders", "../../content/decoders"};
    for (size_t i = 0; !decoders && i < sizeof(places) / sizeof(*places); i++)
        if (access(places[i], R_OK) == 0 && decoders_load(places[i], NULL, &decoders, &err) < 0)
            abort();
    assert(decoders);
}

static void decode_into(struct slice text, struct buffer *to)
{
    struct err err;
    struct decode *decode = decode_new(decoders);
    struct batch *batch = batch_new(BATCH_ARENA_MAX);
    struct decode_place place = {0};
    struct delivery delivery = {.framing = FRAMING_LINES, .body = text, .received_ns = 1772323200 * NS_PER_SECOND};
    assert(decode && batch);
    if (decode_delivery(decode, &delivery, &place, batch, &err) >= 0 && decode_finish(batch, &err) == 0)
        for (uint32_t row = 0; row < batch->row_count; row++) {
            struct json json;
            json_init(&json, to);
            batch_row_to_json(batch, row, &json);
            assert(batch->rows[row].raw.len <= text.len);
        }
    batch_free(batch);
    decode_free(decode);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct buffer one, two;
    if (!decoders)
        load();
    buffer_init(&one, 64 * MIB);
    buffer_init(&two, 64 * MIB);
    decode_into(slice_of((const char *)data, size), &one);
    decode_into(slice_of((const char *)data, size), &two);
    assert(slice_equal(buffer_slice(&one), buffer_slice(&two)));
    buffer_close(&one);
    buffer_close(&two);
    return 0;
}
