/* Bodies of texts: no crash, as many records as were counted, and none of them is empty. The first byte is the form. */
#include "collect/http/ingest_text.h"
#include "event/delivery.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct buffer records;
    struct delivery_event event;
    size_t at = 0;
    uint32_t seen = 0;
    bool damaged = false;
    if (size == 0)
        return 0;
    buffer_init(&records, 64 * 1024 * 1024);
    struct slice body = slice_of(data + 1, size - 1);
    uint32_t count = ingest_text(data[0] & 1 ? INGEST_JSON : INGEST_LINES, body, SLICE("host=a"), &records);
    struct delivery delivery = {.framing = FRAMING_RECORDS, .body = buffer_slice(&records)};
    for (; delivery_next(&delivery, &at, &event, &damaged); seen++)
        assert(event.raw.len > 0);
    assert(!damaged && seen == count);
    (void)ingest_form_of(body, body);
    buffer_close(&records);
    return 0;
}
