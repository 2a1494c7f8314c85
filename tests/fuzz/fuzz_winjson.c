/* A Windows event's XML tree as JSON. */
#include "cut/winjson.h"

#include "base/limits.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct columns columns;
    struct json_scanner *scanner = json_scanner_new();
    struct batch *batch = batch_new(BATCH_ARENA_MAX);
    struct json_tokens tokens;
    struct err err;
    bool left = false;
    if (json_scan(scanner, slice_of(data, size), JSON_DEPTH_MAX, NULL, &tokens, &err) == 0 &&
        batch_add_row(batch) && cut_winjson(&columns, &tokens, batch, 0, &left, &err) < 0)
        assert(err.text[0]);
    batch_free(batch);
    json_scanner_free(scanner);
    return 0;
}
