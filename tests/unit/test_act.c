/* Actions on a clock and a network set by hand: attempts, giving up, expiry, caps, undo; and every allocation that fails. */
#include "test.h"

#include "base/limits.h"
#include "base/mem.h"
#include "net/http_client.h"
#include "respond/act/act.h"
#include "respond/act/action.h"
#include "respond/act/playbook.h"
#include "state_fixture.h"

#include <pthread.h>
#include <stdatomic.h>
#include <time.h>

enum { PATIENCE_MS = 20000 };

/* Answers with what is planned (0: no answer), the last of it for ever. */
struct outside {
    struct hin_net net;
    pthread_mutex_t lock;
    int plan[16];
    size_t planned, asked, undone;
    char last_key[64];
};

static int fetch(const struct hin_net *net, const struct http_fetch_request *request, struct http_fetch_reply *reply, struct err *err)
{
    struct outside *outside = net->context;
    pthread_mutex_lock(&outside->lock);
    size_t at = outside->asked < outside->planned ? outside->asked : outside->planned - 1;
    reply->status = outside->plan[at];
    outside->asked++;
    outside->undone += slice_ends(request->url, SLICE("/undo"));
    (void)snprintf(outside->last_key, sizeof(outside->last_key), "%.*s", SLICE_ARG(request->headers[1].value));
    pthread_mutex_unlock(&outside->lock);
    return reply->status ? 0 : err_set(err, ERR_IO, "no answer");
}

struct world {
    struct fixture *fixture;
    struct outside outside;
    struct act *act;
    struct act_settings row;
};

static void open_world(struct world *world, struct fixture *fixture)
{
    static const struct slice takes[] = {{"ip", 2}}, never[] = {{"192.0.2.0/24", 12}};
    struct err err;
    *world = (struct world){.fixture = fixture};
    pthread_mutex_init(&world->outside.lock, NULL);
    world->outside.net = (struct hin_net){.fetch = fetch, .context = &world->outside};
    world->row = (struct act_settings){.kind = action_find(SLICE("webhook")), .name = SLICE("firewall"), .takes = takes, .take_count = 1,
                                       .never = never, .never_count = 1, .at_once = 3, .per_hour = 5, .lasts_ns = NS_PER_HOUR,
                                       .role = ROLE_RESPONDER, .approver_role = ROLE_APPROVER, .url = SLICE("http://127.0.0.1/do"),
                                       .undo_url = SLICE("http://127.0.0.1/undo"), .secret = SLICE("0123456789abcdef"), .allow_private = true};
    const struct act_config config = {.database = fixture->database, .clock = &fixture->clock.clock, .net = &world->outside.net,
                                      .actions = &world->row, .count = 1};
    if (act_start(&config, &world->act, &err) < 0)
        fail_msg("%s", err.text);
}

static void close_world(struct world *world)
{
    act_stop(world->act);
    pthread_mutex_destroy(&world->outside.lock);
}

static void plan(struct world *world, const int *list, size_t count)
{
    pthread_mutex_lock(&world->outside.lock);
    memcpy(world->outside.plan, list, count * sizeof(*list));
    world->outside.planned = count;
    world->outside.asked = world->outside.undone = 0;
    pthread_mutex_unlock(&world->outside.lock);
}

static int ask(struct world *world, const char *const *values, size_t count, int64_t *id, struct err *err)
{
    struct entity entities[16];
    for (size_t i = 0; i < count; i++)
        entities[i] = (struct entity){SLICE("ip"), slice_text(values[i])};
    const struct act_request request = {.action = SLICE("firewall"), .by = SLICE("rin"), .via = SLICE("session"), .reason = SLICE("a test"),
                                        .entities = entities, .entity_count = count};
    return act_request(world->act, &request, id, err);
}

static struct act_state state_of(struct world *world, int64_t id)
{
    struct act_state state;
    struct err err;
    arena_reset(world->fixture->arena);
    if (act_state(world->act, id, world->fixture->arena, &state, &err) < 0)
        fail_msg("%s", err.text);
    return state;
}

