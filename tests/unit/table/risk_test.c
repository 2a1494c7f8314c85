/* Totals by hand, decay against exp2(), snapshots that are the same bytes, bounds. */
#include "table/risk.h"
#include "test.h"

#include "base/clock.h"
#include "base/limits.h"
#include "base/mem.h"

#include <math.h>
#include <stdio.h>

#define START_NS (1767225600 * NS_PER_SECOND)
#define HALF_NS (7 * NS_PER_DAY)

struct world {
    struct risk *risk;
    struct arena *arena;
};

static void open_world(struct world *world)
{
    *world = (struct world){risk_new(HALF_NS), arena_new(256 * MIB)};
    assert_true(world->risk && world->arena);
}

static void close_world(struct world *world)
{
    risk_free(world->risk);
    arena_free(world->arena);
}

static void add(struct world *world, const char *value, const char *rule, uint32_t points, const char *tactics, int64_t time_ns)
{
    const struct entity entity = {SLICE("host"), slice_text(value)};
    const struct risk_source source = {slice_text(rule), slice_text(rule), slice_text(tactics), points};
    struct evidence evidence = {SLICE("event"), (uint64_t)(time_ns - START_NS), time_ns};
    struct finding finding = {.rule_name = source.rule, .group_key = entity.value, .event_ns = time_ns,
                              .evidence = &evidence, .evidence_count = 1};
    finding_set_id(&finding);
    assert_int_equal(risk_add(world->risk, &entity, &source, &finding, world->arena), 0);
}

static struct risk_total total(struct world *world, const char *value, int64_t now_ns)
{
    const struct entity entity = {SLICE("host"), slice_text(value)};
    struct risk_total out = {0};
    assert_true(risk_read(world->risk, &entity, now_ns, world->arena, &out) >= 0);
    return out;
}

/* high 50 now, medium 25 a half-life ago, low 10 two half-lives ago: 50 + 12.5 + 2.5 */
static void totals_are_those_of_the_hand(void **state)
{
    (void)state;
    struct world world;
    open_world(&world);
    add(&world, "a", "low", 10, "discovery", START_NS);
    add(&world, "a", "medium", 25, "execution persistence", START_NS + HALF_NS);
    add(&world, "a", "high", 50, "execution", START_NS + 2 * HALF_NS);
    struct risk_total now = total(&world, "a", RISK_NEWEST);
    assert_int_equal(now.points, 65 * RISK_POINT);
    assert_int_equal(now.recent, 50 * RISK_POINT);
    assert_int_equal(now.tactics, 3);
    assert_int_equal(now.part_count, 3);
    assert_int_equal(now.parts[0].left, 50 * RISK_POINT);
    assert_int_equal(now.parts[1].left, 12500000);
    assert_int_equal(now.parts[2].left, 2500000);
    assert_true(slice_is(now.parts[2].source.rule, "low"));
    now = total(&world, "a", START_NS + 4 * HALF_NS); /* 12.5 + 3.125 + 0.625: discovery has less than a point left */
    assert_int_equal(now.points, 16250000);
    assert_int_equal(now.recent, 0);
    assert_int_equal(now.tactics, 2);
    assert_int_equal(total(&world, "b", RISK_NEWEST).part_count, 0);
    close_world(&world);
}

/* The same finding again, another of the same rule, an older one: the rule counts once, with its newest. */
static void a_rule_counts_once(void **state)
{
    (void)state;
    struct world world;
    open_world(&world);
    for (int i = 0; i < 1000; i++)
        add(&world, "a", "noisy", 25, "discovery", START_NS + i * NS_PER_MINUTE);
    add(&world, "a", "noisy", 25, "discovery", START_NS + 999 * NS_PER_MINUTE);
    add(&world, "a", "noisy", 25, "discovery", START_NS - NS_PER_DAY);
    struct risk_total now = total(&world, "a", RISK_NEWEST);
    assert_int_equal(now.points, 25 * RISK_POINT);
    assert_int_equal(now.parts[0].count, 1001);
    assert_int_equal(now.parts[0].evidence.seq, (uint64_t)(999 * NS_PER_MINUTE));
    close_world(&world);
}

static void decay_is_that_of_a_half_life(void **state)
{
    (void)state;
    struct world world;
    uint64_t seed = 7;
    open_world(&world);
    add(&world, "a", "r", 1000, "", START_NS);
    for (int i = 0; i < 2000; i++) {
        seed = seed * 6364136223846793005u + 1442695040888963407u;
        int64_t age_ns = (int64_t)(seed >> 33) % (20 * NS_PER_DAY / NS_PER_MS) * NS_PER_MS;
        double wanted = 1000 * exp2(-(double)age_ns / (double)HALF_NS);
        double got = (double)total(&world, "a", START_NS + age_ns).points / (double)RISK_POINT;
        assert_true(fabs(got - wanted) < 0.0001);
        arena_reset(world.arena);
    }
    close_world(&world);
}

