/* _bulk bodies: no crash; what is accepted can be walked again, with as many events as items say. */
#include "collect/http/elastic_bulk.h"
#include "event/delivery.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uint32_t walk(const struct buffer *records)
{
    struct delivery delivery = {.framing = FRAMING_RECORDS, .body = buffer_slice(records)};
    struct delivery_event event;
    size_t at = 0;
    uint32_t seen = 0;
    bool damaged = false;
    for (; delivery_next(&delivery, &at, &event, &damaged); seen++)
        assert(event.raw.len > 0);
    assert(!damaged);
    return seen;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct buffer records;
    struct elastic_bulk bulk;
    struct err err;
    buffer_init(&records, 64 * 1024 * 1024);
    if (elastic_bulk_parse(slice_of(data, size), SLICE("url"), &records, &bulk, &err) == 0) {
        uint32_t stored = 0;
        for (uint32_t i = 0; i < bulk.item_count; i++) {
            assert(bulk.items[i].action < ELASTIC_ACTIONS);
            stored += bulk.items[i].problem == ELASTIC_STORED;
        }
        assert(stored == bulk.event_count && walk(&records) == stored);
    } else {
        assert(err.text[0]);
    }
    elastic_bulk_close(&bulk);
    buffer_close(&records);
    return 0;
}
