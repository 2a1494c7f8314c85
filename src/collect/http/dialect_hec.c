/* Splunk's HTTP Event Collector: /services/collector[/event[/1.0]], /raw[/1.0], /ack, /health[/1.0].
 *
 * Indexer acknowledgement: who names a channel gets an ackId and asks for it at /ack. Events are durable before they are
 * answered at all, so an id that was given out stands for durable events, for ever and on whatever channel: the ids are
 * one counter, which begins at the time of the start and so is above all that an earlier run gave out.
 * Source: Splunk, "HTTP Event Collector REST API endpoints" (codes 0..18), "About HTTP Event Collector Indexer Acknowledgment". */
#include "base/clock.h"
#include "base/json.h"
#include "base/limits.h"
#include "base/unescape.h"
#include "collect/http/dialect.h"
#include "collect/http/hec_parse.h"
#include "cut/json_tree.h"

#include <stdatomic.h>

enum hec_code {
    HEC_SUCCESS = 0,
    HEC_TOKEN_DISABLED = 1,
    HEC_TOKEN_REQUIRED = 2,
    HEC_AUTHORIZATION_INVALID = 3,
    HEC_TOKEN_INVALID = 4,
    HEC_SERVER_ERROR = 8,
    HEC_BUSY = 9,
    HEC_CHANNEL_MISSING = 10,
    HEC_CHANNEL_INVALID = 11,
    HEC_HEALTHY = 17,
};

static void reply(struct ingest_call *call, int status, int code, const char *text)
{
    struct slice body = arena_printf(call->arena, "{\"text\":\"%s\",\"code\":%d}", text, code);
    http_reply(call->request, status, "application/json", SLICE_NONE, body);
}

/* Splunk's own words, and ours as "detail" where they say more. */
static void refuse(struct ingest_call *call, enum ingest_refusal why, const char *text, int retry_s)
{
    static const struct {
        int code;
        const char *text;
    } words[] = {
        [INGEST_NO_TOKEN] = {HEC_TOKEN_REQUIRED, "Token is required"},
        [INGEST_BAD_TOKEN] = {HEC_AUTHORIZATION_INVALID, "Invalid authorization"},
        [INGEST_UNKNOWN_TOKEN] = {HEC_TOKEN_INVALID, "Invalid token"},
        [INGEST_DISABLED_TOKEN] = {HEC_TOKEN_DISABLED, "Token disabled"},
        [INGEST_QUOTA] = {HEC_BUSY, "Server is busy"},
        [INGEST_BUSY] = {HEC_BUSY, "Server is busy"},
        [INGEST_FAILED] = {HEC_BUSY, "Server is busy"},
        [INGEST_METHOD] = {HEC_INVALID, "Send events with POST"},
        [INGEST_TOO_LARGE] = {HEC_INVALID, "The body is too large"},
        [INGEST_CONFLICT] = {HEC_SERVER_ERROR, "The Idempotency-Key was used with other content"},
        [INGEST_BAD_KEY] = {HEC_SERVER_ERROR, "The Idempotency-Key is too long"},
    };
    struct buffer body;
    struct json json;
    buffer_init(&body, 64 * KIB);
    json_init(&json, &body);
    json_open(&json, '{');
    json_put_text(&json, "text", slice_text(words[why].text));
    json_put_i64(&json, "code", words[why].code);
    json_put_text(&json, "detail", slice_text(text));
    json_close(&json, '}');
    http_reply(call->request, ingest_status(why), "application/json", ingest_retry_header(call, retry_s), buffer_slice(&body));
    buffer_close(&body);
}

static void reply_invalid(struct ingest_call *call, enum hec_problem problem, uint32_t event_number, const struct err *err)
{
    static const char *const texts[] = {
        [HEC_NO_DATA] = "No data",
        [HEC_INVALID] = "Invalid data format",
        [HEC_EVENT_MISSING] = "Event field is required",
        [HEC_EVENT_BLANK] = "Event field cannot be blank",
    };
    struct buffer body;
    struct json json;
    buffer_init(&body, 64 * KIB);
    json_init(&json, &body);
    json_open(&json, '{');
    json_put_text(&json, "text", slice_text(texts[problem]));
    json_put_i64(&json, "code", problem);
    json_put_i64(&json, "invalid-event-number", event_number);
    json_put_text(&json, "detail", problem == HEC_NO_DATA ? SLICE("the body holds no event") : slice_text(err->text));
    json_close(&json, '}');
    http_reply(call->request, 400, "application/json", SLICE_NONE, buffer_slice(&body));
    buffer_close(&body);
}

/* ---- acknowledgement ---- */

static atomic_uint_least64_t next_ack; /* 0: none was given out since the start */

static uint64_t first_ack(void)
{
    uint64_t none = 0;
    int64_t now_us = clock_wall_ns(clock_real()) / NS_PER_US; /* below 2^53, so that scripts read it exactly */
    atomic_compare_exchange_strong(&next_ack, &none, (uint64_t)now_us);
    return atomic_load(&next_ack);
}

