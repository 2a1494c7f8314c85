/* Loki's push requests, protobuf and JSON (the first byte says which): no crash; what is accepted can be walked again, with as many
 * events as were counted. */
#include "collect/loki_parse.h"

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
    if (loki_parse(data[0] & 1, slice_of(data + 1, size - 1), &records, &count, &err) == 0)
        walk_records(&records, count, false);
    buffer_close(&records);
    return 0;
}
