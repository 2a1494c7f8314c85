#include "serve/cosigner.h"

#include "base/json.h"
#include "base/limits.h"
#include "base/mem.h"
#include "net/jws.h"
#include "net/rsa_verify.h"

#include <ctype.h>

enum { CLOCK_AHEAD_S = 60, OUR_BYTES_MAX = 16 * 1024 };

struct cosigner {
    const struct cosigner_settings *settings;
    struct rsa_public *keys[COSIGNER_KEYS_MAX];
};

/* ---- keys ---- */

static int try_private_key(struct slice pem, struct err *err)
{
    struct buffer signature;
    buffer_init(&signature, OUR_BYTES_MAX);
    int result = jws_sign_rs256(pem, SLICE("{}"), SLICE("{}"), &signature, err);
    buffer_close(&signature);
    return result < 0 ? err_within(err, "fireblocks: private_key") : 0;
}

int cosigner_open(const struct cosigner_settings *settings, struct cosigner **out, struct err *err)
{
    *out = NULL;
    struct cosigner *made = mem_calloc(1, sizeof(*made));
    if (!made)
        return err_nomem(err);
    made->settings = settings;
    int result = try_private_key(settings->private_key, err);
    for (size_t i = 0; result == 0 && i < settings->key_count; i++)
        if (rsa_public_read(settings->public_keys[i], &made->keys[i], err) < 0)
            result = err_within(err, "fireblocks: public_key");
    if (result < 0) {
        cosigner_close(made);
        return -1;
    }
    *out = made;
    return 0;
}

void cosigner_close(struct cosigner *cosigner)
{
    if (!cosigner)
        return;
    for (size_t i = 0; i < COSIGNER_KEYS_MAX; i++)
        rsa_public_free(cosigner->keys[i]);
    mem_free(cosigner);
}

/* ---- who asks, and when ---- */

/* The algorithm is the keys'; a head that says another, or that something in it must be understood, is refused unread. */
static int check_head(struct slice text, struct arena *arena, struct err *err)
{
    const struct json_node *head;
    if (json_tree_parse(text, arena, &head, err) < 0)
        return err_set(err, ERR_DENIED, "the head of the question is no JSON");
    if (!slice_is(json_text_of(json_get(head, "alg"), SLICE("")), "RS256"))
        return err_set(err, ERR_DENIED, "the question is not signed by RS256");
    return json_get(head, "crit") ? err_set(err, ERR_DENIED, "the head of the question asks for an extension") : 0;
}

static int check_signature(const struct cosigner *cosigner, const struct jws *jws, struct err *err)
{
    for (size_t i = 0; i < cosigner->settings->key_count; i++)
        if (rsa_verify_sha256(cosigner->keys[i], jws->signed_part, jws->signature, err) == 0)
            return 0;
    return err_set(err, ERR_DENIED, "the question is not signed by a co-signer of the configuration");
}

/* Seconds since 1970 of a claim; false: it is there and no such number. */
static bool take_seconds(const struct json_node *claims, const char *name, double *out, bool *there)
{
    const struct json_node *node = json_get(claims, name);
    *there = node && node->kind != JSON_NULL;
    return !*there || (node->kind == JSON_NUMBER && slice_to_f64(node->text, out));
}

static int check_times(const struct cosigner *cosigner, const struct json_node *claims, int64_t now_ns, struct err *err)
{
    double now = (double)now_ns / (double)NS_PER_SECOND, iat = 0, exp = 0, nbf = 0;
    double most = (double)cosigner->settings->max_age_ns / (double)NS_PER_SECOND;
    bool has_iat, has_exp, has_nbf;
    if (!take_seconds(claims, "iat", &iat, &has_iat) || !take_seconds(claims, "exp", &exp, &has_exp) ||
        !take_seconds(claims, "nbf", &nbf, &has_nbf))
        return err_set(err, ERR_DENIED, "a time of the question is no number");
    if (has_exp && exp <= now)
        return err_set(err, ERR_DENIED, "the question has expired");
    if ((has_iat && iat > now + CLOCK_AHEAD_S) || (has_nbf && nbf > now + CLOCK_AHEAD_S))
        return err_set(err, ERR_DENIED, "the question is of the future");
    if (most > 0 && (!has_iat || iat < now - most))
        return err_set(err, ERR_DENIED, "the question does not say when it was made, or is older than max_age");
    return 0;
}

