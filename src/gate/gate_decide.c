/* One request: seen before, in doubt, or up to the policy. In the gate's thread. */
#include "gate/gate_parts.h"

#include <sodium.h>
#include <stdlib.h>

static const struct {
    const char *row, *en, *ja;
} own_rows[] = {
    {"journal", "The gate cannot write its journal, so nothing may pass.",
     "ゲートの記録簿に書き込めないため、通過させません。"},
    {"key", "The gate has no key to sign an allow with.", "許可に付ける鍵が使えません。"},
    {"policy", "The gate has no policy that it can read, so nothing may pass. Mend the file and have it "
               "read again: POST /v1/gate/policy/reload, or SIGHUP to the server.",
     "読み取れるゲートのポリシーがないため、通過させません。ファイルを修正し、POST /v1/gate/policy/reload または"
     "サーバーへの SIGHUP で再読み込みしてください。"},
    {"unhealthy", "The engine that watches is not healthy.", "監視エンジンが正常ではありません。"},
    {"lost", "The gate missed events because memory was out; it must be started again.",
     "メモリ不足によりイベントを取りこぼしました。再起動が必要です。"},
    {"behind", "The gate has not yet seen the latest events.",
     "最新のイベントがまだゲートに届いていません。"},
    {"incidents", "The gate does not know all open incidents.",
     "未解決インシデントの一部をゲートが把握できていません。"},
    {"state", "What the gate remembers of earlier events is incomplete.",
     "過去のイベントの記憶が不完全です。"},
    {"clock", "The clock was moved, so times and expiries cannot be trusted.",
     "時計が動かされたため、時刻と有効期限を信頼できません。"},
    {"timeout", "There was no answer in time.", "時間内に回答が得られませんでした。"},
    {"busy", "Too many requests are waiting.", "待機中の要求が多すぎます。"},
    {"memory", "Memory is out.", "メモリが不足しています。"},
    {"no-row", "No row of the policy says what to do.", "該当するポリシーの行がありません。"},
    {"restored", "The request is from before this gate was restored from a backup, so it may have been decided already. Look whether it "
                 "was paid before you release it.",
     "この要求はゲートがバックアップから復元される前のものであり、既に処理された可能性があります。送金済みかどうかを確認してから解除してください。"},
    {"tightened", "Nobody answered an incident in time, so the gate is tightened until a person undoes it.",
     "インシデントに誰も応答しなかったため、担当者が解除するまでゲートを締めています。"},
    {"stopped", "What this request touches is stopped until people reopen it.",
     "この要求の対象は、担当者が再開するまで停止されています。"},
    {"payload-differs", "What would be signed is not what was asked for, so it does not pass.",
     "署名される内容が要求と異なるため、通過させません。"},
    {"expired", "The request has expired.", "要求の有効期限が切れています。"},
    {"released", "People released this hold.", "担当者が保留を解除しました。"},
};

const char *gate_decision_name(enum gate_decision decision)
{
    static const char *const names[] = {"allow", "hold", "deny"};
    return names[decision];
}

struct gate_answer own_hold(const char *row, int64_t now_ns)
{
    struct gate_answer answer = {.decision = GATE_HOLD, .row = slice_text(row), .decided_ns = now_ns};
    for (size_t i = 0; i < ARRAY_COUNT(own_rows); i++)
        if (slice_is(answer.row, own_rows[i].row)) {
            answer.reasons_en[0] = slice_text(own_rows[i].en);
            answer.reasons_ja[0] = slice_text(own_rows[i].ja);
            answer.reason_count = 1;
        }
    return answer;
}

void gate_look_at_clock(struct gate *gate)
{
    int64_t mono_ns = clock_mono_ns(gate->config.clock);
    int64_t offset_ns = clock_wall_ns(gate->config.clock) - mono_ns;
    int64_t step_ns = gate->clock_known ? llabs(offset_ns - gate->clock_offset_ns) : 0;
    if (!gate->clock_known)
        gate->steady_offset_ns = offset_ns;
    if (step_ns > CLOCK_STEP_NS)
        gate->clock_doubt_until_ns = mono_ns + CLOCK_DOUBT_NS;
    gate->clock_offset_ns = offset_ns;
    gate->clock_known = true;
}

void gate_doubt_clock_since(struct gate *gate, int64_t before_ns)
{
    if (before_ns > clock_wall_ns(gate->config.clock) + CLOCK_STEP_NS)
        gate->clock_doubt_until_ns = clock_mono_ns(gate->config.clock) + CLOCK_DOUBT_NS;
}

