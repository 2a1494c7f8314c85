/*
 * One thing fails, at every place in turn, in the whole life of a store: load, merge, retain, restart.
 * It may refuse; it never crashes, and nothing that was acknowledged is lost, altered or doubled.
 * HINOMI_FULL walks through every place, else every few.
 */
#include "store_life.h"

enum { CALLS_STEP = 5, ALLOCATIONS_STEP = 17 };

static long step_of(long step)
{
    const char *full = getenv("HINOMI_FULL");
    return full && *full ? 1 : step;
}

static bool all_acked(const struct life *life)
{
    for (unsigned i = 0; i < LIFE_DELIVERIES; i++)
        if (!life->acked[i])
            return false;
    return true;
}

static void a_sound_life_does_everything(void **state)
{
    (void)state;
    struct life life;
    life_begin(&life);
    life.rich = true;
    life_live(&life);
    assert_true(all_acked(&life));
    assert_true(life.merges >= 1);
    assert_true(life.packs >= 1);
    assert_true(life.moves >= 2 && life.cold >= 1);
    assert_true(life.dropped >= 3 && life.spilled == 3);
    assert_true(life.held >= 1);
    assert_true(life.remembered > 0);
    life_judge(&life);
    life_end(&life);
}

struct kind {
    const char *name;
    int errno_value;
    bool persistent, only_fdatasync, only_write, short_calls;
};

static const struct kind KINDS[] = {
    {.name = "EIO, once", .errno_value = EIO},
    {.name = "EIO from then on", .errno_value = EIO, .persistent = true},
    {.name = "ENOSPC, once", .errno_value = ENOSPC},
    {.name = "ENOSPC of every write from then on", .errno_value = ENOSPC, .persistent = true, .only_write = true},
    {.name = "fdatasync, once", .errno_value = EIO, .only_fdatasync = true},
    {.name = "fdatasync from then on", .errno_value = EIO, .persistent = true, .only_fdatasync = true},
    {.name = "a short read or write", .short_calls = true},
    {.name = "short reads and writes from then on", .short_calls = true, .persistent = true},
};

/* The number of faults, 0 when there was no call k any more. */
static long live_with(const struct kind *kind, long k)
{
    struct life life;
    life_begin(&life);
    life.rich = true;
    faulty_init(&life.faulty, k, kind->errno_value);
    life.faulty.whole = true;
    life.faulty.persistent = kind->persistent;
    life.faulty.only_fdatasync = kind->only_fdatasync;
    life.faulty.only_write = kind->only_write;
    life.faulty.short_calls = kind->short_calls;
    life_live(&life);
    long failures = life.faulty.failures;
    if (kind->short_calls)
        assert_true(all_acked(&life));
    life_judge(&life);
    life_end(&life);
    return failures;
}

static void survives_every_failed_call(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(KINDS); i++) {
        long k = (long)i % step_of(CALLS_STEP), runs = 0;
        for (; live_with(&KINDS[i], k); k += step_of(CALLS_STEP))
            runs++;
        print_message("%s: %ld runs\n", KINDS[i].name, runs);
        assert_true(runs * step_of(CALLS_STEP) > 25);
    }
}

/* Whether the n-th allocation since mem_fail_after(n) has been asked for; turns it off. */
static bool was_reached(long n)
{
    bool waiting = false;
    for (long i = 0; i <= n && !waiting; i++) {
        void *ptr = mem_alloc(1);
        waiting = !ptr;
        mem_free(ptr);
    }
    mem_fail_after(-1);
    return !waiting;
}

static void survives_every_failed_allocation(void **state)
{
    (void)state;
    bool reached = true;
    long n = 0, runs = 0;
    for (; reached; n += step_of(ALLOCATIONS_STEP), runs++) {
        struct life life;
        life_begin(&life);
        life.rich = true;
        mem_fail_after(n);
        life_live(&life);
        reached = was_reached(n);
        life_judge(&life);
        life_end(&life);
    }
    print_message("%ld runs, of %ld allocations\n", runs - 1, n - step_of(ALLOCATIONS_STEP));
    assert_true(n > 300);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_sound_life_does_everything),
        cmocka_unit_test(survives_every_failed_call),
        cmocka_unit_test(survives_every_failed_allocation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
