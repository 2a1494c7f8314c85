/* Any bytes as a search: an answer or an error, never a crash. With macros kept and without. */
#include "search/parser.h"

#include "base/limits.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    for (int keep = 0; keep < 2; keep++) {
        struct spl_options options = {.keep_macros = keep};
        struct spl_query *query;
        struct err err;
        struct arena *arena = arena_new(256 * MIB);
        if (!arena)
            return 0;
        err_clear(&err);
        if (spl_parse_with(slice_of(data, size), arena, &options, &query, &err) < 0 && !err.text[0])
            __builtin_trap(); /* an error says what is wrong */
        arena_free(arena);
    }
    return 0;
}
