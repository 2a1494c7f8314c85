/* Remote write requests of both versions (the first byte says which): no crash; what is accepted can be walked again, with as many
 * events as were counted, and each of them is JSON. */
#include "collect/http/remote_write_parse.h"

#include "walk_records.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct remote_write_counts counts;
    struct buffer records;
    struct err err;
    if (size == 0)
        return 0;
    buffer_init(&records, 1024 * 1024);
    if (remote_write_parse(data[0] & 1, slice_of(data + 1, size - 1), &records, &counts, &err) == 0)
        walk_records(&records, counts.events, true);
    buffer_close(&records);
    return 0;
}