/* The manual clock goes on by so much with each look, for what is tried again later. */
static void until(struct world *world, int64_t id, const char *wanted, int64_t step_ns)
{
    for (int i = 0; i < PATIENCE_MS / 10; i++) {
        if (slice_is(state_of(world, id).state, wanted))
            return;
        clock_manual_advance(&world->fixture->clock, step_ns);
        nanosleep(&(struct timespec){.tv_nsec = 10 * NS_PER_MS}, NULL);
    }
    fail_msg("it is %.*s, not %s", SLICE_ARG(state_of(world, id).state), wanted);
}

static void it_is_undone_when_its_time_is_over(void **state)
{
    struct world world;
    struct err err;
    int64_t id;
    open_world(&world, *state);
    plan(&world, (const int[]){200}, 1);
    assert_int_equal(ask(&world, (const char *const[]){"203.0.113.1"}, 1, &id, &err), 0);
    until(&world, id, "done", 0);
    char key[64];
    memcpy(key, world.outside.last_key, sizeof(key));
    clock_manual_advance(&world.fixture->clock, NS_PER_HOUR - NS_PER_MINUTE);
    assert_true(slice_is(state_of(&world, id).state, "done"));
    clock_manual_advance(&world.fixture->clock, 2 * NS_PER_MINUTE);
    until(&world, id, "undone", 0);
    assert_int_equal(world.outside.undone, 1);
    assert_string_not_equal(world.outside.last_key, key);
    close_world(&world);
}

/* What nobody answered for an hour has failed; it may have been done, so it is undone. */
static void what_may_have_been_done_is_undone(void **state)
{
    struct world world;
    struct err err;
    int64_t id;
    open_world(&world, *state);
    plan(&world, (const int[]){0}, 1);
    assert_int_equal(ask(&world, (const char *const[]){"203.0.113.1"}, 1, &id, &err), 0);
    until(&world, id, "undoing", 10 * NS_PER_SECOND);
    assert_true(world.outside.asked > 2);
    plan(&world, (const int[]){204}, 1);
    until(&world, id, "failed", 10 * NS_PER_SECOND);
    assert_true(world.outside.undone >= 1);
    close_world(&world);
}

static void a_refusal_is_not_undone(void **state)
{
    struct world world;
    struct err err;
    int64_t id;
    open_world(&world, *state);
    plan(&world, (const int[]){400}, 1);
    assert_int_equal(ask(&world, (const char *const[]){"203.0.113.1"}, 1, &id, &err), 0);
    until(&world, id, "failed", NS_PER_SECOND);
    assert_int_equal(world.outside.asked, 3);
    assert_int_equal(world.outside.undone, 0);
    close_world(&world);
}

static void caps_hold_at_once_and_in_an_hour(void **state)
{
    struct world world;
    struct err err;
    int64_t id, other;
    open_world(&world, *state);
    plan(&world, (const int[]){200}, 1);
    assert_int_equal(ask(&world, (const char *const[]){"203.0.113.1", "203.0.113.2", "203.0.113.1", "203.0.113.3", "203.0.113.4"}, 5, &id, &err), 0);
    until(&world, id, "done", 0);
    assert_int_equal(state_of(&world, id).deeds, 3); /* at once */
    assert_int_equal(ask(&world, (const char *const[]){"203.0.113.5"}, 1, &other, &err), -1);
    assert_int_equal(err.code, ERR_LIMIT);
    assert_int_equal(act_undo(world.act, id, SLICE("rin"), &err), 0);
    until(&world, id, "undone", 0);
    assert_int_equal(ask(&world, (const char *const[]){"203.0.113.5", "203.0.113.6", "203.0.113.7"}, 3, &other, &err), 0);
    assert_int_equal(state_of(&world, other).deeds, 2); /* five in an hour */
    until(&world, other, "done", 0);
    clock_manual_advance(&world.fixture->clock, -2 * NS_PER_HOUR); /* makes no room */
    assert_int_equal(ask(&world, (const char *const[]){"203.0.113.8"}, 1, &id, &err), -1);
    clock_manual_advance(&world.fixture->clock, 4 * NS_PER_HOUR);
    until(&world, other, "undone", 0);
    assert_int_equal(ask(&world, (const char *const[]){"203.0.113.8"}, 1, &id, &err), 0);
    until(&world, id, "done", 0);
    close_world(&world);
}

