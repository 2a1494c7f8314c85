/* OTLP bodies, protobuf and JSON, of every signal: no crash; what is accepted can be walked again, with as many events as were
 * counted, and each of them is JSON. The first byte says which. */
#include "collect/otlp_parse.h"

#include "walk_records.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct buffer records;
    struct err err;
    uint32_t count;
    if (size == 0)
        return 0;
    buffer_init(&records, 1024 * 1024);
    if (otlp_parse((enum otlp_signal)((data[0] >> 1) % 3), data[0] & 1, slice_of(data + 1, size - 1), &records, &count, &err) == 0)
        walk_records(&records, count, true);
    buffer_close(&records);
    return 0;
}
