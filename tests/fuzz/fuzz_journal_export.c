/* The journal's entries: records follow each other, parts are no longer than they may be, and the end is reached. */
#include "cut/journal_export.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void cut_fields(struct slice entry)
{
    struct slice name, value;
    while (journal_export_field(&entry, &name, &value))
        assert(name.len && value.ptr + value.len <= entry.ptr);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    enum { PART_MIN = 96 };
    struct journal_export state = {0};
    struct slice text = slice_of(data, size);
    struct journal_record record;
    size_t at = 0, used, max = PART_MIN + (size ? data[0] : 0);
    (void)journal_export_detect(text);
    while (journal_export_next(&state, slice_from(text, at), true, max, &used, &record)) {
        assert(used && record.bytes.len && record.bytes.len <= max && record.bytes.ptr >= text.ptr + at);
        assert(record.bytes.ptr + record.bytes.len <= text.ptr + at + used);
        cut_fields(record.bytes);
        at += used;
    }
    assert(at + used == size);
    return 0;
}