static void what_must_not_be_touched_is_not(void **state)
{
    static const struct {
        const char *value;
        enum err_code code;
    } wrong[] = {{"192.0.2.53", ERR_DENIED}, {"", ERR_CONFIG}, {"a\nb", ERR_CONFIG}};
    struct world world;
    struct err err;
    int64_t id;
    open_world(&world, *state);
    plan(&world, (const int[]){200}, 1);
    for (size_t i = 0; i < ARRAY_COUNT(wrong); i++) {
        assert_int_equal(ask(&world, (const char *const[]){"203.0.113.1", wrong[i].value}, 2, &id, &err), -1);
        assert_int_equal(err.code, wrong[i].code);
    }
    assert_int_equal(act_stats(world.act).in_effect + act_stats(world.act).working, 0);
    assert_int_equal(world.outside.asked, 0);
    close_world(&world);
}

/* One request, with the n-th allocation failing for each n: it is there as a whole or not at all. */
static void requests_survive_failed_allocations(void **state)
{
    struct world world;
    struct err err;
    bool done = false;
    open_world(&world, *state);
    act_stop(world.act); /* no thread may take the failure */
    const struct act_config config = {.database = world.fixture->database, .clock = &world.fixture->clock.clock, .net = &world.outside.net};
    assert_int_equal(act_start(&config, &world.act, &err), 0);
    struct act_config *own = (struct act_config *)world.act; /* the first member; rows without threads */
    own->actions = &world.row;
    own->count = 1;
    for (int n = 0; !done; n++) {
        struct buffer text;
        struct json json;
        int64_t id = 0;
        buffer_init(&text, MIB);
        json_init(&json, &text);
        mem_fail_after(n);
        int result = ask(&world, (const char *const[]){"203.0.113.1", "203.0.113.2"}, 2, &id, &err);
        done = result == 0 && act_order_json(world.act, id, &json, &err) == 0 && act_undo(world.act, id, SLICE("rin"), &err) == 0;
        mem_fail_after(-1);
        done &= !buffer_failed(&text);
        buffer_close(&text);
        if (result == 0 && !done)
            assert_int_equal(act_undo(world.act, id, SLICE("rin"), &err), 0);
        world.row.per_hour = 1000;
        assert_int_equal(act_stats(world.act).in_effect + act_stats(world.act).working, 0);
    }
    close_world(&world);
}

/* ---- what people write ---- */

static int read_settings(struct arena *arena, const char *text, struct err *err)
{
    const struct yaml_node *const *documents;
    const struct act_settings *rows;
    size_t count;
    assert_int_equal(yaml_parse(slice_text(text), arena, &documents, &count, err), 0);
    return act_settings_read(documents[0], arena, &rows, &count, err);
}