int64_t gate_steady_ns(const struct gate *gate)
{
    return clock_mono_ns(gate->config.clock) + gate->steady_offset_ns;
}

const char *gate_doubt(struct gate *gate)
{
    int64_t mono_ns = clock_mono_ns(gate->config.clock);
    if (gate->rehearses)
        return gate->state_failed ? "state" : NULL;
    if (!gate->journal)
        return "journal";
    if (!gate->has_key)
        return "key";
    if (!gate->policy)
        return "policy";
    if (!gate->healthy)
        return "unhealthy";
    if (gate->lost)
        return "lost";
    if (gate->behind ||
        (gate->observing && mono_ns - gate->observing->pushed_ns > OBSERVE_LAG_NS))
        return "behind";
    if (incidents_incomplete(gate->incidents))
        return "incidents";
    if (gate->state_failed)
        return "state";
    if (gate->clock_doubt_until_ns && mono_ns < gate->clock_doubt_until_ns)
        return "clock";
    return NULL;
}

const char *doubt_detail(const struct gate *gate, const char *doubt)
{
    if (strcmp(doubt, "unhealthy") == 0)
        return gate->reason;
    return strcmp(doubt, "policy") == 0 ? gate->policy_refused : "";
}

/* The hold of a doubt. */
static struct gate_answer doubtful(const struct gate *gate, const char *doubt, int64_t now_ns)
{
    struct gate_answer answer = own_hold(doubt, now_ns);
    const char *detail = doubt_detail(gate, doubt);
    if (detail[0]) {
        answer.reasons_en[1] = answer.reasons_ja[1] = slice_text(detail);
        answer.reason_count = 2;
    }
    return answer;
}

/* ---- the policy's view of a request ---- */

static bool put_text(struct batch *batch, const char *name, struct slice text)
{
    return !text.len || batch_put_text(batch, 0, name, text) == 0;
}

static bool put_value(struct batch *batch, struct slice name, struct value v)
{
    return v.type != VALUE_NULL && batch_put(batch, 0, name, v) == 0;
}

static bool put_allowed(struct gate *gate, const struct gate_request *request)
{
    struct value account_24h, asset_1h;
    allowed_read(gate->allowed, request, gate_steady_ns(gate), gate->batch->arena, &account_24h, &asset_1h);
    return put_value(gate->batch, SLICE("allowed_account_24h"), account_24h) &&
           put_value(gate->batch, SLICE("allowed_asset_1h"), asset_1h);
}

static bool put_people(struct gate *gate)
{
    return gate->people < 0 || put_value(gate->batch, SLICE("people_reachable"), value_i64(gate->people));
}

/* What of a stop the policy reads; without one stop_share is 1. */
static bool put_stop(struct batch *batch, const struct gate_stop *stop)
{
    struct decimal share = {.coefficient = stop ? stop->share : GATE_SHARE_WHOLE, .scale = 4};
    if (!put_value(batch, SLICE("stop_share"), value_decimal(decimal_trim(share), batch->arena)))
        return false;
    return !stop || (put_text(batch, "stop_scope", stop->scope) && put_text(batch, "stop_id", slice_text(stop->id)) &&
                     put_text(batch, "stop_target", stop->target) && put_text(batch, "stop_by", stop->by) &&
                     put_text(batch, "stop_reason", stop->reason));
}

bool describe_request(const struct gate_request *request, int64_t now_ns, struct batch *batch)
{
    return put_text(batch, "request.request_id", request->request_id) &&
           put_text(batch, "request.action", request->action) &&
           put_text(batch, "request.account", request->account) &&
           put_text(batch, "request.asset", request->asset) &&
           put_text(batch, "request.wallet", request->wallet) &&
           put_text(batch, "request.destination", request->destination) &&
           put_text(batch, "request.nonce", request->nonce) &&
           (!request->has_amount ||
            put_value(batch, SLICE("request.amount"),
                      value_decimal(request->amount, batch->arena))) &&
           put_value(batch, SLICE("request.at"), value_time(request->at_ns)) &&
           put_value(batch, SLICE("request.age"), value_i64((now_ns - request->at_ns) / NS_PER_SECOND));
}

