/* Windows event XML as text. */
#include "cut/winxml.h"
#include "cut/xml_scan.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct columns columns;
    struct slice text = slice_of(data, size);
    struct batch *batch = batch_new(BATCH_ARENA_MAX);
    struct err err;
    bool left = false;
    if (batch_add_row(batch) && cut_winxml(&columns, text, batch, 0, &left, &err) < 0)
        assert(err.text[0]);
    struct xml_scan scan = {.text = text};
    struct xml_token token;
    size_t steps = 0;
    do {
        xml_next(&scan, &token);
        assert(++steps <= size + 2 && scan.at <= size && scan.depth <= XML_DEPTH_MAX);
    } while (token.kind != XML_DONE && token.kind != XML_BAD);
    struct slice plain = xml_unescape(text, batch->arena);
    assert(plain.len <= size);
    batch_free(batch);
    return 0;
}
