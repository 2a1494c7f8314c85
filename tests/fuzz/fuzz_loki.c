/* Loki's push requests, protobuf and JSON (the first byte says which): no crash; what is accepted can be walked again, with as many
 * events as were counted. */
#include "collect/http/loki_parse.h"

#include "walk_records.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int parse(uint8_t which, struct slice body, struct buffer *records, uint32_t *count, struct err *err)
{
    return loki_parse(which & 1, body, records, count, err);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    return walk_body(data, size, false, parse);
}