int cosigner_claims(const struct cosigner *cosigner, struct slice token, int64_t now_ns, struct arena *arena,
                    const struct json_node **out, struct err *err)
{
    struct jws jws;
    token = slice_trim(token);
    if (token.len > COSIGNER_TOKEN_BYTES_MAX)
        return err_set(err, ERR_LIMIT, "a question has at most %zu bytes", (size_t)COSIGNER_TOKEN_BYTES_MAX);
    if (jws_split(token, arena, &jws, err) < 0)
        return err->code == ERR_INPUT ? err_set(err, ERR_DENIED, "the question is no JWT") : -1;
    if (check_head(jws.head, arena, err) < 0 || check_signature(cosigner, &jws, err) < 0)
        return -1;
    if (json_tree_parse(jws.payload, arena, out, err) < 0 || (*out)->kind != JSON_OBJECT)
        return err_set(err, ERR_INPUT, "the claims of the question are no JSON object");
    return check_times(cosigner, *out, now_ns, err);
}

/* ---- what they ask ---- */

static struct slice claim(const struct json_node *claims, const char *name)
{
    return json_text_of(json_get(claims, name), SLICE_NONE);
}

static struct slice our_asset(const struct cosigner *cosigner, struct slice theirs)
{
    const struct cosigner_settings *settings = cosigner->settings;
    for (size_t i = 0; i < settings->asset_count; i++)
        if (slice_equal(settings->assets[i].theirs, theirs))
            return settings->assets[i].ours;
    return theirs;
}

/* A transfer is a withdrawal; anything else has a name that no row takes for something harmless. */
static struct slice action_of(const struct json_node *claims, struct arena *arena)
{
    struct slice operation = json_text_of(json_get(claims, "operation"), SLICE("TRANSFER"));
    if (slice_is(operation, "TRANSFER"))
        return SLICE("withdrawal");
    char *text = arena_string(arena, operation);
    for (char *c = text; c && *c; c++)
        *c = (char)tolower((unsigned char)*c);
    return text ? arena_printf(arena, "sign_%s", text) : SLICE_NONE;
}

/* "VAULT/3", or only the kind. */
static struct slice place(struct slice kind, struct slice id, struct arena *arena)
{
    return kind.len && id.len ? arena_printf(arena, "%.*s/%.*s", SLICE_ARG(kind), SLICE_ARG(id)) : kind;
}

/* As text where there is one: a number may have lost digits on their side. */
static bool take_amount(const struct json_node *node, const char *text_name, const char *number_name, struct gate_request *out)
{
    const struct json_node *amount = json_get(node, text_name);
    if (!amount || amount->kind == JSON_NULL)
        amount = json_get(node, number_name);
    if (!amount || amount->kind == JSON_NULL)
        return true;
    out->has_amount = true;
    return (amount->kind == JSON_STRING || amount->kind == JSON_NUMBER) && decimal_parse(amount->text, &out->amount);
}

static int bad_amount(struct err *err)
{
    return err_set(err, ERR_INPUT, "an amount of the question is no number of at most 38 digits");
}

/* What all destinations of a transaction share. The bytes that will be signed are in claims.rawTx (a list of {rawTx, payload}, only
 * when it is about signing): a request that has room for them takes them here. Such a request needs an id of its own, because an
 * approval of the same transaction may have been asked for before, without them. */
static struct gate_request common(const struct cosigner *cosigner, const struct json_node *claims, struct arena *arena)
{
    return (struct gate_request){.request_id = claim(claims, "requestId"),
                                 .action = action_of(claims, arena),
                                 .account = claim(claims, "customerRefId"),
                                 .asset = our_asset(cosigner, claim(claims, "asset")),
                                 .wallet = place(claim(claims, "sourceType"), claim(claims, "sourceId"), arena),
                                 .nonce = claim(claims, "externalTxId")};
}

static int ask_one(const struct json_node *claims, struct arena *arena, struct gate_request *out, struct err *err)
{
    struct slice address = claim(claims, "destAddress");
    out->destination = address.len ? address : place(claim(claims, "destType"), claim(claims, "destId"), arena);
    return take_amount(claims, "amountStr", "amount", out) ? 0 : bad_amount(err);
}

static int ask_each(const struct json_node *destinations, struct arena *arena, struct gate_ask *asks, struct err *err)
{
    size_t i = 0;
    for (const struct json_node *node = destinations->first; node; node = node->next, i++) {
        struct gate_request *request = &asks[i].request;
        struct slice address = claim(node, "displayDstAddress");
        *request = asks[0].request;
        request->has_amount = false; /* its own, not that of the one before */
        request->destination = address.len ? address : place(claim(node, "dstType"), claim(node, "dstId"), arena);
        if (!take_amount(node, "amountNativeStr", "amountNative", request))
            return bad_amount(err);
    }
    for (size_t k = 1; k < i; k++)
        asks[k].request.request_id = arena_printf(arena, "%.*s/%zu", SLICE_ARG(asks[0].request.request_id), k + 1);
    return 0;
}

