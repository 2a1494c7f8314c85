/* Damaged event logs: every record that is found renders, and its XML can be cut. */
#include "cut/evtx.h"
#include "cut/winxml.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void cut(struct slice xml)
{
    static struct columns columns;
    struct batch *batch = batch_new(BATCH_ARENA_MAX);
    bool left = false;
    struct err err;
    if (batch_add_row(batch) && cut_winxml(&columns, xml, batch, 0, &left, &err) < 0)
        assert(err.text[0]);
    batch_free(batch);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct evtx *evtx;
    struct evtx_record record;
    struct err err;
    int result;
    if (evtx_open_bytes(slice_of(data, size), &evtx, &err) < 0)
        return 0;
    for (int i = 0; i < 200 && (result = evtx_next(evtx, &record, &err)) == 1; i++)
        cut(record.xml);
    assert(evtx_report(evtx)->chunks <= size / 512 + 1); /* a chunk is its header at least */
    evtx_close(evtx);
    return 0;
}
