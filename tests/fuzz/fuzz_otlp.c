/* OTLP bodies, protobuf and JSON, of every signal: no crash; what is accepted can be walked again, with as many events as were
 * counted, and each of them is JSON. The first byte says which. */
#include "collect/http/otlp_parse.h"

#include "walk_records.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int parse(uint8_t which, struct slice body, struct buffer *records, uint32_t *count, struct err *err)
{
    return otlp_parse((enum otlp_signal)((which >> 1) % 3), which & 1, body, records, count, err);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    return walk_body(data, size, true, parse);
}