static void mistakes_of_the_configuration_are_said(void **state)
{
#define HTTP "url: 'https://a.example/', undo_url: 'https://a.example/u', secret: 0123456789abcdef"
    static const struct {
        const char *text, *said;
    } wrong[] = {
        {"[{name: a, kind: other, takes: [ip]}]", "no such kind"},
        {"[{name: 'A b', kind: block_list, takes: [ip]}]", "a name of at most"},
        {"[{name: a, kind: block_list}]", "takes is a list"},
        {"[{name: a, kind: block_list, takes: [ip]}, {name: a, kind: block_list, takes: [ip]}]", "two actions are named a"},
        {"[{name: a, kind: block_list, takes: [ip], file: here.txt}]", "begins with /"},
        {"[{name: a, kind: block_list, takes: [ip], at_once: 0}]", "a number from 1"},
        {"[{name: a, kind: block_list, takes: [ip], lasts: long}]", "a duration"},
        {"[{name: a, kind: block_list, takes: [ip], approvals: 6}]", "a number from 0 to 5"},
        {"[{name: a, kind: block_list, takes: [ip], role: boss}]", "a role"},
        {"[{name: a, kind: block_list, takes: [ip], colour: red}]", "no key 'colour'"},
        {"[{name: a, kind: webhook, takes: [ip], url: 'https://a.example/', secret: 0123456789abcdef}]", "undo_url"},
        {"[{name: a, kind: webhook, takes: [ip], url: 'https://a.example/', undo_url: 'https://a.example/', secret: short}]", "a secret"},
        {"[{name: a, kind: webhook, takes: [ip], url: 'http://a.example/', undo_url: 'https://a.example/', secret: 0123456789abcdef}]", "http"},
        {"[{name: a, kind: webhook, takes: [ip], " HTTP ", body: {x: '{entity.name}'}}]", "no {entity.name}"},
        {"[{name: a, kind: disable_user, takes: [user], " HTTP "}]", "verify_url"},
        {"[{name: a, kind: script, takes: [host], script: x}]", "socket"},
        {"{}", "a list"},
    };
    struct fixture *fixture = *state;
    struct err err;
    assert_int_equal(read_settings(fixture->arena, "[{name: a, kind: webhook, takes: [ip], " HTTP ", body: {x: '{entity.value}'}}]", &err), 0);
    for (size_t i = 0; i < ARRAY_COUNT(wrong); i++) {
        assert_int_equal(read_settings(fixture->arena, wrong[i].text, &err), -1);
        if (!strstr(err.text, wrong[i].said))
            fail_msg("%s: %s", wrong[i].text, err.text);
    }
}

static void mistakes_of_playbooks_are_said(void **state)
{
#define TITLE "playbook: a\ntitle: {en: a, ja: a}\n"
    static const struct {
        const char *text, *said;
    } wrong[] = {
        {"title: {en: a, ja: a}\nsteps: [{action: a}]\n", "a name"},
        {"playbook: a\ntitle: {en: a}\nsteps: [{action: a}]\n", "both languages"},
        {TITLE, "steps is a list"},
        {TITLE "steps: []\n", "steps is a list"},
        {TITLE "steps: [{call: a}]\n", "one of action, task and approval"},
        {TITLE "steps: [{action: a, task: {en: a, ja: a}}]\n", "one of action, task and approval"},
        {TITLE "steps: [{task: {en: a}}]\n", "both languages"},
        {TITLE "steps: [{approval: {people: 9, en: a, ja: a}}]\n", "people is a number"},
        {TITLE "steps: [{approval: {role: boss, en: a, ja: a}}]\n", "role is one"},
        {TITLE "steps: [{action: a}]\nwhen: now\n", "no 'when'"},
        {TITLE "steps: [{action: a}]\n---\n" TITLE "steps: [{action: a}]\n", "two playbooks"},
    };
    struct fixture *fixture = *state;
    struct playbooks books;
    struct err err;
    char path[120];
    assert_int_equal(playbooks_load("content/playbooks", NULL, fixture->arena, &books, &err), 0);
    assert_true(books.count > 0);
    (void)snprintf(path, sizeof(path), "%s/a.yaml", fixture->dir);
    for (size_t i = 0; i < ARRAY_COUNT(wrong); i++) {
        FILE *file = fopen(path, "w");
        assert_non_null(file);
        assert_true(fputs(wrong[i].text, file) >= 0);
        (void)fclose(file);
        assert_int_equal(playbooks_load(fixture->dir, NULL, fixture->arena, &books, &err), -1);
        if (!strstr(err.text, wrong[i].said) || !strstr(err.text, "a.yaml"))
            fail_msg("%s: %s", wrong[i].text, err.text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(it_is_undone_when_its_time_is_over, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_may_have_been_done_is_undone, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_refusal_is_not_undone, set_up, tear_down),
        cmocka_unit_test_setup_teardown(caps_hold_at_once_and_in_an_hour, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_must_not_be_touched_is_not, set_up, tear_down),
        cmocka_unit_test_setup_teardown(mistakes_of_the_configuration_are_said, set_up, tear_down),
        cmocka_unit_test_setup_teardown(mistakes_of_playbooks_are_said, set_up, tear_down),
        cmocka_unit_test_setup_teardown(requests_survive_failed_allocations, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
