/* A folder whose names move while it is listed: what is not marked as moving is all that is there. */
#include "collect/files/folder_list.h"

#include "base/limits.h"
#include "unit/folder.h"

#include <pthread.h>
#include <stdatomic.h>

enum { LISTINGS = 400, OTHERS = 60 };

struct mover {
    char folder[64];
    atomic_bool stop;
    unsigned moved; /* times */
};

static void name_in(const char *folder, const char *word, unsigned n, char to[128])
{
    snprintf(to, 128, "%s/%s.%u", folder, word, n);
}

static void make(const char *folder, const char *word, unsigned n)
{
    char path[128];
    name_in(folder, word, n, path);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fclose(file);
}

/* Each name is used once, as numbers of a rotation go up. */
static void *move(void *context)
{
    struct mover *mover = context;
    char from[128], to[128];
    while (!atomic_load(&mover->stop)) {
        name_in(mover->folder, "moving", mover->moved, from);
        name_in(mover->folder, "moving", mover->moved + 1, to);
        if (rename(from, to) == 0)
            mover->moved++;
        usleep(mover->moved % 7 * 20);
    }
    return NULL;
}

static void nothing_is_missed_unmarked(void **state)
{
    struct mover mover = {0};
    struct arena *arena = arena_new(16 * MIB);
    pthread_t thread;
    unsigned steady = 0, moving = 0;
    (void)state;
    folder_make(mover.folder);
    for (unsigned n = 0; n < OTHERS; n++)
        make(mover.folder, "other", n);
    make(mover.folder, "moving", 0);
    assert_int_equal(pthread_create(&thread, NULL, move, &mover), 0);
    for (unsigned i = 0; i < LISTINGS; i++) {
        struct folder_lists lists;
        arena_reset(arena);
        folder_lists_init(&lists, arena);
        const struct folder_list *list = folder_lists_get(&lists, slice_text(mover.folder));
        unsigned met = 0, marked = 0, others = 0;
        for (size_t e = 0; e < list->count; e++) {
            bool other = slice_starts(slice_text(list->entries[e].name), SLICE("other."));
            others += other && list->entries[e].info.st_ino == list->entries[e].number && !list->entries[e].moving;
            marked += list->entries[e].moving;
            met += !other;
        }
        assert_int_equal(others, OTHERS);
        assert_true(marked || met == 1);
        steady += !marked;
        moving += marked > 0;
    }
    atomic_store(&mover.stop, true);
    pthread_join(thread, NULL);
    print_message("%u listings were steady, names moved in %u\n", steady, moving);
    arena_free(arena);
    folder_remove(mover.folder);
}

static void names_are_found_in_order(void **state)
{
    char folder[64];
    struct folder_lists lists;
    struct arena *arena = arena_new(MIB);
    (void)state;
    folder_make(folder);
    for (unsigned n = 0; n < 12; n++)
        make(folder, "app.log", n);
    folder_lists_init(&lists, arena);
    const struct folder_list *list = folder_lists_get(&lists, slice_text(folder));
    assert_int_equal(list->count, 12);
    assert_true(folder_lists_get(&lists, slice_text(folder)) == list);
    assert_string_equal(list->entries[folder_list_find(list, SLICE("app.log.1"))].name, "app.log.1");
    assert_true(folder_list_has(list, SLICE("app.log.11")) && !folder_list_has(list, SLICE("app.log.12")));
    assert_int_equal(folder_list_find(list, SLICE("b")), 12);
    assert_int_equal(folder_lists_get(&lists, SLICE("/nowhere/at/all"))->count, 0);
    arena_free(arena);
    folder_remove(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_are_found_in_order),
        cmocka_unit_test(nothing_is_missed_unmarked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
