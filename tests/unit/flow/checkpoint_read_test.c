/* Which of two checkpoints another program reads. */
#include "../folder.h"

#include "base/mem.h"
#include "flow/checkpoint.h"

#include <string.h>

enum { CONTENT = 3 * 1024 * 1024 };

static void put(const char *folder, uint64_t position, char fill)
{
    struct err err;
    struct checkpoint_config config = {.dir = folder};
    struct checkpoint *checkpoint;
    char *content = mem_alloc(CONTENT);
    assert_non_null(content);
    memset(content, fill, CONTENT);
    assert_int_equal(checkpoint_open(&config, &checkpoint, &err), 0);
    assert_int_equal(checkpoint_write(checkpoint, position, slice_of(content, CONTENT), &err), 0);
    checkpoint_close(checkpoint);
    mem_free(content);
}

/* The position and what is in it. */
static void expect(const char *folder, size_t arena_bytes, uint64_t want, char fill)
{
    struct err err;
    uint64_t position;
    struct slice content;
    struct arena *arena = arena_new(arena_bytes);
    assert_non_null(arena);
    if (checkpoint_read(folder, arena, &position, &content, &err) < 0)
        fail_msg("%s", err.text);
    assert_int_equal(position, want);
    assert_int_equal(content.len, CONTENT);
    assert_int_equal(content.ptr[CONTENT / 2], fill);
    arena_free(arena);
}

static void damage(const char *folder, int slot, long at)
{
    char path[96];
    (void)snprintf(path, sizeof(path), "%s/checkpoint.%d", folder, slot);
    FILE *file = fopen(path, "r+b");
    assert_non_null(file);
    assert_int_equal(fseek(file, at, SEEK_SET), 0);
    assert_int_equal(fputc(0x7f, file), 0x7f);
    assert_int_equal(fclose(file), 0);
}

static void only_the_newer_is_read_while_it_is_whole(void **state)
{
    (void)state;
    enum { ONE = CONTENT + CONTENT / 2, BOTH = 3 * CONTENT };
    char folder[64];
    struct err err;
    uint64_t position;
    struct slice content;
    folder_make(folder);
    struct arena *arena = arena_new(1024 * 1024);
    assert_non_null(arena);
    assert_int_equal(checkpoint_read(folder, arena, &position, &content, &err), -1);
    assert_int_equal(err.code, ERR_NOT_FOUND);
    put(folder, 5, 'a');
    expect(folder, ONE, 5, 'a');
    put(folder, 9, 'b');
    expect(folder, ONE, 9, 'b');
    put(folder, 12, 'c'); /* in the first one's place */
    expect(folder, ONE, 12, 'c');
    damage(folder, 0, CONTENT / 2);
    expect(folder, BOTH, 9, 'b');
    damage(folder, 0, 24 + 7); /* it says that it is the newest of all */
    expect(folder, BOTH, 9, 'b');
    damage(folder, 1, 3); /* and the other is none at all */
    assert_int_equal(checkpoint_read(folder, arena, &position, &content, &err), -1);
    arena_free(arena);
    folder_remove(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_the_newer_is_read_while_it_is_whole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
