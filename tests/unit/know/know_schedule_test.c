/* The key schedule of a saved search: what is read, and what is said of slips. */
#include "know/know.h"

#include "test.h"

#include "base/limits.h"
#include "search/know_check.h"

#include <stdio.h>

static int parse(struct arena *arena, const char *window, const char *schedule, struct know_object *out,
                 struct err *err)
{
    struct slice text = arena_printf(arena, "saved_search: s\nsearch: a=1\n%sschedule: %s\n", window, schedule);
    return know_parse(text, arena, out, err);
}

static void all_keys_are_read(void **state)
{
    struct arena *arena = arena_new(16 * MIB);
    struct know_object object;
    struct err err;
    (void)state;
    if (parse(arena, "earliest: -1d@d\nlatest: '@d'\n",
              "{cron: '5 9 * * mon', zone: Asia/Tokyo, when: count >= 2.5, group_by: [a, b], suppress: 2h, "
              "severity: critical, title: {en: x}, entities: {user: a, ip: [b, c]}, enabled: false, owner: anna, "
              "catch_up: 3d}", &object, &err) < 0)
        fail_msg("%s", err.text);
    const struct know_schedule *s = ((const struct know_saved_search *)object.spec)->schedule;
    assert_true(slice_is(s->plan, "cron 5 9 * * mon Asia/Tokyo"));
    assert_true(slice_is(zone_name(s->zone), "Asia/Tokyo") && s->due.zone == s->zone);
    assert_true(slice_is(s->when_field, "count") && s->when_op == KNOW_GREATER_EQUAL);
    assert_true(s->group_count == 2 && s->suppress_count == 2 && slice_is(s->suppress_by[1], "b"));
    assert_true(s->suppress_ns == 2 * NS_PER_HOUR && s->catch_up_ns == 3 * NS_PER_DAY);
    assert_true(s->severity == SEVERITY_CRITICAL && !s->enabled && slice_is(s->owner, "anna"));
    assert_true(slice_is(s->title_en, "x") && slice_is(s->title_ja, "x"));
    assert_true(s->entity_count == 2 && s->entities[1].field_count == 2 && slice_is(s->entities[1].type, "ip"));
    assert_int_equal(parse(arena, "earliest: -5m\n", "{every: 5m}", &object, &err), 0);
    s = ((const struct know_saved_search *)object.spec)->schedule;
    assert_true(s->enabled && s->severity == SEVERITY_MEDIUM && s->when_op == KNOW_GREATER && !s->when_field.ptr);
    assert_true(s->catch_up_ns == SCHEDULE_CATCH_UP_HOURS * NS_PER_HOUR && !s->suppress_ns);
    /* in a file nobody is the owner who made it */
    assert_int_equal(know_check_object(&object, NULL, &err), -1);
    assert_string_equal(err.text, "the schedule of s needs owner: the name of the person whose rights it runs with");
    object.origin = KNOW_OWN;
    assert_int_equal(know_check_object(&object, NULL, &err), 0);
    arena_free(arena);
}

static void says_what_is_wrong(void **state)
{
    static const struct {
        const char *window, *schedule, *text;
    } wrong[] = {
        {"earliest: -5m\n", "5m", "line 4: schedule is a list of keys: every or cron, when, severity, title ..."},
        {"earliest: -5m\n", "{evry: 5m}", "line 4: here is no key 'evry'; the nearest is every"},
        {"earliest: -5m\n", "{severity: low}", "line 4: a schedule says either every: 5m or cron: \"*/10 * * * *\""},
        {"earliest: -5m\n", "{every: 5m, cron: '* * * * *'}",
         "line 4: a schedule says either every: 5m or cron: \"*/10 * * * *\""},
        {"earliest: -5m\n", "{every: 500ms}",
         "line 4: every is whole seconds, from 1s to 366d, such as 5m or 1h; '500ms' is not"},
        {"earliest: -5m\n", "{cron: '* * * *'}", "line 4: a cron schedule has five fields, minute hour day month "
                                                 "weekday, such as \"*/10 * * * *\", in at most 256 bytes"},
        {"earliest: -5m\n", "{cron: '* * * * *', zone: Mars/Base}",
         "line 4: 'Mars/Base' is no time zone; write one such as Asia/Tokyo"},
        {"", "{every: 5m}", "line 1: a scheduled search needs earliest, such as -10m: it counts from the time at "
                            "which the search is due"},
        {"earliest: -5m\nlatest: -1h\n", "{every: 5m}", "line 3: earliest is not before latest"},
        {"earliest: -5m\n", "{every: 5m, when: many}",
         "line 4: when compares the number of rows or a field with a number: rows > 0, count >= 100"},
        {"earliest: -5m\n", "{every: 5m, when: count > x}",
         "line 4: when compares the number of rows or a field with a number: rows > 0, count >= 100"},
        {"earliest: -5m\n", "{every: 5m, when: rows > 10000}",
         "line 4: when: rows are compared with a whole number below 10000; count them in the search (stats "
         "count) and write when: count > N"},
        {"earliest: -5m\n", "{every: 5m, severity: bad}", "line 4: severity is low, medium, high or critical"},
        {"earliest: -5m\n", "{every: 5m, title: {ja: x}}", "line 4: the key en is missing"},
        {"earliest: -5m\n", "{every: 5m, suppress_by: [a]}", "line 4: suppress_by needs suppress, such as 1h"},
        {"earliest: -5m\n", "{every: 5m, catch_up: 31d}", "line 4: catch_up is at most 30d"},
        {"earliest: -5m\n", "{every: 5m, entities: [a]}",
         "line 4: entities is a list of type: field, or type: [fields], such as user: user.name, of at most 16 "
         "types"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        struct arena *arena = arena_new(16 * MIB);
        struct know_object object;
        struct err err;
        assert_int_equal(parse(arena, wrong[i].window, wrong[i].schedule, &object, &err), -1);
        assert_string_equal(err.text, wrong[i].text);
        arena_free(arena);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_keys_are_read),
        cmocka_unit_test(says_what_is_wrong),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