static bool describe(struct gate *gate, const struct gate_request *request, struct incident_touch touch,
                     const struct gate_stop *stop, int64_t now_ns)
{
    struct batch *batch = gate->batch;
    batch_reset(batch);
    return batch_add_row(batch) && describe_request(request, now_ns, batch) && payload_describe(gate, request) &&
           put_allowed(gate, request) && put_people(gate) && put_stop(batch, stop) && put_text(batch, "incident_id", touch.id) &&
           put_text(batch, "incident_severity", slice_text(severity_name(touch.severity))) &&
           put_value(batch, SLICE("incident_rank"), value_i64(touch.severity));
}

/* As truth values, which fields of an event are not. */
static bool find_truth(void *context, struct slice name, struct value_list *out)
{
    static const struct value off = {.type = VALUE_BOOL}, on = {.type = VALUE_BOOL, .boolean = true};
    const struct gate *gate = context;
    bool tightened = slice_is(name, "tightened");
    if (payload_find(gate, name, out))
        return true;
    if (!tightened && !slice_is(name, "nobody_reachable"))
        return false;
    *out = (struct value_list){(tightened ? gate->tightening.on : gate->unreachable) ? &on : &off, 1};
    return true;
}

struct gate_answer answer_of(const struct policy_verdict *verdict, int64_t now_ns)
{
    if (!verdict->row)
        return own_hold("no-row", now_ns);
    struct gate_answer answer = {.decision = verdict->decision, .row = verdict->row->name, .decided_ns = now_ns};
    if (verdict->reason_en.len) {
        answer.reasons_en[answer.reason_count] = verdict->reason_en;
        answer.reasons_ja[answer.reason_count++] = verdict->reason_ja;
    }
    if (verdict->unknown) {
        answer.reasons_en[answer.reason_count] = SLICE("Something this row depends on is not known, so it holds.");
        answer.reasons_ja[answer.reason_count++] = SLICE("この行の判断に必要な値が不明なため、保留します。");
    }
    return answer;
}

bool describe_all(struct gate *gate, const struct gate_request *request, const struct touched *touched, int64_t now_ns,
                  struct expr_scope *scope)
{
    *scope = (struct expr_scope){.scratch = gate->scratch,
                                 .now_ns = now_ns,
                                 .clock = gate->config.clock,
                                 .zone = gate->policy->zone,
                                 .state = state_read,
                                 .state_context = gate->state,
                                 .bound = find_truth,
                                 .bound_context = gate};
    arena_reset(gate->scratch);
    return describe(gate, request, touched->incident, touched->stop, now_ns);
}

static int ask_policy(struct gate *gate, const struct gate_request *request, const struct touched *touched, int64_t now_ns,
                      struct gate_answer *answer, uint32_t *approvals)
{
    struct err err;
    struct policy_verdict verdict;
    struct expr_scope scope, listening;
    if (!describe_all(gate, request, touched, now_ns, &scope))
        return -1;
    gate_inputs_columns(&gate->inputs, gate->batch);
    gate_inputs_listen(&gate->inputs, &scope, &listening);
    if (policy_decide(gate->policy, &listening, gate->batch, &verdict, &err) < 0)
        return -1;
    if (verdict.row)
        *approvals = verdict.row->approvals;
    *answer = answer_of(&verdict, now_ns);
    return 0;
}

/* ---- answers ---- */

bool gate_request_expired(const struct gate_request *request, int64_t now_ns)
{
    return request->expiry_ns && now_ns >= request->expiry_ns;
}

struct gate_answer own_answer(enum gate_how how, int64_t now_ns)
{
    struct gate_answer answer = own_hold(how == HOW_EXPIRED ? "expired" : how == HOW_PAYLOAD ? "payload-differs" : "released", now_ns);
    answer.decision = how == HOW_RELEASED ? GATE_ALLOW : GATE_DENY;
    return answer;
}

struct gate_answer closed_further(const struct policy *policy, const struct gate_request *request, struct gate_answer answer,
                                  unsigned flags, struct arena *scratch)
{
    bool tightened = flags & INPUT_TIGHTENED, stopped = flags & INPUT_STOPPED;
    if (answer.decision == GATE_ALLOW && payload_forbids(policy, request, answer.row, scratch))
        return own_answer(HOW_PAYLOAD, answer.decided_ns);
    if (tightened && answer.decision == GATE_ALLOW && !policy->reads_tightened)
        return own_hold("tightened", answer.decided_ns);
    if (stopped && answer.decision == GATE_ALLOW && !policy->reads_stopped)
        return own_hold("stopped", answer.decided_ns);
    return answer;
}

