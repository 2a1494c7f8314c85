/* What a server says of itself: its disk, its clock, notifications that wait, and that nobody looks any more. */
#include "test.h"

#include "app/health_look.h"
#include "base/clock.h"
#include "base/io.h"
#include "base/limits.h"
#include "net/http_client.h"
#include "respond/respond.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static uint64_t free_bytes = 1 << 30;

static int space(void *context, const char *path, struct io_space *out)
{
    (void)context;
    assert_string_equal(path, "data");
    *out = (struct io_space){1 << 30, free_bytes, 1};
    return 0;
}

static int fail_fetch(const struct hin_net *net, const struct http_fetch_request *request, struct http_fetch_reply *reply, struct err *err)
{
    (void)net, (void)request, (void)reply;
    return err_set(err, ERR_IO, "no way there");
}

/* An incident, and so a notification that nobody takes. */
static void put_finding(struct respond *respond, int64_t now_ns)
{
    const struct entity about = {SLICE("wallet"), SLICE("w1")};
    const struct evidence evidence = {SLICE("e-1"), 1, now_ns};
    struct finding finding = {.rule_id = SLICE("r"), .title = SLICE("t"), .severity = SEVERITY_HIGH, .entities = &about, .entity_count = 1,
                              .evidence = &evidence, .evidence_count = 1, .event_ns = now_ns};
    finding_set_id(&finding);
    respond_finding(respond, &finding, NULL);
    respond_flush(respond);
}

static void what_is_wrong_is_seen(void **state)
{
    (void)state;
    char path[] = "/tmp/hinomi_health_XXXXXX", other[64];
    struct clock_manual clock;
    struct err err;
    struct hin_io io = {.space = space};
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    close(fd);
    clock_manual_init(&clock, INT64_C(1516924800) * NS_PER_SECOND);
    const struct hin_net dead = {.fetch = fail_fetch};
    const struct respond_notifier row = {.kind = SLICE("webhook"), .name = SLICE("w"), .url = SLICE("https://h.example/"),
                                         .secret = SLICE("0123456789abcdef"), .least = SEVERITY_HIGH};
    struct respond_config config = {.clock = &clock.clock, .net = &dead, .notifiers = &row, .notifier_count = 1};
    struct respond *respond;
    assert_int_equal(database_open(path, &config.database, &err), 0);
    assert_int_equal(respond_start(&config, &respond, &err), 0);
    struct health_look look = {.clock = &clock.clock, .io = &io, .dir = "data", .respond = respond};
    assert_int_equal(health_look(&look), 0);
    free_bytes = HEALTH_DISK_FREE - 1;
    assert_int_equal(health_look(&look), HEALTH_DISK);
    free_bytes = 1 << 30;
    clock_manual_advance(&clock, 3 * NS_PER_HOUR); /* both go on: the machine was busy */
    assert_int_equal(health_look(&look), 0);
    clock.wall_ns -= 3 * NS_PER_SECOND;
    assert_int_equal(health_look(&look), HEALTH_CLOCK);
    clock_manual_advance(&clock, HEALTH_CLOCK_S * NS_PER_SECOND);
    assert_int_equal(health_look(&look), HEALTH_CLOCK);
    clock_manual_advance(&clock, NS_PER_SECOND);
    assert_int_equal(health_look(&look), 0);
    put_finding(respond, clock.wall_ns);
    unsigned seen = 0;
    for (int i = 0; i < 40; i++)
        seen |= health_look(&look);
    assert_int_equal(seen, 0);
    clock_manual_advance(&clock, (HEALTH_NOTICE_S + 1) * NS_PER_SECOND);
    for (int i = 0; i < 40; i++) /* the thread that wakes people has stood still by this clock: until it comes, that is said too */
        seen |= health_look(&look);
    assert_int_equal(seen & ~(unsigned)HEALTH_WAKING, HEALTH_NOTICES);
    for (int i = 0; i < 600 && health_look(&look) != HEALTH_NOTICES; i++)
        usleep(100000);
    assert_int_equal(health_look(&look), HEALTH_NOTICES);
    respond_stop(respond);
    database_close(config.database);
    for (int i = 0; i < 3; i++) {
        snprintf(other, sizeof(other), "%s%s", path, (const char *const[]){"", "-wal", "-shm"}[i]);
        unlink(other);
    }
}

static void nobody_looks_any_more(void **state)
{
    (void)state;
    struct health health = {0};
    assert_int_equal(health_get(&health, 500 * NS_PER_SECOND), 0); /* not begun yet */
    health_set(&health, HEALTH_CLOCK, NS_PER_SECOND);
    assert_int_equal(health_get(&health, (1 + HEALTH_LOOK_S) * NS_PER_SECOND), HEALTH_CLOCK);
    assert_int_equal(health_get(&health, (2 + HEALTH_LOOK_S) * NS_PER_SECOND), HEALTH_CLOCK | HEALTH_STUCK);
    assert_true(HEALTH_STUCK & HEALTH_DEGRADED);
    unsigned count = 0;
    while (health_name(count))
        count++;
    assert_int_equal(1u << (count - 1), HEALTH_STUCK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_wrong_is_seen),
        cmocka_unit_test(nobody_looks_any_more),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
