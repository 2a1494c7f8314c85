/* HEC bodies: no crash; what is accepted can be walked again, with as many events as were counted. */
#include "collect/http/hec_parse.h"
#include "event/delivery.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void walk(const struct buffer *records, uint32_t count)
{
    struct delivery delivery = {.framing = FRAMING_RECORDS, .body = buffer_slice(records)};
    struct delivery_event event;
    size_t at = 0;
    uint32_t seen = 0;
    bool damaged = false;
    while (delivery_next(&delivery, &at, &event, &damaged))
        seen++;
    assert(!damaged && seen == count);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct hec_defaults defaults = {.host = SLICE("h")};
    struct buffer records;
    struct err err;
    uint32_t count;
    buffer_init(&records, 64 * 1024 * 1024);
    if (hec_parse(slice_of(data, size), &defaults, &records, &count, &err) == HEC_OK)
        walk(&records, count);
    buffer_clear(&records);
    if (hec_parse_raw(slice_of(data, size), &defaults, &records, &count) == HEC_OK)
        walk(&records, count);
    buffer_close(&records);
    return 0;
}