static void what_is_taken_back_is_gone(void **state)
{
    (void)state;
    struct world world;
    const struct entity entity = {SLICE("host"), SLICE("a")};
    open_world(&world);
    add(&world, "a", "r", 50, "", START_NS);
    add(&world, "a", "s", 25, "", START_NS);
    struct slice id = total(&world, "a", RISK_NEWEST).parts[0].finding;
    assert_int_equal(risk_take_back(world.risk, &entity, SLICE("s"), id, world.arena), 0);
    assert_int_equal(total(&world, "a", RISK_NEWEST).points, 75 * RISK_POINT);
    assert_int_equal(risk_take_back(world.risk, &entity, SLICE("r"), id, world.arena), 0);
    assert_int_equal(total(&world, "a", RISK_NEWEST).points, 25 * RISK_POINT);
    close_world(&world);
}

/* Two tables with other histories, the same findings, one of them loaded in between. */
static void a_snapshot_is_the_same_bytes(void **state)
{
    (void)state;
    struct world one, other;
    struct buffer first, second;
    struct err err;
    open_world(&one);
    open_world(&other);
    buffer_init(&first, RISK_BYTES_MAX);
    buffer_init(&second, RISK_BYTES_MAX);
    for (int turn = 0; turn < 2; turn++)
        for (int i = 0; i < 300; i++) {
            char name[16], rule[16];
            (void)snprintf(name, sizeof(name), "h%d", i % 50);
            (void)snprintf(rule, sizeof(rule), "r%d", i % 7);
            add(&one, name, rule, 25, "execution", START_NS + i * NS_PER_MINUTE);
            (void)snprintf(name, sizeof(name), "h%d", (299 - i) % 50);
            (void)snprintf(rule, sizeof(rule), "r%d", (299 - i) % 7);
            if (turn == 0)
                add(&other, name, rule, 25, "execution", START_NS + (299 - i) * NS_PER_MINUTE);
        }
    risk_save(one.risk, &first);
    struct slice bytes = buffer_slice(&first);
    risk_free(one.risk);
    one.risk = risk_new(NS_PER_DAY);
    assert_int_equal(risk_load(one.risk, &bytes, &err), 0);
    assert_int_equal(bytes.len, 0);
    risk_save(other.risk, &second);
    struct risk_total *top;
    size_t count = 10;
    assert_int_equal(risk_top(one.risk, RISK_NEWEST, one.arena, &top, &count), 0);
    assert_int_equal(count, 10);
    assert_true(top[0].points >= top[9].points);
    assert_int_equal(risk_stats(one.risk).bytes, risk_stats(other.risk).bytes);
    buffer_clear(&first);
    risk_save(one.risk, &first);
    /* swept_ns is the first time that was seen: all but that */
    assert_int_equal(first.len, second.len);
    assert_true(memcmp(first.ptr + 16, second.ptr + 16, first.len - 16) == 0);
    for (size_t cut = 0; cut < first.len; cut += 1 + cut / 16) {
        struct slice part = slice_of(first.ptr, cut);
        struct risk *damaged = risk_new(HALF_NS);
        assert_int_equal(risk_load(damaged, &part, &err), -1);
        risk_free(damaged);
    }
    buffer_close(&first);
    buffer_close(&second);
    close_world(&one);
    close_world(&other);
}

static void too_many_are_forgotten_oldest_first(void **state)
{
    (void)state;
    struct world world;
    open_world(&world);
    for (int i = 0; i < RISK_ENTITIES_MAX + 10; i++) {
        char name[16];
        (void)snprintf(name, sizeof(name), "h%d", i);
        add(&world, name, "r", 50, "", START_NS + i * NS_PER_SECOND);
        arena_reset(world.arena);
    }
    struct risk_stats stats = risk_stats(world.risk);
    assert_true(stats.entities <= RISK_ENTITIES_MAX && stats.bytes <= RISK_BYTES_MAX);
    assert_int_equal(stats.entities + stats.evicted, RISK_ENTITIES_MAX + 10);
    assert_int_equal(total(&world, "h0", RISK_NEWEST).part_count, 0);
    assert_int_equal(total(&world, "h50009", RISK_NEWEST).part_count, 1);
    for (int i = 0; i < RISK_PARTS_MAX + 5; i++) {
        char rule[16];
        (void)snprintf(rule, sizeof(rule), "r%d", i);
        add(&world, "many", rule, (uint32_t)(10 + i), "", START_NS);
    }
    struct risk_total now = total(&world, "many", RISK_NEWEST);
    assert_int_equal(now.part_count, RISK_PARTS_MAX);
    assert_int_equal(now.parts[RISK_PARTS_MAX - 1].source.points, 15); /* those with fewest points went */
    assert_int_equal(risk_stats(world.risk).cut, 5);
    close_world(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(totals_are_those_of_the_hand),    cmocka_unit_test(a_rule_counts_once),
        cmocka_unit_test(decay_is_that_of_a_half_life),    cmocka_unit_test(what_is_taken_back_is_gone),
        cmocka_unit_test(a_snapshot_is_the_same_bytes),    cmocka_unit_test(too_many_are_forgotten_oldest_first),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
