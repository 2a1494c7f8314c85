/* Retention holds in state.db: what is refused, and that two people end one. */
#include "state_fixture.h"

#include "base/limits.h"
#include "base/time.h"
#include "state/keeps.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static struct keep a_keep(const char *name)
{
    return (struct keep){.name = slice_text(name), .stream = SLICE("main"), .reason = SLICE("a case"),
                         .added_by = SLICE("sato"), .from_ns = 1, .to_ns = 2};
}

static int add(struct fixture *f, struct keep keep, struct err *err)
{
    return keeps_add(f->database, &f->clock.clock, &keep, err);
}

struct seen {
    size_t count;
    struct keep last;
};

static void see(void *context, const struct keep *keep)
{
    struct seen *seen = context;
    seen->count++;
    seen->last = *keep;
}

static struct seen look(struct fixture *f, bool all)
{
    struct err err;
    struct seen seen = {0};
    assert_int_equal(keeps_list(f->database, &f->clock.clock, all, f->arena, see, &seen, &err), 0);
    return seen;
}

static int end(struct fixture *f, const char *person, enum keep_end *out, struct err *err)
{
    return keeps_end(f->database, &f->clock.clock, SLICE("one"), slice_text(person), SLICE("closed"), out,
                     err);
}

static void says_what_is_wrong_with_a_hold(void **state)
{
    struct fixture *f = *state;
    struct err err;
    struct keep bad[5];
    for (size_t i = 0; i < ARRAY_COUNT(bad); i++)
        bad[i] = a_keep("one");
    bad[0].name = SLICE("two words");
    bad[1].stream = SLICE("");
    bad[2].reason = SLICE("");
    bad[3].to_ns = bad[3].from_ns;
    bad[4].name = SLICE("");
    for (size_t i = 0; i < ARRAY_COUNT(bad); i++) {
        assert_int_equal(add(f, bad[i], &err), -1);
        assert_int_equal(err.code, ERR_CONFIG);
    }
    assert_int_equal(look(f, true).count, 0);
    assert_int_equal(add(f, a_keep("one"), &err), 0);
    assert_int_equal(add(f, a_keep("one"), &err), -1);
    assert_int_equal(err.code, ERR_CONFLICT);
}

static void two_people_end_a_hold(void **state)
{
    struct fixture *f = *state;
    struct err err;
    enum keep_end out;
    int64_t before, after;
    assert_int_equal(add(f, a_keep("one"), &err), 0);
    assert_int_equal(end(f, "", &out, &err), -1);
    assert_int_equal(err.code, ERR_DENIED);
    assert_int_equal(end(f, "sato", &out, &err), 0);
    assert_int_equal(out, KEEP_WISHED);
    assert_int_equal(end(f, "sato", &out, &err), -1);
    assert_int_equal(err.code, ERR_CONFLICT);
    struct seen seen = look(f, false);
    assert_int_equal(seen.count, 1);
    assert_true(slice_is(seen.last.wished_by, "sato"));
    assert_int_equal(keeps_version(f->database, &before, &err), 0);
    assert_int_equal(end(f, "suzuki", &out, &err), 0);
    assert_int_equal(out, KEEP_ENDED);
    assert_int_equal(keeps_version(f->database, &after, &err), 0);
    assert_true(after != before);
    assert_int_equal(look(f, false).count, 0);
    assert_true(slice_is(look(f, true).last.ended_by, "suzuki"));
    assert_int_equal(end(f, "suzuki", &out, &err), -1);
    assert_int_equal(err.code, ERR_NOT_FOUND);
    assert_int_equal(add(f, a_keep("one"), &err), 0); /* the name is free again */
}

static void a_wish_lapses(void **state)
{
    struct fixture *f = *state;
    struct err err;
    enum keep_end out;
    assert_int_equal(add(f, a_keep("one"), &err), 0);
    assert_int_equal(end(f, "sato", &out, &err), 0);
    clock_manual_advance(&f->clock, RETENTION_WISH_HOURS * NS_PER_HOUR);
    assert_int_equal(look(f, false).last.wished_by.len, 0);
    assert_int_equal(end(f, "suzuki", &out, &err), 0);
    assert_int_equal(out, KEEP_WISHED); /* alone again */
    clock_manual_advance(&f->clock, RETENTION_WISH_HOURS * NS_PER_HOUR - 1);
    assert_int_equal(end(f, "sato", &out, &err), 0);
    assert_int_equal(out, KEEP_ENDED);
}

static void there_are_so_many_at_most(void **state)
{
    struct fixture *f = *state;
    struct err err;
    char name[32];
    for (int i = 0; i < RETENTION_HOLDS_MAX; i++) {
        (void)snprintf(name, sizeof(name), "n%d", i);
        assert_int_equal(add(f, a_keep(name), &err), 0);
    }
    assert_int_equal(add(f, a_keep("one"), &err), -1);
    assert_int_equal(err.code, ERR_LIMIT);
    assert_int_equal(look(f, false).last.in_force_ns, 0);
    assert_int_equal(keeps_in_force(f->database, &f->clock.clock, look(f, false).last.id, &err), 0);
    assert_int_equal(look(f, false).last.in_force_ns, NOON);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(says_what_is_wrong_with_a_hold, set_up, tear_down),
        cmocka_unit_test_setup_teardown(two_people_end_a_hold, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_wish_lapses, set_up, tear_down),
        cmocka_unit_test_setup_teardown(there_are_so_many_at_most, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
