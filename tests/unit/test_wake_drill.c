#include "test.h"

#include "base/mem.h"
#include "net/http_client.h"
#include "respond/wake/budget.h"
#include "respond/wake/drill.h"

#include <stdio.h>

/* A database, a plan with two people, and drills by a clock that the test sets. What the drill's event does in the real
 * program (a rule finds it, an incident opens) is done by the test, or not. */

#define EVENING (INT64_C(1767178800) * NS_PER_SECOND) /* 2025-12-31T20:00 in Tokyo: drills begin */

static const char plan_text[] = "version: 1\ntime_zone: Asia/Tokyo\npeople: [ana, ben]\n"
                                "on_call: {first: {rotations: [{people: [ana], every: 1w, from: '2025-01-06 09:00'}]}}\n"
                                "policies: {p: {steps: [{at: 0m, wake: [first]}, {at: 5m, wake: [ben]}]}}\n"
                                "routes: [{severity: critical, policy: p}]\n"
                                "budget: {pages_per_night: 1, pages_per_week: 3}\n"
                                "drill: {from: '20:00', to: '22:00'}\n";

struct fixture {
    struct database *database;
    struct clock_manual clock;
    struct rand_seeded rand;
    struct respond_notifier rows[2];
    struct hin_net net;
    struct respond_config config;
    struct pace pace;
    struct outbox *outbox;
    struct wake *wake;
    struct wake_hooks hooks;
    bool second_broken;
    int drills, exceeded, closed, raised;
    char rule[40], text[400], exceeded_text[600];
    int64_t incident;
};

static int fetch(const struct hin_net *net, const struct http_fetch_request *request, struct http_fetch_reply *reply,
                 struct err *err)
{
    struct fixture *fixture = net->context;
    (void)err;
    bool second = request->url.ptr[request->url.len - 1] == '1';
    reply->status = second && fixture->second_broken ? 500 : 200;
    return 0;
}

static void on_event(void *context, struct slice json)
{
    struct fixture *fixture = context;
    fixture->drills += slice_find(json, SLICE("\"event.action\":\"drill\"")) >= 0;
    if (slice_find(json, SLICE("budget_exceeded")) >= 0) {
        fixture->exceeded++;
        snprintf(fixture->exceeded_text, sizeof(fixture->exceeded_text), "%.*s", SLICE_ARG(json));
    }
}

static void on_raise(void *context, const struct finding *finding, const struct respond_texts *texts)
{
    struct fixture *fixture = context;
    assert_true(texts->do_ja.len > 0);
    assert_int_equal(finding->severity, SEVERITY_HIGH);
    fixture->raised++;
    snprintf(fixture->rule, sizeof(fixture->rule), "%.*s", SLICE_ARG(finding->rule_name));
    snprintf(fixture->text, sizeof(fixture->text), "%.*s", SLICE_ARG(finding->explanation_en));
}

static int on_close(void *context, int64_t incident, struct slice comment, struct err *err)
{
    struct fixture *fixture = context;
    assert_true(comment.len > 0);
    fixture->closed++;
    return database_do(fixture->database, "UPDATE incidents SET state='closed' WHERE id=?1", BINDS(bind_i64(incident)), err);
}

static int told(void *context, int64_t waking, struct slice receipt, struct slice failed, struct err *err)
{
    struct fixture *fixture = context;
    return page_told(wake_pager(fixture->wake), waking, receipt, failed, err);
}

static void give_contacts(struct fixture *fixture, const char *person, size_t count)
{
    struct err err;
    const struct contact contacts[] = {{.notifier = SLICE("c0"), .address = slice_text(person)},
                                       {.notifier = SLICE("c1"), .address = slice_text(person)}};
    assert_int_equal(roster_set_contacts(fixture->database, slice_text(person), contacts, count, 1, &err), 0);
}

static int set_up(void **state)
{
    static struct fixture fixture;
    struct err err;
    fixture = (struct fixture){.net = {.fetch = fetch}};
    fixture.net.context = &fixture;
    clock_manual_init(&fixture.clock, EVENING - NS_PER_HOUR);
    rand_seeded_init(&fixture.rand, 7);
    fixture.rows[0] = (struct respond_notifier){.kind = SLICE("webhook"), .name = SLICE("c0"), .url = SLICE("https://c.example/0"),
                                                .secret = SLICE("0123456789abcdef"), .least = SEVERITY_CRITICAL};
    fixture.rows[1] = fixture.rows[0];
    fixture.rows[1].name = SLICE("c1");
    fixture.rows[1].url = SLICE("https://c.example/1");
    fixture.hooks = (struct wake_hooks){on_raise, on_close, &fixture};
    if (database_open(":memory:", &fixture.database, &err) < 0)
        fail_msg("%s", err.text);
    fixture.config = (struct respond_config){
        .database = fixture.database, .clock = &fixture.clock.clock, .notifiers = fixture.rows, .notifier_count = 2,
        .rand = &fixture.rand.rand, .net = &fixture.net, .event = on_event, .link = SLICE(""), .context = &fixture};
    static struct outbox_hooks hooks;
    hooks = (struct outbox_hooks){told, NULL, &fixture};
    pace_start(&fixture.pace, &fixture.clock.clock, 0);
    if (outbox_open(&fixture.config, &fixture.pace, &hooks, &fixture.outbox, &err) < 0 ||
        wake_open(&fixture.config, &fixture.pace, fixture.outbox, &fixture.hooks, &fixture.wake, &err) < 0 ||
        wake_plan_save(fixture.wake, slice_text(plan_text), SLICE("ana"), &err) < 0)
        fail_msg("%s", err.text);
    give_contacts(&fixture, "ana", 2);
    give_contacts(&fixture, "ben", 1);
    *state = &fixture;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;
    outbox_stop(fixture->outbox);
    wake_stop(fixture->wake);
    database_close(fixture->database);
    return 0;
}

