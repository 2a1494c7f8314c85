/* Runs a fuzz target over every file of its corpus folder, so that the corpus is an ordinary test.
 */
#include "base/arena.h"
#include "base/file.h"

#include <stdio.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int replay(void *context, const char *path, struct err *err)
{
    struct arena *arena = arena_new(64 * 1024 * 1024);
    struct slice text;
    if (!arena || file_read(path, 32 * 1024 * 1024, arena, &text, err) < 0)
        return -1;
    LLVMFuzzerTestOneInput((const uint8_t *)text.ptr, text.len);
    arena_free(arena);
    ++*(int *)context;
    return 0;
}

int main(int argc, char **argv)
{
    int count = 0;
    struct err err;
    err_clear(&err);
    LLVMFuzzerTestOneInput((const uint8_t *)"", 0);
    if (argc > 1 && file_walk(argv[1], NULL, replay, &count, &err) < 0) {
        fprintf(stderr, "%s\n", err.text);
        return 1;
    }
    printf("%d inputs\n", count);
    return count == 0 && argc > 1; /* a target without seeds tests nothing */
}
