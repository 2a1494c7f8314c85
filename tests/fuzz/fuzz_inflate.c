/* Compressed bodies (the first byte says of which kind): no crash, and never more than the cap. */
#include "net/inflate.h"

#include <assert.h>

enum { BYTES_MAX = 256 * 1024 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct buffer plain;
    struct err err;
    if (size == 0)
        return 0;
    buffer_init(&plain, 2 * BYTES_MAX);
    if (inflate_body((enum inflate_kind)(data[0] % 4), slice_of(data + 1, size - 1), BYTES_MAX, 200, &plain, &err) == 0)
        assert(plain.len <= BYTES_MAX);
    buffer_close(&plain);
    return 0;
}