/* Second by second, as the program's thread does. */
static void pass(struct fixture *fixture, int64_t seconds)
{
    struct err err;
    for (int64_t i = 0; i < seconds; i++) {
        int64_t next;
        if (wake_run(fixture->wake, &next, &err) < 0)
            fail_msg("%s", err.text);
        for (size_t k = 0; k < 2; k++)
            assert_true(outbox_step(fixture->outbox, k, &err) >= 0);
        clock_manual_advance(&fixture->clock, NS_PER_SECOND);
    }
}

static void open_incident(struct fixture *fixture, const char *kind, enum severity severity, const char *day)
{
    struct err err;
    struct arena *arena = arena_new(MIB);
    struct incident incident = {.severity = severity, .opened_ns = fixture->clock.wall_ns, .updated_ns = 1};
    const struct page_cause cause = {.kind = slice_text(kind), .rule = SLICE("NOISY")};
    struct incident_entity entity = {.entity = {slice_text("drill"), slice_text(day)}};
    if (incident_insert(fixture->database, &incident, &err) < 0 ||
        (day && incident_add_entities(fixture->database, incident.id, &entity, 1, &err) < 0) ||
        wake_put(fixture->wake, &incident, &cause, arena, &err) < 0)
        fail_msg("%s", err.text);
    fixture->incident = incident.id;
    arena_free(arena);
}

static void answer(struct fixture *fixture)
{
    struct err err;
    assert_int_equal(page_answer(wake_pager(fixture->wake), fixture->incident, SLICE("ana"), "link", &err), 0);
}

static void until_drill(struct fixture *fixture)
{
    for (int i = 0; i < 4 * 3600 && fixture->drills == 0; i++)
        pass(fixture, 1);
    assert_int_equal(fixture->drills, 1);
    assert_true(fixture->clock.wall_ns >= EVENING && fixture->clock.wall_ns < EVENING + 2 * NS_PER_HOUR);
}

static struct slice last(struct fixture *fixture, const char *column, struct arena *arena)
{
    struct query *query;
    struct err err;
    char sql[100];
    snprintf(sql, sizeof(sql), "SELECT %s FROM drills ORDER BY id DESC LIMIT 1", column);
    assert_int_equal(query_begin(fixture->database, sql, &query, &err), 0);
    struct slice text = query_step(query, &err) == 1 ? query_get_text(query, 0, arena) : SLICE_NONE;
    query_end(query);
    return text;
}

static void expect(struct fixture *fixture, const char *outcome)
{
    struct arena *arena = arena_new(MIB);
    struct slice got = last(fixture, "outcome", arena);
    if (!slice_is(got, outcome))
        fail_msg("outcome %.*s, not %s", SLICE_ARG(got), outcome);
    arena_free(arena);
}

static void an_answer_is_timed(void **state)
{
    struct fixture *fixture = *state;
    struct arena *arena = arena_new(MIB);
    until_drill(fixture);
    open_incident(fixture, "drill", SEVERITY_MEDIUM, "2025-12-31");
    pass(fixture, 40);
    answer(fixture);
    pass(fixture, 3);
    expect(fixture, "answered");
    int64_t ms = 0;
    assert_true(slice_to_i64(last(fixture, "answer_ms", arena), &ms) && ms > 38000 && ms < 44000);
    assert_int_equal(fixture->closed, 1);
    assert_int_equal(fixture->raised, 0);
    pass(fixture, 3 * 3600);
    assert_int_equal(fixture->drills, 1); /* one a day */
    arena_free(arena);
}

static void a_contact_that_fails_is_found_though_another_worked(void **state)
{
    struct fixture *fixture = *state;
    fixture->second_broken = true;
    until_drill(fixture);
    open_incident(fixture, "drill", SEVERITY_MEDIUM, "2025-12-31");
    pass(fixture, 5);
    answer(fixture);
    pass(fixture, 3);
    expect(fixture, "answered");
    assert_int_equal(fixture->raised, 1);
    assert_string_equal(fixture->rule, "hinomi-drill-hop");
    assert_non_null(strstr(fixture->text, "ana by c1 ana: the answer was HTTP 500"));
}

