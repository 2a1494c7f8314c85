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
    {"tightened", "Nobody answered an incident in time, so the gate is tightened until a person undoes it.",
     "インシデントに誰も応答しなかったため、担当者が解除するまでゲートを締めています。"},
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
    if (step_ns > CLOCK_STEP_NS)
        gate->clock_doubt_until_ns = mono_ns + CLOCK_DOUBT_NS;
    gate->clock_offset_ns = offset_ns;
    gate->clock_known = true;
}

const char *gate_doubt(struct gate *gate)
{
    int64_t mono_ns = clock_mono_ns(gate->config.clock);
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

static bool put_allowed(struct gate *gate, const struct gate_request *request, int64_t now_ns)
{
    struct value account_24h, asset_1h;
    allowed_read(gate->allowed, request, now_ns, gate->batch->arena, &account_24h, &asset_1h);
    return put_value(gate->batch, SLICE("allowed_account_24h"), account_24h) &&
           put_value(gate->batch, SLICE("allowed_asset_1h"), asset_1h);
}

static bool describe(struct gate *gate, const struct gate_request *request,
                     struct incident_touch touch, int64_t now_ns)
{
    struct batch *batch = gate->batch;
    batch_reset(batch);
    if (!batch_add_row(batch))
        return false;
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
           put_value(batch, SLICE("request.age"),
                     value_i64((now_ns - request->at_ns) / NS_PER_SECOND)) &&
           put_allowed(gate, request, now_ns) && put_text(batch, "incident_id", touch.id) &&
           put_text(batch, "incident_severity", slice_text(severity_name(touch.severity))) &&
           put_value(batch, SLICE("incident_rank"), value_i64(touch.severity));
}

/* As a truth value, which a field of an event is not. */
static bool find_tightened(void *context, struct slice name, struct value_list *out)
{
    static const struct value off = {.type = VALUE_BOOL}, on = {.type = VALUE_BOOL, .boolean = true};
    const struct gate *gate = context;
    *out = (struct value_list){gate->tightening.on ? &on : &off, 1};
    return slice_is(name, "tightened");
}

static int ask_policy(struct gate *gate, const struct gate_request *request,
                      struct incident_touch touch, int64_t now_ns, struct gate_answer *answer,
                      uint32_t *approvals)
{
    struct err err;
    struct policy_verdict verdict;
    struct expr_scope scope = {.scratch = gate->scratch,
                               .now_ns = now_ns,
                               .clock = gate->config.clock,
                               .state = state_read,
                               .state_context = gate->state,
                               .bound = find_tightened,
                               .bound_context = gate};
    arena_reset(gate->scratch);
    if (!describe(gate, request, touch, now_ns) ||
        policy_decide(gate->policy, &scope, gate->batch, &verdict, &err) < 0)
        return -1;
    if (!verdict.row) {
        *answer = own_hold("no-row", now_ns);
        return 0;
    }
    *approvals = verdict.row->approvals;
    *answer = (struct gate_answer){.decision = verdict.decision,
                                   .row = verdict.row->name,
                                   .decided_ns = now_ns};
    if (verdict.reason_en.len) {
        answer->reasons_en[answer->reason_count] = verdict.reason_en;
        answer->reasons_ja[answer->reason_count++] = verdict.reason_ja;
    }
    if (verdict.unknown) {
        answer->reasons_en[answer->reason_count] =
            SLICE("Something this row depends on is not known, so it holds.");
        answer->reasons_ja[answer->reason_count++] =
            SLICE("この行の判断に必要な値が不明なため、保留します。");
    }
    return 0;
}

/* ---- answers ---- */

static bool is_expired(const struct gate_request *request, int64_t now_ns)
{
    return request->expiry_ns && now_ns >= request->expiry_ns;
}

static void finish(struct gate *gate, const struct gate_request *request,
                   const unsigned char digest[REQUEST_DIGEST_SIZE], struct gate_answer *answer,
                   char token[GATE_TOKEN_SIZE])
{
    sodium_bin2hex(answer->id, sizeof(answer->id), digest, 16);
    answer->at_ns = request->at_ns;
    if (gate->policy) {
        answer->policy_version = gate->policy->version;
        if (gate->policy->shadow && answer->decision != GATE_ALLOW) {
            answer->shadow = true;
            answer->decision = GATE_ALLOW;
        }
    }
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
                  const struct gate_answer *answer)
{
    if (answer->decision == GATE_ALLOW)
        count_allowed(gate, request, answer->decided_ns);
    gate->stats.decisions++;
    gate->stats.allowed += answer->decision == GATE_ALLOW;
    gate->stats.held += answer->decision == GATE_HOLD;
    gate->stats.denied += answer->decision == GATE_DENY;
}

/* An answer that could not be kept must not be an allow. */
static void not_kept(struct message *message, int64_t now_ns)
{
    message->answer = own_hold("memory", now_ns);
    message->record = NULL;
}

static void decide_fresh(struct gate *gate, struct message *message,
                         const unsigned char digest[REQUEST_DIGEST_SIZE], int64_t now_ns)
{
    const struct gate_request *request = &message->request;
    const char *doubt = gate_doubt(gate);
    struct incident_touch touch = incidents_touching(gate->incidents, request);
    char token[GATE_TOKEN_SIZE];
    uint32_t approvals = 2;
    struct gate_answer answer;
    if (doubt) {
        answer = doubtful(gate, doubt, now_ns);
    } else if (is_expired(request, now_ns)) {
        answer = own_hold("expired", now_ns);
        answer.decision = GATE_DENY;
    } else if (ask_policy(gate, request, touch, now_ns, &answer, &approvals) < 0) {
        answer = own_hold("policy", now_ns);
    }
    if (gate->tightening.on && answer.decision == GATE_ALLOW && !gate->policy->reads_tightened)
        answer = own_hold("tightened", now_ns);
    answer.incident = touch.id;
    finish(gate, request, digest, &answer, token);
    if (answer.decision == GATE_ALLOW && !answer.token.len)
        answer = own_hold("key", now_ns);
    message->record = book_add(gate->book, request, digest, &answer, approvals);
    if (!message->record) {
        not_kept(message, now_ns);
        return;
    }
    message->fresh = true;
    book_encode_answer(message->record, &gate->payload);
    count(gate, &message->request, &answer);
}

/* People have let it go: once asked again it may pass, unless something is in doubt right now. */
static void decide_released(struct gate *gate, struct message *message, int64_t now_ns)
{
    struct record *record = message->record;
    const char *doubt = gate_doubt(gate);
    char token[GATE_TOKEN_SIZE];
    if (doubt) {
        struct gate_answer answer = doubtful(gate, doubt, now_ns);
        memcpy(answer.id, record->answer.id, sizeof(record->answer.id));
        answer.at_ns = record->request.at_ns;
        not_kept(message, now_ns);
        if (gate_answer_copy(message->arena, &answer)) /* its texts may change under the caller */
            message->answer = answer;
        return;
    }
    struct gate_answer answer = own_hold("released", now_ns);
    answer.decision = GATE_ALLOW;
    answer.incident = record->answer.incident;
    if (is_expired(&record->request, now_ns)) {
        answer = own_hold("expired", now_ns);
        answer.decision = GATE_DENY;
    }
    finish(gate, &record->request, record->digest, &answer, token);
    bool unsigned_allow = answer.decision == GATE_ALLOW && !answer.token.len;
    if (unsigned_allow || book_answer(gate->book, record, &answer) < 0) {
        not_kept(message, now_ns);
        return;
    }
    message->fresh = true;
    book_encode_answer(record, &gate->payload);
    count(gate, &message->request, &answer);
}

void decide_message(struct gate *gate, struct message *message)
{
    unsigned char digest[REQUEST_DIGEST_SIZE];
    int64_t now_ns = clock_wall_ns(gate->config.clock);
    message->record = book_find(gate->book, message->request.request_id);
    if (message->record && message->at_filled) /* asked again: the time it said then, or was given */
        message->request.at_ns = message->record->request.at_ns;
    if (!request_digest(&message->request, digest)) {
        not_kept(message, now_ns);
        return;
    }
    if (!message->record) {
        decide_fresh(gate, message, digest, now_ns);
    } else if (memcmp(message->record->digest, digest, sizeof(digest)) != 0) {
        message->record = NULL;
        message->result = err_set(&message->err, ERR_CONFLICT,
                                  "the request_id %.*s was used for another request",
                                  SLICE_ARG(message->request.request_id));
    } else if (message->record->answer.decision == GATE_HOLD && record_released(message->record)) {
        decide_released(gate, message, now_ns);
    }
}
