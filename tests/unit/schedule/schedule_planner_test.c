/* Which due times are taken, in which order, and how the others are accounted for; on a clock set by hand. */
#include "../state_fixture.h"

#include "base/limits.h"
#include "schedule/planner.h"
#include "state/users.h"

#include <sodium.h>

struct world {
    struct fixture *f;
    struct planner *planner;
    struct knowledge *set;
    bool refuse; /* findings: the journal is not there */
    size_t raised;
    char rule[64], id[33], text[256]; /* of the last */
};

static int raise(void *context, const struct finding *finding, struct err *err)
{
    struct world *w = context;
    snprintf(w->rule, sizeof(w->rule), "%.*s", SLICE_ARG(finding->rule_id));
    snprintf(w->text, sizeof(w->text), "%.*s", SLICE_ARG(finding->explanation_en));
    memcpy(w->id, finding->id, sizeof(w->id));
    w->raised += !w->refuse;
    return w->refuse ? err_set(err, ERR_IO, "the disk is full") : 0;
}

static void note(void *context, const char *text)
{
    (void)context;
    fail_msg("%s", text);
}

static void define(struct world *w, const char *schedule)
{
    char text[512];
    struct err err;
    struct know_builder *builder = know_builder_new();
    snprintf(text, sizeof(text), "saved_search: s\nsearch: a=1\nearliest: -1h\nschedule: {%s}", schedule);
    assert_int_equal(know_builder_text(builder, slice_text(text), SLICE("anna"), false, 1, &err), 0);
    know_release(w->set);
    w->set = know_builder_done(builder);
    assert_null(know_notes(w->set));
}

static void open_planner(struct world *w)
{
    struct err err;
    struct planner_config config = {.database = w->f->database, .clock = &w->f->clock.clock, .raise = raise,
                                    .note = note, .context = w};
    planner_close(w->planner);
    if (planner_open(&config, &w->planner, &err) < 0)
        fail_msg("%s", err.text);
}

static void look(struct world *w)
{
    struct err err;
    if (planner_sync(w->planner, w->set, &err) < 0)
        fail_msg("%s", err.text);
}

static void begin(struct world *w, struct fixture *f, const char *schedule)
{
    struct err err;
    *w = (struct world){.f = f};
    assert_true(sodium_init() >= 0);
    if (users_add(f->database, &f->clock.clock, SLICE("anna"), SLICE("correct horse battery"), ROLE_ANALYST,
                  &err) < 0)
        fail_msg("%s", err.text);
    define(w, schedule);
    open_planner(w);
    look(w);
}

static void end(struct world *w)
{
    planner_close(w->planner);
    know_release(w->set);
}

/* The next job's due time, in seconds after NOON; it is recorded. -1: there is none. */
static int64_t take(struct world *w)
{
    struct planner_job job;
    struct err err;
    if (!planner_take(w->planner, &job))
        return -1;
    struct schedule_run run = {.due_ns = job.due_ns, .last_due_ns = job.due_ns, .due_count = 1,
                               .by_hand = job.by_hand, .started_ns = job.due_ns, .ended_ns = job.due_ns};
    if (schedules_record(w->f->database, job.schedule.id, &run, NULL, 0, &err) < 0)
        fail_msg("%s", err.text);
    planner_done(w->planner, &job, true);
    return (job.due_ns - NOON) / NS_PER_SECOND;
}

static void take_one(void *context, const struct schedule *schedule)
{
    *(struct schedule *)context = *schedule;
}

static struct schedule at(struct world *w)
{
    struct schedule out = {0};
    struct err err;
    assert_int_equal(schedules_list(w->f->database, w->f->arena, take_one, &out, &err), 0);
    return out;
}

static void pass(struct world *w, int64_t seconds)
{
    clock_manual_advance(&w->f->clock, seconds * NS_PER_SECOND);
}

static void every_due_time_is_taken_once_and_in_order(void **state)
{
    struct world w;
    begin(&w, *state, "every: 1m");
    assert_int_equal(take(&w), -1); /* it begins now: what was due before it was there is not */
    pass(&w, 130);
    assert_int_equal(take(&w), 60);
    assert_int_equal(take(&w), 120);
    assert_int_equal(take(&w), -1);
    assert_int_equal(planner_next_ns(w.planner), NOON + 180 * NS_PER_SECOND);
    pass(&w, 3 * 3600); /* the program is away; it comes back with the same ones, oldest first */
    open_planner(&w);
    look(&w);
    for (int i = 0; i < 180; i++)
        assert_int_equal(take(&w), 180 + 60 * i);
    assert_int_equal(take(&w), -1);
    assert_int_equal(at(&w).ran, 182);
    assert_int_equal(at(&w).missed + (int64_t)w.raised, 0);
    end(&w);
}

