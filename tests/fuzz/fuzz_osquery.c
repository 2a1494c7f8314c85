/* Bodies of osquery's tls plugins: no crash; what is accepted can be walked, with as many events as were counted, each as it stands there. */
#include "collect/http/osquery_parse.h"
#include "event/delivery.h"

#include <assert.h>
#include <stdint.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct osquery_request request;
    struct delivery_event event;
    struct buffer records;
    struct err err;
    size_t at = 0;
    uint32_t seen = 0;
    bool damaged = false;
    buffer_init(&records, 1024 * 1024);
    if (osquery_parse(slice_of(data, size), &records, &request, &err) == 0) {
        struct delivery delivery = {.framing = FRAMING_RECORDS, .body = buffer_slice(&records)};
        for (; delivery_next(&delivery, &at, &event, &damaged); seen++)
            assert(memmem(data, size, event.raw.ptr, event.raw.len));
        assert(!damaged && seen == request.event_count);
    }
    buffer_close(&records);
    return 0;
}