/* What the answer will be made from; the flags. */
static unsigned begin_inputs(struct gate *gate, enum gate_how how, const struct gate_stop *stop)
{
    unsigned flags = (gate->shadow ? INPUT_SHADOW : 0) | (gate->tightening.on ? INPUT_TIGHTENED : 0) | (stop ? INPUT_STOPPED : 0);
    gate_inputs_begin(&gate->inputs, how, flags, gate->policy);
    return flags;
}

/* In shadow nothing is held: the answer keeps its row and reasons, and lets pass. */
void only_say(struct gate_answer *answer)
{
    if (answer->decision == GATE_ALLOW)
        return;
    answer->shadow = true;
    answer->decision = GATE_ALLOW;
}

static void finish(struct gate *gate, const struct gate_request *request,
                   const unsigned char digest[REQUEST_DIGEST_SIZE], struct gate_answer *answer,
                   char token[GATE_TOKEN_SIZE])
{
    sodium_bin2hex(answer->id, sizeof(answer->id), digest, 16);
    answer->at_ns = request->at_ns;
    if (gate->policy)
        answer->policy_version = gate->policy->version;
    if (gate->shadow)
        only_say(answer);
    if (answer->decision != GATE_ALLOW || !gate->has_key)
        return;
    int64_t expiry_ns = answer->decided_ns + GATE_TOKEN_LIFE_NS;
    if (request->expiry_ns && request->expiry_ns < expiry_ns)
        expiry_ns = request->expiry_ns;
    answer->token = slice_of(token, token_make(&gate->key, request, expiry_ns, token));
    answer->token_expiry_ns = expiry_ns;
}

void count_allowed(struct gate *gate, const struct gate_request *request, int64_t time_ns)
{
    struct err err;
    if (allowed_add(gate->allowed, request, time_ns, &err) < 0)
        gate->state_failed = true;
}

static void count(struct gate *gate, const struct gate_request *request,
                  const struct gate_answer *answer, enum gate_decision would_be)
{
    gate->stats.shadow_held += answer->shadow && would_be == GATE_HOLD;
    gate->stats.shadow_denied += answer->shadow && would_be == GATE_DENY;
    if (answer->decision == GATE_ALLOW)
        count_allowed(gate, request, gate_steady_ns(gate));
    gate->stats.decisions++;
    gate->stats.allowed += answer->decision == GATE_ALLOW;
    gate->stats.held += answer->decision == GATE_HOLD;
    gate->stats.denied += answer->decision == GATE_DENY;
}

/* An answer that could not be kept must not be an allow. */
static void not_kept(struct asked *asked, int64_t now_ns)
{
    asked->answer = own_hold("memory", now_ns);
    asked->record = NULL;
}

struct touched what_touches(const struct gate *gate, const struct gate_request *request)
{
    return (struct touched){incidents_touching(gate->incidents, request), stops_touching(gate->stops, gate->policy, request)};
}

struct gate_answer judge(struct gate *gate, const struct gate_request *request, int64_t now_ns, uint32_t *approvals)
{
    const struct touched touched = what_touches(gate, request);
    const char *doubt = gate_doubt(gate);
    struct gate_answer answer;
    *approvals = 2;
    if (doubt) {
        (void)begin_inputs(gate, HOW_DOUBT, touched.stop);
        answer = doubtful(gate, doubt, now_ns);
    } else if (gate_request_expired(request, now_ns)) {
        (void)begin_inputs(gate, HOW_EXPIRED, touched.stop);
        answer = own_answer(HOW_EXPIRED, now_ns);
    } else if (identity_is_older(&gate->identity, request)) {
        (void)begin_inputs(gate, HOW_DOUBT, touched.stop);
        answer = own_hold("restored", now_ns);
    } else {
        unsigned flags = begin_inputs(gate, HOW_POLICY, touched.stop);
        if (ask_policy(gate, request, &touched, now_ns, &answer, approvals) == 0) {
            answer = closed_further(gate->policy, request, answer, flags, gate->batch->arena);
        } else {
            (void)begin_inputs(gate, HOW_DOUBT, touched.stop);
            answer = own_hold("policy", now_ns);
        }
    }
    answer.incident = touched.incident.id;
    return answer;
}

