/* Cursors of files: whatever bytes come, what is understood is written again as the same. */
#include "base/limits.h"
#include "collect/files/file_cursor.h"
#include "collect/wire/text_cut.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void try_text_state(struct slice bytes)
{
    struct text_cut cut;
    struct buffer again, records;
    struct delivery out = {0};
    size_t used;
    text_cut_init(&cut, NULL);
    buffer_init(&again, 64 * KIB);
    buffer_init(&records, 16 * MIB);
    if (text_cut_load(&cut, &bytes) == 0) {
        text_cut_save(&cut, &again);
        struct text_cut twin;
        struct slice saved = buffer_slice(&again);
        text_cut_init(&twin, NULL);
        assert(text_cut_load(&twin, &saved) == 0 && saved.len == 0);
        text_cut_close(&twin);
        (void)text_cut_next(&cut, SLICE("a,b\n1,2\n{}\nF=x\n\nrest"), TEXT_ENDS, &records, &out, &used);
        assert(used <= 22);
    }
    text_cut_close(&cut);
    buffer_close(&again);
    buffer_close(&records);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice at = slice_of(data, size);
    struct file_place place, twin;
    struct buffer again;
    struct err err;
    int64_t since;
    size_t count;
    try_text_state(at);
    if (file_cursor_count(&at, &since, &count, &err) < 0)
        return 0;
    buffer_init(&again, MIB);
    for (size_t i = 0; i < count && file_cursor_next(&at, &place, &err) == 0; i++) {
        buffer_clear(&again);
        file_cursor_put(&again, &place);
        struct slice saved = buffer_slice(&again);
        assert(buffer_failed(&again) || (file_cursor_next(&saved, &twin, &err) == 0 && saved.len == 0 &&
                                         twin.offset == place.offset && twin.finished == place.finished &&
                                         slice_equal(twin.text_state, place.text_state)));
        try_text_state(place.text_state);
    }
    buffer_close(&again);
    return 0;
}
