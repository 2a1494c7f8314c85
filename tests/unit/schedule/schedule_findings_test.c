/* What the rows of a scheduled search become: conditions, groups, suppression, texts, bounds, ids. */
#include "test.h"

#include "base/limits.h"
#include "schedule/schedule_findings.h"

#include <stdio.h>

struct world {
    struct arena *arena;
    struct batch *batch;
    struct schedule_rows rows;
    int64_t quiet_until; /* of every key */
    char *text;          /* of the answer, overwritten when it has been read */
    size_t text_len;
};

static int quiet_until(void *context, struct slice key, int64_t *out, struct err *err)
{
    (void)key, (void)err;
    *out = ((struct world *)context)->quiet_until;
    return 0;
}

static int set_up(void **state)
{
    static struct world world;
    world = (struct world){.arena = arena_new(64 * MIB), .batch = batch_new(16 * MIB)};
    *state = &world;
    return world.arena && world.batch ? 0 : -1;
}

static int tear_down(void **state)
{
    struct world *w = *state;
    batch_free(w->batch);
    arena_free(w->arena);
    return 0;
}

static void add(struct world *w, const char *user, int64_t count)
{
    uint32_t row = w->batch->row_count++;
    if (user)
        assert_int_equal(batch_put_text(w->batch, row, "user.name", arena_copy(w->arena, slice_text(user))), 0);
    assert_int_equal(batch_put(w->batch, row, SLICE("count"), value_i64(count)), 0);
    for (int64_t i = 0; i < count && i < 3; i++)
        assert_int_equal(batch_put_text(w->batch, row, "event.id",
                                        arena_printf(w->arena, "%s-%d", user ? user : "none", (int)i)), 0);
}

/* The findings of the rows under this schedule. */
static size_t read(struct world *w, const char *schedule)
{
    char text[4096];
    struct know_object object;
    struct err err;
    struct search_result result = {.rows = w->batch, .row_count = w->batch->row_count, .complete = true};
    snprintf(text, sizeof(text), "saved_search: s\nsearch: a=1\nearliest: -1h\nschedule: {every: 1m, %s}", schedule);
    if (know_parse(arena_copy(w->arena, slice_text(text)), w->arena, &object, &err) < 0)
        fail_msg("%s", err.text);
    w->rows = (struct schedule_rows){.schedule = ((const struct know_saved_search *)object.spec)->schedule,
                                     .subject = {SLICE("s"), SLICE(""), 1000},
                                     .arena = w->arena, .quiet_until = quiet_until, .context = w};
    assert_int_equal(schedule_rows_read(&w->rows, &result, &err), 0);
    if (w->text) /* what findings say is theirs: the answer is gone before they are */
        memset(w->text, '?', w->text_len);
    return w->rows.finding_count;
}

static void conditions_count_rows_or_compare_a_field(void **state)
{
    struct world *w = *state;
    assert_int_equal(read(w, "when: rows > 0"), 0);
    assert_int_equal(read(w, "when: rows = 0"), 1); /* absence, without a row to show */
    assert_int_equal(read(w, "when: rows = 0, group_by: [user.name]"), 0); /* there is no group */
    add(w, "ann", 3);
    add(w, "bob", 20);
    add(w, "ann", 100);
    assert_int_equal(read(w, "group_by: []"), 1);
    assert_int_equal(read(w, "when: rows >= 3"), 1);
    assert_int_equal(read(w, "when: rows > 3"), 0);
    assert_int_equal(read(w, "when: rows > 1, group_by: [user.name]"), 1); /* of each group */
    assert_int_equal(read(w, "when: count >= 20, group_by: [user.name]"), 2);
    assert_int_equal(read(w, "when: count > 99.5, group_by: [user.name]"), 1);
    assert_int_equal(w->rows.findings[0].evidence_count, 3);
    assert_int_equal(read(w, "when: count != 3"), 1);
    assert_int_equal(read(w, "when: missing > 0"), 0);
}

