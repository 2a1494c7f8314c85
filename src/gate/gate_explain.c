/* Why: what each row of the policy makes of a request right now. Nothing is decided and nothing recorded. */
#include "gate/gate_parts.h"

struct question {
    struct gate_request request;
    struct arena *arena; /* the caller's, who waits */
    struct gate_explained *out;
};

/* The answer's texts are the policy's and the scratch's, so they are copied before the rows use it. */
static int explain(struct gate *gate, struct message *message, struct err *err)
{
    struct question *question = message->detail;
    struct gate_explained *out = question->out;
    int64_t now_ns = clock_wall_ns(gate->config.clock);
    struct expr_scope scope;
    uint32_t approvals;
    if (question->request.at_ns == 0)
        question->request.at_ns = now_ns;
    gate_look_at_clock(gate);
    out->answer = judge(gate, &question->request, now_ns, &approvals);
    out->answer.at_ns = question->request.at_ns;
    if (gate->policy)
        out->answer.policy_version = gate->policy->version;
    if (gate->shadow)
        only_say(&out->answer);
    if (!gate_answer_copy(question->arena, &out->answer))
        return err_nomem(err);
    out->decided_before = book_find(gate->book, question->request.request_id) != NULL;
    if (!gate->policy)
        return 0;
    out->row_count = gate->policy->row_count;
    out->rows = arena_array(question->arena, out->row_count, sizeof(*out->rows));
    const struct touched touched = what_touches(gate, &question->request);
    if (!out->rows || !describe_all(gate, &question->request, &touched, now_ns, &scope))
        return err_nomem(err);
    return policy_explain(gate->policy, &scope, gate->batch, question->arena, out->rows, err);
}

int gate_explain(struct gate *gate, const struct gate_request *request, struct arena *arena, struct gate_explained *out,
                 struct err *err)
{
    struct question question = {.request = *request, .arena = arena, .out = out};
    *out = (struct gate_explained){0};
    if (check_request(request, err) < 0)
        return -1;
    return message_call(gate, explain, &question, sizeof(question), err);
}

/* ---- the policy itself ---- */

struct text_wanted {
    struct arena *arena; /* the caller's, who waits */
    struct slice text;
};

static int copy_source(struct gate *gate, struct message *message, struct err *err)
{
    struct text_wanted *wanted = message->detail;
    if (!gate->policy)
        return err_set(err, ERR_NOT_FOUND, "no policy is in force: %s", gate->policy_refused);
    wanted->text = arena_copy(wanted->arena, gate->policy->text);
    return wanted->text.ptr ? 0 : err_nomem(err);
}

int gate_policy_text(struct gate *gate, struct arena *arena, struct slice *out, struct err *err)
{
    struct text_wanted wanted = {.arena = arena};
    int result = message_call(gate, copy_source, &wanted, sizeof(wanted), err);
    *out = wanted.text;
    return result;
}