/* A search that runs is not taken a second time; what was not recorded is due again. */
static void what_is_not_recorded_is_due_again(void **state)
{
    struct world w;
    begin(&w, *state, "every: 1m");
    struct planner_job job, other;
    struct err err;
    pass(&w, 60);
    assert_true(planner_take(w.planner, &job));
    assert_false(planner_take(w.planner, &other));
    planner_done(w.planner, &job, false);
    assert_false(planner_take(w.planner, &other)); /* after a second */
    pass(&w, 1);
    assert_true(planner_take(w.planner, &other));
    assert_int_equal(other.due_ns, job.due_ns);
    open_planner(&w); /* a crash while it runs */
    look(&w);
    assert_int_equal(take(&w), 60);
    /* and the table holds against our own mistakes */
    struct schedule_run run = {.due_ns = job.due_ns, .last_due_ns = job.due_ns, .due_count = 1};
    assert_int_equal(schedules_record(w.f->database, at(&w).id, &run, NULL, 0, &err), -1);
    assert_int_equal(err.code, ERR_CONFLICT);
    assert_int_equal(at(&w).ran, 1);
    end(&w);
}

/* 30 hours away with a memory of 24: six are missed, with their number, and no more when the journal was
 * away the first time. */
static void what_is_older_than_catch_up_is_missed(void **state)
{
    struct world w;
    begin(&w, *state, "every: 1h");
    char id[33];
    struct err err;
    pass(&w, 30 * 3600 + 1800);
    open_planner(&w);
    w.refuse = true;
    assert_int_equal(planner_sync(w.planner, w.set, &err), -1);
    assert_int_equal(at(&w).missed, 0);
    memcpy(id, w.id, sizeof(id));
    w.refuse = false;
    look(&w);
    assert_string_equal(w.id, id);
    assert_string_equal(w.rule, "hinomi.schedule.missed/anna/s");
    assert_non_null(strstr(w.text, "missed 6 due times from 2018-01-26T01:00:00Z to 2018-01-26T06:00:00Z: older than"));
    assert_int_equal(at(&w).missed, 6);
    look(&w);
    assert_int_equal(w.raised, 1);
    for (int i = 7; i <= 30; i++)
        assert_int_equal(take(&w), i * 3600);
    assert_int_equal(take(&w), -1);
    end(&w);
}

/* The night in which Berlin has 02:30 not at all, and the night with two of them: one run each. */
static void a_night_with_a_change_of_the_clocks_has_its_run(void **state)
{
    struct fixture *f = *state;
    bool seen;
    int64_t start;
    assert_true(time_parse_rfc3339(SLICE("2026-03-28T12:00:00Z"), &start, &seen));
    clock_manual_init(&f->clock, start);
    struct world w;
    begin(&w, f, "cron: '30 2 * * *', zone: Europe/Berlin, catch_up: 30d");
    pass(&w, 2 * 86400); /* both nights while the program is away */
    open_planner(&w);
    look(&w);
    assert_int_equal(take(&w), (start - NOON) / NS_PER_SECOND + 13 * 3600); /* 01:00Z, the change */
    assert_int_equal(take(&w), (start - NOON) / NS_PER_SECOND + 36 * 3600 + 1800);
    assert_int_equal(take(&w), -1);
    assert_true(time_parse_rfc3339(SLICE("2026-10-24T12:00:00Z"), &start, &seen));
    define(&w, "cron: '30 2 * * *', zone: Europe/Berlin, enabled: false");
    look(&w);
    clock_manual_advance(&f->clock, start - clock_wall_ns(&f->clock.clock));
    define(&w, "cron: '30 2 * * *', zone: Europe/Berlin");
    look(&w);
    pass(&w, 86400);
    assert_int_equal(take(&w), (start - NOON) / NS_PER_SECOND + 12 * 3600 + 1800); /* 00:30Z, the first */
    assert_int_equal(take(&w), -1);
    assert_int_equal(at(&w).missed, 0); /* what is off by choice has no due times */
    end(&w);
}

