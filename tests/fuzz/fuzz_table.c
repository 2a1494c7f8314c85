/* A lookup table or --data file: JSON lines, a JSON array or CSV. The first byte says which name it has. */
#include "base/limits.h"
#include "search/table_source.h"

#include <stddef.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const names[] = {"t.csv", "t.json", "t.jsonl"};
    struct batch *batch = batch_new(64 * MIB), *to = batch_new(64 * MIB);
    struct err err;
    err_clear(&err);
    if (size && batch && to) {
        struct slice text = slice_of(data + 1, size - 1);
        if (table_read(slice_text(names[data[0] % ARRAY_COUNT(names)]), text, batch, &err) < 0) {
            if (!err.text[0])
                __builtin_trap(); /* an error says what is wrong */
        } else {
            (void)!table_adopt(batch, to);
        }
    }
    batch_free(to);
    batch_free(batch);
    return 0;
}