static struct slice channel_of(struct ingest_call *call)
{
    struct slice header = http_header(call->request, "x-splunk-request-channel");
    return header.ptr ? header : http_param(call->request, "channel");
}

/* 8-4-4-4-12 hexadecimal digits. */
static bool is_guid(struct slice text)
{
    for (size_t i = 0; i < text.len; i++) {
        bool dash = i == 8 || i == 13 || i == 18 || i == 23;
        if (dash ? text.ptr[i] != '-' : unescape_hex_digit(text.ptr[i]) < 0)
            return false;
    }
    return text.len == 36;
}

static void reply_acks(struct ingest_call *call, const struct json_node *acks)
{
    uint64_t next = first_ack();
    struct buffer body;
    struct json json;
    buffer_init(&body, HTTP_BODY_BYTES_MAX);
    json_init(&json, &body);
    json_open(&json, '{');
    json_key(&json, "acks");
    json_open(&json, '{');
    for (const struct json_node *ack = acks->first; ack; ack = ack->next) {
        uint64_t id;
        bool known = ack->kind == JSON_NUMBER && slice_to_u64(ack->text, &id) && id < next;
        json_key_slice(&json, ack->text);
        json_bool(&json, known);
    }
    json_close(&json, '}');
    json_close(&json, '}');
    if (buffer_failed(&body))
        ingest_refuse(call, INGEST_TOO_LARGE, NULL);
    else
        http_reply(call->request, 200, "application/json", SLICE_NONE, buffer_slice(&body));
    buffer_close(&body);
}

/* POST /services/collector/ack {"acks":[1,2]} */
static void say_acks(struct ingest_call *call)
{
    struct slice channel = channel_of(call);
    const struct json_node *body;
    struct err err;
    if (!channel.len) {
        reply(call, 400, HEC_CHANNEL_MISSING, "Data channel is missing");
        return;
    }
    if (!is_guid(channel)) {
        reply(call, 400, HEC_CHANNEL_INVALID, "Invalid data channel");
        return;
    }
    if (json_tree_parse(http_body(call->request), call->arena, &body, &err) < 0) {
        reply(call, 400, HEC_INVALID, "Invalid data format");
        return;
    }
    const struct json_node *acks = json_get(body, "acks");
    if (!acks || acks->kind != JSON_ARRAY)
        reply(call, 400, HEC_INVALID, "Invalid data format");
    else
        reply_acks(call, acks);
}

/* ---- events ---- */

static void answer(struct ingest_call *call, const struct sink_ack *ack)
{
    (void)ack;
    if (!channel_of(call).len) {
        reply(call, 200, HEC_SUCCESS, "Success");
        return;
    }
    first_ack();
    uint64_t id = atomic_fetch_add(&next_ack, 1);
    http_reply(call->request, 200, "application/json", SLICE_NONE,
               arena_printf(call->arena, "{\"text\":\"Success\",\"code\":%d,\"ackId\":%llu}", HEC_SUCCESS, (unsigned long long)id));
}

static void take(struct ingest_call *call, bool raw)
{
    struct hec_defaults defaults = {
        .host = http_param(call->request, "host"),
        .source = http_param(call->request, "source"),
        .sourcetype = http_param(call->request, "sourcetype"),
        .index = http_param(call->request, "index"),
    };
    struct buffer records;
    uint32_t count;
    struct err err;
    err_clear(&err);
    buffer_init(&records, JOURNAL_RECORD_BYTES_MAX);
    enum hec_problem problem = raw ? hec_parse_raw(http_body(call->request), &defaults, &records, &count)
                                   : hec_parse(http_body(call->request), &defaults, &records, &count, &err);
    if (problem != HEC_OK)
        reply_invalid(call, problem, count, &err);
    else if (buffer_failed(&records))
        ingest_refuse(call, INGEST_TOO_LARGE, NULL);
    else
        ingest_take(call, buffer_slice(&records), count, answer);
    buffer_close(&records);
}

static void take_events(struct ingest_call *call)
{
    take(call, false);
}

static void take_raw(struct ingest_call *call)
{
    take(call, true);
}

static void say_healthy(struct ingest_call *call)
{
    reply(call, 200, HEC_HEALTHY, "HEC is healthy");
}

static const struct dialect_route routes[] = {
    {HTTP_METHOD_POST, "/services/collector", take_events, false},
    {HTTP_METHOD_POST, "/services/collector/event", take_events, false},
    {HTTP_METHOD_POST, "/services/collector/event/1.0", take_events, false},
    {HTTP_METHOD_POST, "/services/collector/raw", take_raw, false},
    {HTTP_METHOD_POST, "/services/collector/raw/1.0", take_raw, false},
    {HTTP_METHOD_POST, "/services/collector/ack", say_acks, false},
    {HTTP_METHOD_GET, "/services/collector/health", say_healthy, true},
    {HTTP_METHOD_GET, "/services/collector/health/1.0", say_healthy, true},
};

const struct dialect dialect_hec = {
    .name = "hec",
    .summary = "Splunk HTTP Event Collector",
    .routes = routes,
    .route_count = ARRAY_COUNT(routes),
    .refuse = refuse,
};