static void nobody_answers(void **state)
{
    struct fixture *fixture = *state;
    until_drill(fixture);
    open_incident(fixture, "drill", SEVERITY_MEDIUM, "2025-12-31");
    pass(fixture, DRILL_ANSWER_S + 5);
    expect(fixture, "missed");
    assert_int_equal(fixture->raised, 1);
    assert_string_equal(fixture->rule, "hinomi-drill-missed");
    assert_int_equal(fixture->closed, 1);
}

static void a_broken_path_is_found(void **state)
{
    struct fixture *fixture = *state;
    until_drill(fixture);
    pass(fixture, DRILL_PATH_S + 5);
    expect(fixture, "missed");
    assert_int_equal(fixture->raised, 1);
    assert_non_null(strstr(fixture->text, "made no incident"));
}

static void waits_for_a_quiet_minute(void **state)
{
    struct fixture *fixture = *state;
    clock_manual_advance(&fixture->clock, NS_PER_HOUR - 5 * NS_PER_SECOND);
    open_incident(fixture, "page", SEVERITY_CRITICAL, NULL);
    pass(fixture, 2 * 3600 + 120);
    assert_int_equal(fixture->drills, 0);
    expect(fixture, "not_held");
    assert_int_equal(fixture->raised, 0);
}

static void too_many_pages_name_the_rule(void **state)
{
    struct fixture *fixture = *state;
    clock_manual_advance(&fixture->clock, 4 * NS_PER_HOUR); /* 23:00: night */
    for (int i = 0; i < 2; i++) {
        open_incident(fixture, "page", SEVERITY_CRITICAL, NULL);
        pass(fixture, 70);
        answer(fixture);
    }
    pass(fixture, 180);
    assert_int_equal(fixture->exceeded, 1); /* once a night */
    assert_non_null(strstr(fixture->exceeded_text, "\"user.name\":\"ana\""));
    assert_non_null(strstr(fixture->exceeded_text, "\"hinomi.waking.pages\":2"));
    assert_non_null(strstr(fixture->exceeded_text, "\"rule.name\":\"NOISY\""));
}

static int64_t number(struct fixture *fixture, const char *sql)
{
    struct err err;
    int64_t n;
    if (database_number(fixture->database, sql, NULL, 0, &n, &err) < 0)
        fail_msg("%s", err.text);
    return n;
}

/* Whatever allocation fails, what was decided is whole: the person is called once, and with one key. */
static void memory_that_is_out_loses_no_page(void **state)
{
    struct fixture *fixture = *state;
    struct err err;
    int failed = 0;
    for (int n = 0; n < 400; n++) {
        int64_t next, before = number(fixture, "SELECT count(*) FROM wakings");
        open_incident(fixture, "page", SEVERITY_CRITICAL, NULL);
        mem_fail_after(n);
        int result = wake_run(fixture->wake, &next, &err);
        mem_fail_after(-1);
        if (result < 0)
            assert_int_equal(err.code, ERR_NOMEM);
        failed += result < 0;
        if (wake_run(fixture->wake, &next, &err) < 0)
            fail_msg("%s", err.text);
        assert_int_equal(number(fixture, "SELECT count(*) FROM wakings"), before + 1);
        assert_int_equal(number(fixture, "SELECT count(*) FROM wakings w WHERE (SELECT count(*) FROM outbox WHERE waking=w.id)!=1"), 0);
        answer(fixture);
        clock_manual_advance(&fixture->clock, NS_PER_SECOND);
        if (result == 0 && n > 50)
            break;
    }
    assert_true(failed > 10);
}

/* Who has left the company has no contact, and the next step comes at once. */
static void who_has_left_is_not_woken(void **state)
{
    struct fixture *fixture = *state;
    struct err err;
    if (database_do(fixture->database, "INSERT INTO users(name,password,role,created_ns,disabled) VALUES('ana','x','viewer',1,1)",
                    NULL, 0, &err) < 0)
        fail_msg("%s", err.text);
    open_incident(fixture, "page", SEVERITY_CRITICAL, NULL);
    pass(fixture, 2);
    assert_int_equal(number(fixture, "SELECT count(*) FROM wakings WHERE person='ana'"), 0);
    assert_int_equal(number(fixture, "SELECT count(*) FROM wakings WHERE person='ben'"), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(an_answer_is_timed, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_contact_that_fails_is_found_though_another_worked, set_up, tear_down),
        cmocka_unit_test_setup_teardown(nobody_answers, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_broken_path_is_found, set_up, tear_down),
        cmocka_unit_test_setup_teardown(waits_for_a_quiet_minute, set_up, tear_down),
        cmocka_unit_test_setup_teardown(too_many_pages_name_the_rule, set_up, tear_down),
        cmocka_unit_test_setup_teardown(who_has_left_is_not_woken, set_up, tear_down),
        cmocka_unit_test_setup_teardown(memory_that_is_out_loses_no_page, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
