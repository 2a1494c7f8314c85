/* A policy file: refused with a sentence, or it decides; what cannot be decided is never an allow. */
#include "base/limits.h"
#include "gate/policy.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool nothing_known(void *context, struct slice table, struct slice key,
                          struct slice field, int64_t now_ns, struct arena *arena, struct value_list *out)
{
    (void)context, (void)table, (void)key, (void)field, (void)now_ns, (void)arena, (void)out;
    return false;
}

static void decide(const struct policy *policy, struct arena *arena)
{
    struct err err;
    struct policy_verdict verdict;
    struct expr_scope scope = {.scratch = arena, .now_ns = 1, .state = nothing_known};
    struct batch *batch = batch_new(8 * MIB);
    assert(batch && batch_add_row(batch));
    if (batch_put_text(batch, 0, "request.action", SLICE("withdrawal")) == 0 &&
        batch_put_text(batch, 0, "request.asset", SLICE("XEM")) == 0 &&
        batch_put(batch, 0, SLICE("request.amount"), value_i64(5)) == 0 &&
        policy_decide(policy, &scope, batch, &verdict, &err) == 0) {
        assert(verdict.row || verdict.decision == GATE_HOLD);
        assert(!verdict.unknown || verdict.decision == GATE_HOLD);
        assert(verdict.decision != GATE_ALLOW || verdict.row->effect == GATE_ALLOW);
    }
    batch_free(batch);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena *arena = arena_new(256 * MIB);
    const struct policy *policy;
    struct err err;
    err_clear(&err);
    if (policy_parse(slice_of(data, size), arena, &policy, &err) < 0) {
        assert(err.text[0] && !policy);
    } else {
        assert(policy->version.len && policy->row_count > 0);
        for (size_t i = 0; i < policy->row_count; i++)
            assert(policy->rows[i].approvals >= 1 && policy->rows[i].approvals <= APPROVALS_MAX);
        for (size_t i = 0; i < policy->approver_count; i++)
            assert(policy_approver_find(policy, policy->approvers[i].name));
        decide(policy, arena);
    }
    arena_free(arena);
    return 0;
}
