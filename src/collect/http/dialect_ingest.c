/* Plain texts: POST /v1/ingest with JSON lines, a JSON list, JSON objects or lines of text, for scripts and for services
 * that can only send JSON somewhere (webhooks).
 *
 * A token stands in a header. One in the URL would be written to the logs of every proxy on the way; services that can
 * only be given a URL take https://anything:TOKEN@host/v1/ingest, which is a header (Basic). */
#include "base/json.h"
#include "base/limits.h"
#include "collect/http/dialect.h"
#include "collect/http/ingest_text.h"
#include "event/delivery.h"

static void refuse(struct ingest_call *call, enum ingest_refusal why, const char *text, int retry_s)
{
    http_reply_refusal(call->request, ingest_status(why), ingest_code(why), retry_s, slice_text(text));
}

static void answer(struct ingest_call *call, const struct sink_ack *ack)
{
    const uint32_t *count = call->state;
    http_reply(call->request, 200, "application/json", SLICE_NONE,
               arena_printf(call->arena, "{\"accepted\":%u,\"first_seq\":%llu}", *count, (unsigned long long)ack->first_seq));
}

static void put_param(struct ingest_call *call, const char *name, struct buffer *hints)
{
    struct slice value = http_param(call->request, name);
    if (value.len)
        delivery_put_hint(hints, name, value);
}

static void take(struct ingest_call *call)
{
    uint32_t *count = arena_calloc(call->arena, sizeof(*count));
    struct slice body = http_body(call->request);
    struct buffer records, hints;
    if (!count) {
        ingest_refuse(call, INGEST_BUSY, NULL);
        return;
    }
    call->state = count;
    buffer_init(&records, JOURNAL_RECORD_BYTES_MAX);
    buffer_init(&hints, HTTP_HEADER_BYTES_MAX);
    put_param(call, "host", &hints);
    put_param(call, "source", &hints);
    put_param(call, "sourcetype", &hints);
    *count = ingest_text(ingest_form_of(http_header(call->request, "content-type"), body), body, buffer_slice(&hints), &records);
    if (buffer_failed(&records) || buffer_failed(&hints))
        ingest_refuse(call, INGEST_TOO_LARGE, NULL);
    else if (*count == 0)
        http_reply(call->request, 200, "application/json", SLICE_NONE, SLICE("{\"accepted\":0}"));
    else
        ingest_take(call, buffer_slice(&records), *count, answer);
    buffer_close(&records);
    buffer_close(&hints);
}

/* Okta asks once whether an address is meant to get its events; others see that the token is good. */
static void verify(struct ingest_call *call)
{
    struct slice challenge = http_header(call->request, "x-okta-verification-challenge");
    struct buffer body;
    struct json json;
    buffer_init(&body, 4 * HTTP_HEADER_BYTES_MAX);
    json_init(&json, &body);
    json_open(&json, '{');
    if (challenge.ptr)
        json_put_text(&json, "verification", challenge);
    else
        json_put_text(&json, "ready", SLICE("send events with POST"));
    json_close(&json, '}');
    http_reply(call->request, 200, "application/json", SLICE_NONE, buffer_slice(&body));
    buffer_close(&body);
}

static const struct dialect_route routes[] = {
    {HTTP_METHOD_POST, "/v1/ingest", take, false},
    {HTTP_METHOD_GET, "/v1/ingest", verify, false},
};

const struct dialect dialect_ingest = {
    .name = "ingest",
    .summary = "JSON lines, JSON lists and lines of text",
    .routes = routes,
    .route_count = ARRAY_COUNT(routes),
    .refuse = refuse,
};
