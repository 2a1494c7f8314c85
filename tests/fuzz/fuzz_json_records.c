/* JSON texts of many events: every record is a part of the text behind the one before it, and the end is reached. */
#include "cut/json_records.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct json_records state = {0};
    struct slice text = slice_of(data, size), record;
    size_t at = 0, used;
    (void)json_records_detect(text);
    while (json_records_next(&state, slice_from(text, at), true, &used, &record)) {
        assert(record.len && record.ptr >= text.ptr + at && record.ptr + record.len == text.ptr + at + used);
        at += used;
    }
    assert(at + used == size);
    return 0;
}
