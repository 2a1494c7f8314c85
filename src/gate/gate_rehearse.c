#include "gate/gate_rehearse.h"

#include "base/limits.h"
#include "base/mem.h"
#include "gate/gate_parts.h"

enum { SOURCES = REHEARSAL_FINDINGS + 1 };

struct taking { /* a batch: which of its rows the state wants */
    struct arena *arena;
    const struct batch *batch;
    struct state_feed_rows feeds;
};

struct rehearsal {
    struct clock_manual clock;
    struct gate *gate;
    struct taking taking[SOURCES];
};

static bool make_arenas(struct rehearsal *rehearsal)
{
    bool made = true;
    for (size_t i = 0; i < SOURCES; i++)
        made &= (rehearsal->taking[i].arena = arena_new(64 * MIB)) != NULL;
    return made;
}

int rehearsal_open(const char *name, struct slice policy, const struct state_definitions *state, struct rehearsal **out, struct err *err)
{
    struct rehearsal *rehearsal = mem_calloc(1, sizeof(*rehearsal));
    *out = NULL;
    if (!rehearsal)
        return err_nomem(err);
    clock_manual_init(&rehearsal->clock, 0);
    const struct gate_config config = {.dir = "", .policy_path = name, .policy_text = policy, .mode = GATE_MODE_ENFORCE, .state = state,
                                       .clock = &rehearsal->clock.clock};
    if (!make_arenas(rehearsal) ? err_nomem(err) < 0 : gate_new(&config, &rehearsal->gate, err) < 0) {
        rehearsal_close(rehearsal);
        return -1;
    }
    rehearsal->gate->rehearses = true;
    gate_look_at_clock(rehearsal->gate);
    policy_start(rehearsal->gate);
    if (!rehearsal->gate->policy) {
        err_set(err, ERR_CONFIG, "%s", rehearsal->gate->policy_refused);
        rehearsal_close(rehearsal);
        return -1;
    }
    *out = rehearsal;
    return 0;
}

void rehearsal_close(struct rehearsal *rehearsal)
{
    if (!rehearsal)
        return;
    gate_stop(rehearsal->gate);
    for (size_t i = 0; i < SOURCES; i++)
        arena_free(rehearsal->taking[i].arena);
    mem_free(rehearsal);
}

void rehearsal_reach(struct rehearsal *rehearsal, int64_t time_ns)
{
    if (time_ns > rehearsal->clock.wall_ns)
        clock_manual_advance(&rehearsal->clock, time_ns - rehearsal->clock.wall_ns);
}

int64_t rehearsal_now(const struct rehearsal *rehearsal)
{
    return rehearsal->clock.wall_ns;
}

int rehearsal_begin(struct rehearsal *rehearsal, enum rehearsal_source source, const struct batch *batch, struct err *err)
{
    struct taking *taking = &rehearsal->taking[source];
    struct expr_scope scope = {.scratch = taking->arena, .clock = &rehearsal->clock.clock};
    arena_reset(taking->arena);
    taking->batch = batch;
    return state_select(rehearsal->gate->config.state, &scope, batch, &taking->feeds, err);
}

int rehearsal_observe(struct rehearsal *rehearsal, enum rehearsal_source source, uint32_t row, struct err *err)
{
    struct gate *gate = rehearsal->gate;
    const struct taking *taking = &rehearsal->taking[source];
    int64_t time_ns = taking->batch->rows[row].time_ns;
    struct expr_scope scope = {.scratch = gate->scratch, .now_ns = time_ns, .state = state_read, .state_context = gate->state};
    if (!bits_get(taking->feeds.any, row))
        return 0;
    arena_reset(gate->scratch);
    return state_observe(gate->state, &scope, taking->batch, row, time_ns, &taking->feeds, err);
}

int rehearsal_stop(struct rehearsal *rehearsal, struct slice scope, struct slice target, struct slice by, uint32_t share,
                   struct err *err)
{
    int64_t now_ns = rehearsal->clock.wall_ns;
    struct gate_stop stop = {.scope = scope, .target = slice_is(scope, "all") ? SLICE("") : target, .cause = SLICE(""), .by = by,
                             .reason = by, .share = share, .since_ns = now_ns, .changed_ns = now_ns};
    gate_stop_id(&stop);
    return stops_add(rehearsal->gate->stops, &stop) ? 0 : err_nomem(err);
}

void rehearsal_ask(struct rehearsal *rehearsal, const struct gate_request *request, struct gate_answer *out)
{
    struct gate *gate = rehearsal->gate;
    uint32_t approvals;
    *out = judge(gate, request, rehearsal->clock.wall_ns, &approvals);
    if (out->decision == GATE_ALLOW)
        count_allowed(gate, request, gate_steady_ns(gate));
}

struct slice rehearsal_version(const struct rehearsal *rehearsal)
{
    return rehearsal->gate->policy->version;
}
