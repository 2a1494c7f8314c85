/* A waking plan: refused with a sentence, or somebody of it, or nobody, is on call at any moment, and turns follow each other. */
#include "respond/wake/rota.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void walk(const struct plan *plan, const struct plan_schedule *schedule, int64_t from_ns)
{
    int64_t at = from_ns;
    for (int i = 0; i < 20; i++) {
        struct rota_turn turn = rota_at(plan, schedule, NULL, 0, at);
        assert(turn.to_ns > at && turn.from_ns <= at);
        assert(!turn.person.len || plan_has_person(plan, turn.person));
        struct rota_turn last = rota_at(plan, schedule, NULL, 0, turn.to_ns - 1);
        assert(slice_equal(last.person, turn.person));
        at = turn.to_ns;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const int64_t starts[] = {1767178800, 1792893600, 1774746000, 951782400};
    struct arena *arena = arena_new(64 * MIB);
    const struct plan *plan;
    struct err err;
    err_clear(&err);
    if (plan_parse(slice_of(data, size), NULL, arena, &plan, &err) < 0) {
        assert(err.text[0] && !plan);
    } else {
        int64_t changes;
        assert(plan->person_count && plan->policy_count && plan->route_count <= PLAN_ROUTES_MAX);
        for (size_t i = 0; i < plan->schedule_count; i++)
            for (size_t k = 0; k < ARRAY_COUNT(starts); k++)
                walk(plan, &plan->schedules[i], starts[k] * NS_PER_SECOND);
        int64_t now = starts[0] * NS_PER_SECOND;
        bool night = plan_within(&plan->night, plan->zone, plan->holidays, now, &changes);
        assert(changes > now && night == (plan_began(&plan->night, plan->zone, plan->holidays, now) != 0));
        assert(!plan_route(plan, SEVERITY_LOW, SLICE("any")));
    }
    arena_free(arena);
    return 0;
}
