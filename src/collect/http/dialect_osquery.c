/* osquery's tls plugins: enrolment and the logger, for a fleet that has its queries from files (or another server). The
 * enrolment's secret is a token, and the node's key is the same: nothing has to be remembered, and a token that is
 * revoked sends its nodes away. What is not to be taken for good is answered with node_invalid, as osquery has it: the
 * node enrols again. The paths are those of osquery's documentation and of Fleet.
 * Source: osquery documentation, "Remotely interfacing osquery". */
#include "base/json.h"
#include "base/limits.h"
#include "collect/http/dialect.h"
#include "collect/http/osquery_parse.h"

static void reply(struct ingest_call *call, int status, bool invalid, struct slice node_key, const char *text, struct slice headers)
{
    struct buffer body;
    struct json json;
    buffer_init(&body, 64 * KIB);
    json_init(&json, &body);
    json_open(&json, '{');
    if (node_key.len)
        json_put_text(&json, "node_key", node_key);
    if (text)
        json_put_text(&json, "error", slice_text(text));
    json_put_bool(&json, "node_invalid", invalid);
    json_close(&json, '}');
    http_reply(call->request, status, "application/json", headers, buffer_slice(&body));
    buffer_close(&body);
}

static void refuse(struct ingest_call *call, enum ingest_refusal why, const char *text, int retry_s)
{
    bool unknown = why == INGEST_NO_TOKEN || why == INGEST_BAD_TOKEN || why == INGEST_UNKNOWN_TOKEN || why == INGEST_DISABLED_TOKEN;
    reply(call, unknown ? 200 : ingest_status(why), unknown, SLICE(""), text, ingest_retry_header(call, retry_s));
}

static void answer(struct ingest_call *call, const struct sink_ack *ack)
{
    (void)ack;
    reply(call, 200, false, SLICE(""), NULL, SLICE_NONE);
}

/* -1: it was refused. */
static int read_request(struct ingest_call *call, struct buffer *records, struct osquery_request *request)
{
    struct err err;
    err_clear(&err);
    if (osquery_parse(http_body(call->request), records, request, &err) == 0)
        return 0;
    if (err.code == ERR_NOMEM)
        ingest_refuse(call, INGEST_BUSY, NULL);
    else if (err.code == ERR_LIMIT)
        ingest_refuse(call, INGEST_TOO_LARGE, err.text);
    else
        reply(call, 400, false, SLICE(""), err.text, SLICE_NONE);
    return -1;
}

static void enrol(struct ingest_call *call)
{
    struct osquery_request request;
    struct buffer records;
    buffer_init(&records, JOURNAL_RECORD_BYTES_MAX - MIB);
    if (read_request(call, &records, &request) == 0 && ingest_enter(call, request.secret))
        reply(call, 200, false, request.secret, NULL, SLICE_NONE);
    buffer_close(&records);
}

static void take_log(struct ingest_call *call)
{
    struct osquery_request request;
    struct buffer records;
    buffer_init(&records, JOURNAL_RECORD_BYTES_MAX - MIB);
    if (read_request(call, &records, &request) == 0 && ingest_enter(call, request.node_key)) {
        if (request.event_count)
            ingest_take(call, buffer_slice(&records), request.event_count, answer);
        else
            answer(call, NULL);
    }
    buffer_close(&records);
}

/* Who asks is told in the body. */
static const struct dialect_route routes[] = {
    {HTTP_METHOD_POST, "/api/osquery/enroll", enrol, true},
    {HTTP_METHOD_POST, "/api/osquery/log", take_log, true},
    {HTTP_METHOD_POST, "/api/v1/osquery/enroll", enrol, true},
    {HTTP_METHOD_POST, "/api/v1/osquery/log", take_log, true},
};

const struct dialect dialect_osquery = {
    .name = "osquery",
    .summary = "osquery's tls enrolment and logger",
    .routes = routes,
    .route_count = ARRAY_COUNT(routes),
    .refuse = refuse,
};