static void decide_fresh(struct gate *gate, struct asked *asked, const unsigned char digest[REQUEST_DIGEST_SIZE],
                         int64_t now_ns)
{
    const struct gate_request *request = &asked->request;
    char token[GATE_TOKEN_SIZE];
    uint32_t approvals;
    struct gate_answer answer = judge(gate, request, now_ns, &approvals);
    enum gate_decision would_be = answer.decision;
    finish(gate, request, digest, &answer, token);
    if (answer.decision == GATE_ALLOW && !answer.token.len && !answer.shadow)
        answer = own_hold("key", now_ns);
    if (buffer_failed(&gate->inputs.bytes)) { /* what cannot be said later must not pass */
        not_kept(asked, now_ns);
        return;
    }
    asked->record = book_add(gate->book, request, digest, &answer, approvals);
    if (!asked->record) {
        not_kept(asked, now_ns);
        return;
    }
    asked->fresh = true;
    book_encode_answer(asked->record, request->payload, buffer_slice(&gate->inputs.bytes), &gate->payload);
    count(gate, &asked->request, &answer, would_be);
}

/* People have let it go: once asked again it may pass, unless something is in doubt right now. */
static void decide_released(struct gate *gate, struct arena *arena, struct asked *asked, int64_t now_ns)
{
    struct record *record = asked->record;
    const char *doubt = gate_doubt(gate);
    const struct gate_stop *stop = stops_touching(gate->stops, gate->policy, &record->request);
    char token[GATE_TOKEN_SIZE];
    if (!doubt && stop && stop->share == 0 && stop->changed_ns >= record->answer.decided_ns)
        doubt = "stopped"; /* later than what people let go */
    if (doubt && !gate->shadow) {
        struct gate_answer answer = doubtful(gate, doubt, now_ns);
        memcpy(answer.id, record->answer.id, sizeof(record->answer.id));
        answer.at_ns = record->request.at_ns;
        not_kept(asked, now_ns);
        if (gate_answer_copy(arena, &answer)) /* its texts may change under the caller */
            asked->answer = answer;
        return;
    }
    enum gate_how how = gate_request_expired(&record->request, now_ns) ? HOW_EXPIRED : HOW_RELEASED;
    if (how == HOW_RELEASED && payload_forbids(gate->policy, &record->request, record->answer.row, gate->batch->arena))
        how = HOW_PAYLOAD;
    struct gate_answer answer = own_answer(how, now_ns);
    answer.incident = record->answer.incident;
    enum gate_decision would_be = answer.decision;
    (void)begin_inputs(gate, how, stop);
    finish(gate, &record->request, record->digest, &answer, token);
    bool unsigned_allow = answer.decision == GATE_ALLOW && !answer.token.len && !answer.shadow;
    if (unsigned_allow || book_answer(gate->book, record, &answer) < 0) {
        not_kept(asked, now_ns);
        return;
    }
    asked->fresh = true;
    book_encode_answer(record, record->request.payload, buffer_slice(&gate->inputs.bytes), &gate->payload);
    count(gate, &asked->request, &answer, would_be);
}

static const struct err *conflict(const struct gate_request *request, struct arena *arena)
{
    static const struct err out_of_memory = {.code = ERR_NOMEM, .text = "out of memory"};
    struct err *err = arena_calloc(arena, sizeof(*err));
    if (!err)
        return &out_of_memory;
    (void)err_set(err, ERR_CONFLICT, "the request_id %.*s was used for another request", SLICE_ARG(request->request_id));
    return err;
}

void decide(struct gate *gate, struct arena *arena, struct asked *asked)
{
    unsigned char digest[REQUEST_DIGEST_SIZE];
    int64_t now_ns = clock_wall_ns(gate->config.clock);
    asked->record = book_find(gate->book, asked->request.request_id);
    if (asked->record && asked->at_filled) /* asked again: the time it said then, or was given */
        asked->request.at_ns = asked->record->request.at_ns;
    if (!request_digest(&asked->request, digest)) {
        not_kept(asked, now_ns);
        return;
    }
    if (!asked->record) {
        decide_fresh(gate, asked, digest, now_ns);
    } else if (memcmp(asked->record->digest, digest, sizeof(digest)) != 0) {
        asked->record = NULL;
        asked->err = conflict(&asked->request, arena);
    } else if (asked->record->answer.decision == GATE_HOLD && record_released(asked->record)) {
        decide_released(gate, arena, asked, now_ns);
    }
}