static void a_group_is_a_finding_with_its_values(void **state)
{
    struct world *w = *state;
    add(w, "ann", 1);
    add(w, NULL, 2);
    add(w, "bob", 1);
    add(w, NULL, 1);
    assert_int_equal(read(w, "group_by: user.name, title: '$user.name$ $count$ $no$ costs 5$', severity: high, "
                             "entities: {user: user.name}"), 3);
    const struct finding *one = &w->rows.findings[0], *none = &w->rows.findings[1];
    assert_true(slice_is(one->title, "ann 1 - costs 5$"));
    assert_true(slice_is(none->title, "- 2 - costs 5$"));
    assert_true(slice_is(one->rule_id, "saved_search/s"));
    assert_int_equal(one->severity, SEVERITY_HIGH);
    assert_true(one->entity_count == 1 && slice_is(one->entities[0].value, "ann"));
    assert_true(slice_is(none->entities[0].type, "saved_search") && slice_is(none->entities[0].value, "s"));
    assert_int_equal(none->evidence_count, 3);
    assert_true(slice_is(none->evidence[0].event_id, "none-0"));
    assert_string_not_equal(one->id, none->id);
    char id[33];
    memcpy(id, one->id, sizeof(id));
    assert_int_equal(read(w, "group_by: user.name, title: other"), 3); /* the id is of search, time, group */
    assert_string_equal(w->rows.findings[0].id, id);
}

static void findings_own_their_texts(void **state)
{
    struct world *w = *state;
    static char user[] = "ann", id[] = "e-1";
    w->batch->row_count = 1;
    assert_int_equal(batch_put_text(w->batch, 0, "user.name", slice_text(user)), 0);
    assert_int_equal(batch_put_text(w->batch, 0, "event.id", slice_text(id)), 0);
    w->text = user;
    w->text_len = 3;
    assert_int_equal(read(w, "group_by: user.name, title: '$user.name$', entities: {user: user.name}"), 1);
    assert_true(slice_is(w->rows.findings[0].title, "ann"));
    assert_true(slice_is(w->rows.findings[0].entities[0].value, "ann"));
    w->text = id;
    assert_int_equal(read(w, "severity: low"), 1);
    assert_true(slice_is(w->rows.findings[0].evidence[0].event_id, "e-1"));
}

static void suppression_counts_from_the_due_time(void **state)
{
    struct world *w = *state;
    add(w, "ann", 1);
    add(w, "bob", 2);
    assert_int_equal(read(w, "group_by: user.name, suppress: 1h"), 2);
    assert_int_equal(w->rows.quiet_count, 2);
    assert_int_equal(w->rows.quiet[0].until_ns, 1000 + 3600 * INT64_C(1000000000));
    w->quiet_until = 1001;
    assert_int_equal(read(w, "group_by: user.name, suppress: 1h"), 0);
    assert_int_equal(w->rows.suppressed, 2);
    w->quiet_until = 1000; /* over at this very moment */
    assert_int_equal(read(w, "group_by: user.name, suppress: 1h"), 2);
    w->quiet_until = 0;
    assert_int_equal(read(w, "group_by: user.name, suppress: 1h, suppress_by: [nowhere]"), 1);
    assert_int_equal(w->rows.suppressed, 1); /* one key within one run, too */
}

static void what_a_bound_leaves_out_is_said(void **state)
{
    struct world *w = *state;
    char name[32];
    for (int i = 0; i < SCHEDULE_FINDINGS_MAX + 5; i++) {
        snprintf(name, sizeof(name), "user%d", i);
        add(w, name, 0);
    }
    assert_int_equal(read(w, "group_by: user.name"), SCHEDULE_FINDINGS_MAX);
    assert_true(slice_starts(w->rows.cut, SLICE("5 of 105 groups became no findings (at most 100), 0 event ids")));
    assert_int_equal(read(w, "entities: {user: user.name}"), 1);
    assert_int_equal(w->rows.findings[0].entity_count, SCHEDULE_ENTITIES_MAX);
    assert_true(slice_find(w->rows.cut, SLICE("and 5 entities (at most 100)")) > 0);
    assert_int_equal(read(w, "severity: low"), 1);
    assert_null(w->rows.cut.ptr);
    char title[SCHEDULE_TEXT_MAX + 100] = "title: '";
    for (size_t at = strlen(title); at < SCHEDULE_TEXT_MAX + 50; at += 3)
        memcpy(title + at, "\xe7\x81\xab", 4);
    strncat(title, "'", 2);
    assert_int_equal(read(w, title), 1); /* ends visibly, between two characters */
    struct slice cut = w->rows.findings[0].title;
    assert_true(slice_ends(cut, SLICE("\xe7\x81\xab ...")) && cut.len > SCHEDULE_TEXT_MAX && (cut.len - 4) % 3 == 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(conditions_count_rows_or_compare_a_field, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_group_is_a_finding_with_its_values, set_up, tear_down),
        cmocka_unit_test_setup_teardown(findings_own_their_texts, set_up, tear_down),
        cmocka_unit_test_setup_teardown(suppression_counts_from_the_due_time, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_a_bound_leaves_out_is_said, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
