/* What a name looks like: stays within its room, has no capitals, and needs no second reading where the name is text
 * and no label is Punycode. */
#include "base/mem.h"
#include "base/utf8.h"
#include "cut/lookalike.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size > 4096)
        return 0;
    char *first = mem_alloc(4 * size + 1), *second = mem_alloc(16 * size + 4);
    if (first && second) {
        size_t len = lookalike_write(slice_of(data, size), first);
        if (len > 4 * size)
            abort();
        for (size_t i = 0; i < len; i++)
            if (first[i] >= 'A' && first[i] <= 'Z')
                abort();
        size_t again = lookalike_write(slice_of(first, len), second);
        if (utf8_valid(slice_of(data, size)) && !memmem(first, len, "xn--", 4) && (again != len || memcmp(first, second, len) != 0))
            abort();
    }
    mem_free(first);
    mem_free(second);
    return 0;
}
