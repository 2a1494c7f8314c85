/* What a mail server sends: answers are taken one by one, each uses some bytes, and cut anywhere there is more to come. */
#include "base/limits.h"
#include "respond/notify/imap.h"

#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice rest = slice_of(data, size);
    struct imap_line line, less;
    uint32_t numbers[8];
    size_t used, fewer;
    while (rest.len && imap_take(rest, &line, &used) == 1) {
        size_t count = 0;
        if (used == 0 || used > rest.len || line.text.len > used || line.literal.len > used)
            abort();
        if (imap_take(slice_sub(rest, 0, used - 1), &less, &fewer) == 1)
            abort();
        imap_read_search(line.text, numbers, 8, &count);
        if (count > 8)
            abort();
        rest = slice_from(rest, used);
    }
    return 0;
}