static void an_owner_without_rights_stops_it(void **state)
{
    struct world w;
    begin(&w, *state, "every: 1m");
    struct err err;
    pass(&w, 60);
    assert_int_equal(take(&w), 60);
    assert_int_equal(users_set_disabled(w.f->database, SLICE("anna"), true, &err), 0);
    pass(&w, 90); /* one is due and did not run */
    look(&w);
    struct schedule s = at(&w);
    assert_true(slice_is(s.state, "stopped") && slice_is(s.reason, "the owner anna is disabled"));
    assert_int_equal(s.missed, 1);
    assert_string_equal(w.rule, "hinomi.schedule.stopped/anna/s");
    assert_int_equal(w.raised, 2);
    pass(&w, 600);
    look(&w);
    assert_int_equal(take(&w), -1);
    assert_int_equal(w.raised, 2);
    assert_int_equal(planner_want(w.planner, s.id, SLICE("bob"), &err), -1);
    assert_int_equal(err.code, ERR_CONFLICT);
    assert_int_equal(users_set_disabled(w.f->database, SLICE("anna"), false, &err), 0);
    look(&w);
    assert_int_equal(at(&w).missed, 11);
    assert_int_equal(take(&w), -1);
    pass(&w, 60);
    assert_int_equal(take(&w), 780);
    assert_int_equal(users_set_role(w.f->database, SLICE("anna"), ROLE_VIEWER, &err), 0);
    look(&w);
    assert_true(slice_is(at(&w).reason, "the owner anna has the role viewer; a scheduled search takes analyst"));
    end(&w);
}

static void a_new_schedule_begins_now(void **state)
{
    struct world w;
    begin(&w, *state, "every: 1h");
    pass(&w, 2 * 3600 + 1);
    define(&w, "every: 10m");
    look(&w); /* two hours of the old one were due and not taken */
    assert_int_equal(at(&w).missed, 2);
    assert_non_null(strstr(w.text, "the schedule was changed"));
    assert_int_equal(take(&w), -1);
    pass(&w, 600);
    assert_int_equal(take(&w), 2 * 3600 + 600);
    know_release(w.set);
    w.set = NULL;
    look(&w);
    assert_true(slice_is(at(&w).state, "removed"));
    pass(&w, 7200);
    look(&w);
    assert_int_equal(take(&w), -1);
    assert_int_equal(at(&w).missed, 2);
    end(&w);
}

/* A clock that was years ahead does not silence a search for years. */
static void a_clock_that_goes_back_is_noticed(void **state)
{
    struct world w;
    begin(&w, *state, "every: 1m");
    pass(&w, 86400);
    while (take(&w) >= 0)
        ;
    pass(&w, -80000);
    look(&w);
    assert_int_equal(take(&w), -1);
    pass(&w, 60);
    assert_int_equal(take(&w), 6420);
    end(&w);
}

static void a_wish_is_one_run_beside_the_schedule(void **state)
{
    struct world w;
    begin(&w, *state, "every: 1h");
    struct err err;
    int64_t id = at(&w).id;
    pass(&w, 1800);
    assert_int_equal(planner_want(w.planner, id, SLICE("bob"), &err), 0);
    assert_int_equal(planner_want(w.planner, id, SLICE("bob"), &err), -1);
    open_planner(&w); /* it is kept */
    look(&w);
    pass(&w, 1);
    assert_int_equal(take(&w), 1800);
    assert_int_equal(take(&w), -1);
    pass(&w, 1800);
    assert_int_equal(take(&w), 3600);
    assert_int_equal(at(&w).by_hand, 1);
    assert_int_equal(at(&w).ran, 1);
    assert_int_equal(planner_want(w.planner, id + 1, SLICE("bob"), &err), -1);
    assert_int_equal(err.code, ERR_NOT_FOUND);
    end(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(every_due_time_is_taken_once_and_in_order, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_is_not_recorded_is_due_again, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_is_older_than_catch_up_is_missed, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_night_with_a_change_of_the_clocks_has_its_run, set_up, tear_down),
        cmocka_unit_test_setup_teardown(an_owner_without_rights_stops_it, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_new_schedule_begins_now, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_clock_that_goes_back_is_noticed, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_wish_is_one_run_beside_the_schedule, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