static int ask_transaction(const struct cosigner *cosigner, const struct json_node *claims, struct arena *arena, struct gate_ask *asks,
                           size_t *count, struct err *err)
{
    const struct json_node *destinations = json_get(claims, "destinations");
    bool several = destinations && destinations->kind == JSON_ARRAY && destinations->count > 1;
    if (several && destinations->count > GATE_ASK_MAX)
        return err_set(err, ERR_INPUT, "a transaction has at most %d destinations", GATE_ASK_MAX);
    asks[0].request = common(cosigner, claims, arena);
    *count = several ? destinations->count : 1;
    return several ? ask_each(destinations, arena, asks, err) : ask_one(claims, arena, &asks[0].request, err);
}

int cosigner_asks(const struct cosigner *cosigner, enum cosigner_question question, const struct json_node *claims,
                  struct arena *arena, struct gate_ask **asks, size_t *count, struct err *err)
{
    *count = 1;
    *asks = arena_array(arena, GATE_ASK_MAX, sizeof(**asks));
    if (!*asks)
        return err_nomem(err);
    if (question == COSIGNER_TRANSACTION)
        return ask_transaction(cosigner, claims, arena, *asks, count, err);
    (*asks)->request = (struct gate_request){.request_id = claim(claims, "requestId"),
                                             .action = SLICE("config_change"),
                                             .wallet = claim(claims, "type"),
                                             .destination = claim(json_get(claims, "extraInfo"), "address")};
    return 0;
}

/* ---- what they are told ---- */

static struct cosigner_verdict reject(struct slice reason)
{
    return (struct cosigner_verdict){COSIGNER_REJECT, reason.ptr ? reason : SLICE("refused")};
}

static struct cosigner_verdict judge_one(const struct cosigner *cosigner, const struct gate_ask *ask, int64_t now_ns, struct arena *arena)
{
    int64_t most = cosigner->settings->reject_after_ns;
    const struct gate_answer *answer = &ask->answer;
    if (ask->refused == ERR_CONFLICT)
        return reject(SLICE("this requestId was used for another request"));
    if (ask->refused == ERR_CONFIG)
        return reject(arena_printf(arena, "the request is not well-formed: %s", ask->why));
    if (ask->refused != ERR_NONE)
        return (struct cosigner_verdict){.action = COSIGNER_RETRY};
    if (answer->decision == GATE_DENY)
        return reject(arena_printf(arena, "refused, decision %s", answer->id));
    if (answer->decision == GATE_HOLD && most && now_ns - answer->decided_ns >= most)
        return reject(arena_printf(arena, "held for too long, decision %s", answer->id));
    return (struct cosigner_verdict){.action = answer->decision == GATE_ALLOW ? COSIGNER_APPROVE : COSIGNER_RETRY};
}

struct cosigner_verdict cosigner_judge(const struct cosigner *cosigner, const struct gate_ask *asks, size_t count, int64_t now_ns,
                                       struct arena *arena)
{
    struct cosigner_verdict worst = {.action = count ? COSIGNER_APPROVE : COSIGNER_RETRY};
    for (size_t i = 0; i < count; i++) {
        struct cosigner_verdict one = judge_one(cosigner, &asks[i], now_ns, arena);
        if (one.action > worst.action)
            worst = one;
    }
    return worst;
}

int cosigner_answer(const struct cosigner *cosigner, struct slice request_id, const struct cosigner_verdict *verdict,
                    int64_t now_ns, struct buffer *to, struct err *err)
{
    static const char *const names[] = {"APPROVE", "RETRY", "REJECT"};
    struct buffer claims;
    struct json json;
    buffer_init(&claims, OUR_BYTES_MAX);
    json_init(&json, &claims);
    json_open(&json, '{');
    json_put_text(&json, "action", slice_text(names[verdict->action]));
    json_put_text(&json, "requestId", request_id);
    if (verdict->action == COSIGNER_REJECT)
        json_put_text(&json, "rejectionReason", verdict->reason);
    json_put_i64(&json, "iat", now_ns / NS_PER_SECOND);
    json_close(&json, '}');
    int result = buffer_failed(&claims) ? err_nomem(err)
                                        : jws_sign_rs256(cosigner->settings->private_key, SLICE("{\"alg\":\"RS256\",\"typ\":\"JWT\"}"),
                                                         buffer_slice(&claims), to, err);
    buffer_close(&claims);
    return result;
}
