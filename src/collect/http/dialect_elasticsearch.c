/* Elasticsearch, as far as its senders know it: _bulk, single documents, and what they ask before they send (Beats,
 * Logstash, Fluent Bit, Fluentd, Vector, the clients of many languages). Templates, policies and pipelines are said to be
 * there and are not kept: fields have their types here, and decoders do what pipelines do.
 *
 * The index a sender names is kept as hinomi.sent_index; where events are filed is the token's to say.
 * Source: Elasticsearch 8 reference, "REST APIs". */
#include "base/hash.h"
#include "base/json.h"
#include "base/limits.h"
#include "base/utf8.h"
#include "collect/http/dialect.h"
#include "collect/http/elastic_answer.h"

/* Beats refuse a server whose minor version is older than theirs; no 8.x is newer. */
#define VERSION "8.19.0"
#define PRODUCT "X-Elastic-Product: Elasticsearch\r\n" /* clients check it in every answer */

static void reply(struct ingest_call *call, int status, struct slice headers, struct slice body)
{
    struct slice all = headers.len ? arena_printf(call->arena, PRODUCT "%.*s", SLICE_ARG(headers)) : SLICE(PRODUCT);
    http_reply(call->request, status, "application/json", all, body);
}

static void reply_error(struct ingest_call *call, int status, const char *type, struct slice reason, struct slice headers)
{
    struct buffer body;
    buffer_init(&body, 64 * KIB);
    elastic_answer_error(status, type, reason, &body);
    reply(call, status, headers, buffer_slice(&body));
    buffer_close(&body);
}

static void refuse(struct ingest_call *call, enum ingest_refusal why, const char *text, int retry_s)
{
    static const struct {
        int status; /* 0: the usual one */
        const char *type;
    } words[] = {
        [INGEST_NO_TOKEN] = {0, "security_exception"},
        [INGEST_BAD_TOKEN] = {0, "security_exception"},
        [INGEST_UNKNOWN_TOKEN] = {401, "security_exception"},
        [INGEST_DISABLED_TOKEN] = {401, "security_exception"},
        [INGEST_METHOD] = {0, "method_not_allowed"},
        [INGEST_TOO_LARGE] = {0, "content_too_long"},
        [INGEST_QUOTA] = {0, "es_rejected_execution_exception"},
        [INGEST_BUSY] = {0, "es_rejected_execution_exception"},
        [INGEST_FAILED] = {0, "unavailable_shards_exception"},
        [INGEST_CONFLICT] = {0, "version_conflict_engine_exception"},
        [INGEST_BAD_KEY] = {0, "illegal_argument_exception"},
    };
    int status = words[why].status ? words[why].status : ingest_status(why);
    struct slice headers = status == 401 ? SLICE("WWW-Authenticate: Basic realm=\"hinomi\", ApiKey\r\n")
                                         : ingest_retry_header(call, retry_s);
    reply_error(call, status, words[why].type, slice_text(text), headers);
}

/* ---- taking events ---- */

/* The text as it stands in JSON, without quotes; SLICE_NONE: it is no text, or memory is out. */
static struct slice json_name(struct ingest_call *call, struct slice text)
{
    struct buffer room;
    struct json json;
    struct slice name = SLICE_NONE;
    if (!text.len || text.len > BULK_NAME_MAX || !utf8_valid(text))
        return SLICE_NONE;
    buffer_init(&room, 8 * BULK_NAME_MAX);
    json_init(&json, &room);
    json_text(&json, text);
    if (!buffer_failed(&room))
        name = arena_copy(call->arena, slice_sub(buffer_slice(&room), 1, room.len - 2));
    buffer_close(&room);
    return name;
}

/* The n-th segment of the path, from 0. */
static struct slice segment(struct ingest_call *call, int n)
{
    struct slice path = slice_from(http_path(call->request), 1), part = SLICE_NONE;
    for (int i = 0; i <= n; i++)
        if (!slice_next_part(&path, '/', &part))
            return SLICE_NONE;
    return part;
}

/* Events that all have ids of their sender are known by their bytes: sent again, they are not doubled. */
static void name_batch(struct ingest_call *call, struct slice records)
{
    struct hash128 hash = hash_bytes128(records);
    call->key = arena_printf(call->arena, "elasticsearch:%016llx%016llx", (unsigned long long)hash.high,
                             (unsigned long long)hash.low);
}

struct bulk_call {
    struct elastic_bulk bulk;
    struct elastic_filter filter;
};

static void close_bulk(void *ptr)
{
    struct bulk_call *state = ptr;
    elastic_bulk_close(&state->bulk);
}

static void answer_bulk_from(struct ingest_call *call, uint64_t first_seq)
{
    const struct bulk_call *state = call->state;
    struct buffer body;
    buffer_init(&body, 2 * BULK_ANSWER_BYTES_MAX);
    elastic_answer_bulk(&state->bulk, &state->filter, first_seq, &body);
    if (buffer_failed(&body)) /* the events are durable; a sender that asks again and has ids does not double them */
        reply_error(call, 503, "circuit_breaking_exception", SLICE("no memory for the answer; the events were stored"), SLICE_NONE);
    else
        reply(call, 200, SLICE_NONE, buffer_slice(&body));
    buffer_close(&body);
}

static void answer_bulk(struct ingest_call *call, const struct sink_ack *ack)
{
    answer_bulk_from(call, ack->first_seq);
}

static void take_parsed(struct ingest_call *call, const struct buffer *records)
{
    const struct bulk_call *state = call->state;
    if (buffer_failed(records)) {
        ingest_refuse(call, INGEST_TOO_LARGE, NULL);
    } else if (state->bulk.item_count == 0) {
        reply_error(call, 400, "parse_exception", SLICE("request body is required"), SLICE_NONE);
    } else if (state->bulk.event_count == 0) {
        answer_bulk_from(call, 0);
    } else {
        if (state->bulk.ids)
            name_batch(call, buffer_slice(records));
        ingest_take(call, buffer_slice(records), state->bulk.event_count, answer_bulk);
    }
}

static void take_bulk(struct ingest_call *call)
{
    struct bulk_call *state = arena_calloc(call->arena, sizeof(*state));
    struct slice index = slice_starts(http_path(call->request), SLICE("/_")) ? SLICE_NONE : json_name(call, segment(call, 0));
    struct buffer records;
    struct err err;
    if (!state || arena_defer(call->arena, close_bulk, state) < 0) {
        ingest_refuse(call, INGEST_BUSY, NULL);
        return;
    }
    call->state = state;
    elastic_filter_read(&state->filter, http_param(call->request, "filter_path"));
    buffer_init(&records, JOURNAL_RECORD_BYTES_MAX);
    if (elastic_bulk_parse(http_body(call->request), index, &records, &state->bulk, &err) == 0)
        take_parsed(call, &records);
    else if (err.code == ERR_INPUT)
        reply_error(call, 400, "illegal_argument_exception", slice_text(err.text), SLICE_NONE);
    else
        ingest_refuse(call, err.code == ERR_LIMIT ? INGEST_TOO_LARGE : INGEST_BUSY, err.code == ERR_LIMIT ? err.text : NULL);
    buffer_close(&records);
}

static void answer_document(struct ingest_call *call, const struct sink_ack *ack)
{
    struct buffer body;
    buffer_init(&body, 64 * KIB);
    elastic_answer_document(call->state, ack->first_seq, &body);
    reply(call, 201, SLICE_NONE, buffer_slice(&body));
    buffer_close(&body);
}

/* POST /INDEX/_doc, PUT|POST /INDEX/_doc/ID, /INDEX/_create/ID */
static void take_document(struct ingest_call *call)
{
    struct elastic_item *item = arena_calloc(call->arena, sizeof(*item));
    struct slice id = segment(call, 2);
    struct buffer records;
    if (!item) {
        ingest_refuse(call, INGEST_BUSY, NULL);
        return;
    }
    *item = (struct elastic_item){.index = json_name(call, segment(call, 0)), .id = json_name(call, id)};
    call->state = item;
    buffer_init(&records, JOURNAL_RECORD_BYTES_MAX);
    if (id.len && !item->id.ptr)
        reply_error(call, 400, "illegal_argument_exception", SLICE("the _id is too long or not UTF-8"), SLICE_NONE);
    else if (!elastic_document(http_body(call->request), item, &records))
        reply_error(call, 400, "parse_exception", SLICE("request body is required"), SLICE_NONE);
    else if (buffer_failed(&records))
        ingest_refuse(call, INGEST_TOO_LARGE, NULL);
    else {
        if (item->id.ptr)
            name_batch(call, buffer_slice(&records));
        ingest_take(call, buffer_slice(&records), 1, answer_document);
    }
    buffer_close(&records);
}

static void refuse_change(struct ingest_call *call)
{
    reply_error(call, 400, "illegal_argument_exception", SLICE("what is stored here is evidence and is not changed or deleted"),
                SLICE_NONE);
}

/* ---- what is asked before ---- */

static void reply_text(struct ingest_call *call, const char *text)
{
    reply(call, 200, SLICE_NONE, slice_text(text));
}

static void say_root(struct ingest_call *call)
{
    reply_text(call, "{\"name\":\"hinomi\",\"cluster_name\":\"hinomi\",\"cluster_uuid\":\"aGlub21pLWhpbm9taS1oaW\","
                     "\"version\":{\"number\":\"" VERSION "\",\"build_flavor\":\"default\",\"build_type\":\"docker\","
                     "\"build_hash\":\"hinomi-" HINOMI_VERSION "\",\"build_date\":\"2025-01-01T00:00:00.000000000Z\","
                     "\"build_snapshot\":false,\"lucene_version\":\"9.12.0\",\"minimum_wire_compatibility_version\":\"7.17.0\","
                     "\"minimum_index_compatibility_version\":\"7.0.0\"},\"tagline\":\"You Know, for Search\"}");
}

static void say_license(struct ingest_call *call)
{
    reply_text(call, "{\"license\":{\"status\":\"active\",\"uid\":\"00000000-0000-0000-0000-000000000000\",\"type\":\"basic\","
                     "\"issue_date\":\"2025-01-01T00:00:00.000Z\",\"issue_date_in_millis\":1735689600000,\"max_nodes\":1000,"
                     "\"issued_to\":\"hinomi\",\"issuer\":\"hinomi\",\"start_date_in_millis\":-1}}");
}

static void say_xpack(struct ingest_call *call)
{
    reply_text(call, "{\"build\":{\"hash\":\"hinomi-" HINOMI_VERSION "\",\"date\":\"2025-01-01T00:00:00.000Z\"},"
                     "\"license\":{\"uid\":\"00000000-0000-0000-0000-000000000000\",\"type\":\"basic\",\"mode\":\"basic\","
                     "\"status\":\"active\"},\"features\":{\"data_streams\":{\"available\":true,\"enabled\":true},"
                     "\"ilm\":{\"available\":true,\"enabled\":true},\"monitoring\":{\"available\":true,\"enabled\":false},"
                     "\"security\":{\"available\":true,\"enabled\":true}},\"tagline\":\"You know, for X\"}");
}

static void say_health(struct ingest_call *call)
{
    reply_text(call, "{\"cluster_name\":\"hinomi\",\"status\":\"green\",\"timed_out\":false,\"number_of_nodes\":1,"
                     "\"number_of_data_nodes\":1,\"active_primary_shards\":1,\"active_shards\":1,\"relocating_shards\":0,"
                     "\"initializing_shards\":0,\"unassigned_shards\":0,\"delayed_unassigned_shards\":0,"
                     "\"number_of_pending_tasks\":0,\"number_of_in_flight_fetch\":0,\"task_max_waiting_in_queue_millis\":0,"
                     "\"active_shards_percent_as_number\":100.0}");
}

/* Clients that look for further nodes find the one that they ask, under the name they asked for. */
static void say_nodes(struct ingest_call *call)
{
    struct slice host = json_name(call, http_header(call->request, "host"));
    reply(call, 200, SLICE_NONE,
          arena_printf(call->arena,
                       "{\"_nodes\":{\"total\":1,\"successful\":1,\"failed\":0},\"cluster_name\":\"hinomi\",\"nodes\":{\"hinomi\":{"
                       "\"name\":\"hinomi\",\"version\":\"" VERSION "\",\"build_flavor\":\"default\",\"roles\":[\"data\",\"ingest\"],"
                       "\"ingest\":{\"processors\":[]},\"plugins\":[],\"modules\":[],\"http\":{\"publish_address\":\"%.*s\"}}}}",
                       SLICE_ARG(host)));
}

static void say_who(struct ingest_call *call)
{
    struct slice id = json_name(call, call->grant.id);
    reply(call, 200, SLICE_NONE,
          arena_printf(call->arena, "{\"username\":\"%.*s\",\"roles\":[\"ingest\"],\"full_name\":null,\"email\":null,"
                       "\"metadata\":{},\"enabled\":true,\"authentication_type\":\"api_key\"}", SLICE_ARG(id)));
}

static void say_may(struct ingest_call *call)
{
    struct slice id = json_name(call, call->grant.id);
    reply(call, 200, SLICE_NONE,
          arena_printf(call->arena, "{\"username\":\"%.*s\",\"has_all_requested\":true,\"cluster\":{},\"index\":{},"
                       "\"application\":{}}", SLICE_ARG(id)));
}

static void say_refreshed(struct ingest_call *call)
{
    reply_text(call, "{\"_shards\":{\"total\":1,\"successful\":1,\"failed\":0}}");
}

/* What senders tell of themselves is not collected; this is how Elasticsearch says so. */
static void say_ignored(struct ingest_call *call)
{
    reply_text(call, "{\"took\":0,\"ignored\":true,\"errors\":false}");
}

static void say_acknowledged(struct ingest_call *call)
{
    reply_text(call, "{\"acknowledged\":true}");
}

/* Whatever is asked for by name is there; senders then leave it as it is. */
static void say_there(struct ingest_call *call)
{
    static const struct {
        const char *first, *form;
    } forms[] = {
        {"_index_template", "{\"index_templates\":[{\"name\":\"%.*s\",\"index_template\":{\"index_patterns\":[\"*\"],"
                            "\"composed_of\":[],\"priority\":1,\"data_stream\":{}}}]}"},
        {"_component_template", "{\"component_templates\":[{\"name\":\"%.*s\",\"component_template\":{\"template\":{}}}]}"},
        {"_template", "{\"%.*s\":{\"order\":0,\"index_patterns\":[\"*\"],\"settings\":{},\"mappings\":{},\"aliases\":{}}}"},
        {"_ilm", "{\"%.*s\":{\"version\":1,\"policy\":{\"phases\":{}}}}"},
        {"_ingest", "{\"%.*s\":{\"processors\":[]}}"},
        {"_data_stream", "{\"data_streams\":[{\"name\":\"%.*s\",\"timestamp_field\":{\"name\":\"@timestamp\"},\"indices\":[],"
                         "\"generation\":1,\"status\":\"GREEN\",\"hidden\":false}]}"},
        {"_alias", "{\"%.*s\":{\"aliases\":{}}}"},
    };
    struct slice name = json_name(call, call->wild), first = segment(call, 0);
    struct buffer body;
    if (!name.ptr) {
        reply_error(call, 404, "resource_not_found_exception", SLICE("the name is too long or not UTF-8"), SLICE_NONE);
        return;
    }
    buffer_init(&body, 8 * BULK_NAME_MAX);
    for (size_t i = 0; i < ARRAY_COUNT(forms); i++) {
        struct slice form = slice_text(forms[i].form);
        ptrdiff_t at = slice_find(form, SLICE("%.*s"));
        if (!slice_is(first, forms[i].first))
            continue;
        buffer_put(&body, slice_sub(form, 0, (size_t)at));
        buffer_put(&body, name);
        buffer_put(&body, slice_from(form, (size_t)at + 4));
    }
    reply(call, 200, SLICE_NONE, buffer_slice(&body));
    buffer_close(&body);
}

/* HEAD and GET /INDEX: indexes are there as soon as somebody asks. */
static void say_index(struct ingest_call *call)
{
    struct slice name = json_name(call, call->wild);
    if (!name.ptr || slice_starts(name, SLICE("_")))
        reply_error(call, 404, "invalid_index_name_exception",
                    SLICE("nothing is answered here; this port takes events in, and searches are on another one"), SLICE_NONE);
    else
        reply(call, 200, SLICE_NONE,
              arena_printf(call->arena, "{\"%.*s\":{\"aliases\":{},\"mappings\":{},\"settings\":{}}}", SLICE_ARG(name)));
}

static void say_index_made(struct ingest_call *call)
{
    struct slice name = json_name(call, call->wild);
    reply(call, 200, SLICE_NONE,
          arena_printf(call->arena, "{\"acknowledged\":true,\"shards_acknowledged\":true,\"index\":\"%.*s\"}", SLICE_ARG(name)));
}

static const struct dialect_route routes[] = {
    {HTTP_METHOD_POST, "/_bulk", take_bulk, false},
    {HTTP_METHOD_PUT, "/_bulk", take_bulk, false},
    {HTTP_METHOD_POST, "/*/_bulk", take_bulk, false},
    {HTTP_METHOD_PUT, "/*/_bulk", take_bulk, false},
    {HTTP_METHOD_POST, "/*/*/_bulk", take_bulk, false}, /* with a type, before Elasticsearch 7 */
    {HTTP_METHOD_POST, "/*/_doc", take_document, false},
    {HTTP_METHOD_POST, "/*/_doc/*", take_document, false},
    {HTTP_METHOD_PUT, "/*/_doc/*", take_document, false},
    {HTTP_METHOD_POST, "/*/_create/*", take_document, false},
    {HTTP_METHOD_PUT, "/*/_create/*", take_document, false},
    {HTTP_METHOD_POST, "/*/_update/*", refuse_change, false},
    {HTTP_METHOD_DELETE, "/*/_doc/*", refuse_change, false},
    {HTTP_METHOD_DELETE, "/*", refuse_change, false},
    {HTTP_METHOD_POST, "/_monitoring/bulk", say_ignored, false},
    {HTTP_METHOD_GET, "/", say_root, false},
    {HTTP_METHOD_GET, "/_license", say_license, false},
    {HTTP_METHOD_GET, "/_xpack", say_xpack, false},
    {HTTP_METHOD_GET, "/_nodes", say_nodes, false},
    {HTTP_METHOD_GET, "/_nodes/*", say_nodes, false},
    {HTTP_METHOD_GET, "/_nodes/*/*", say_nodes, false},
    {HTTP_METHOD_GET, "/_cluster/health", say_health, false},
    {HTTP_METHOD_GET, "/_security/_authenticate", say_who, false},
    {HTTP_OTHER_METHOD, "/_security/user/_has_privileges", say_may, false},
    {HTTP_METHOD_GET, "/_index_template/*", say_there, false},
    {HTTP_METHOD_PUT, "/_index_template/*", say_acknowledged, false},
    {HTTP_METHOD_POST, "/_index_template/*", say_acknowledged, false},
    {HTTP_METHOD_GET, "/_component_template/*", say_there, false},
    {HTTP_METHOD_PUT, "/_component_template/*", say_acknowledged, false},
    {HTTP_METHOD_GET, "/_template/*", say_there, false},
    {HTTP_METHOD_PUT, "/_template/*", say_acknowledged, false},
    {HTTP_METHOD_POST, "/_template/*", say_acknowledged, false},
    {HTTP_METHOD_GET, "/_ilm/policy/*", say_there, false},
    {HTTP_METHOD_PUT, "/_ilm/policy/*", say_acknowledged, false},
    {HTTP_METHOD_GET, "/_ingest/pipeline/*", say_there, false},
    {HTTP_METHOD_PUT, "/_ingest/pipeline/*", say_acknowledged, false},
    {HTTP_METHOD_GET, "/_data_stream/*", say_there, false},
    {HTTP_METHOD_PUT, "/_data_stream/*", say_acknowledged, false},
    {HTTP_METHOD_GET, "/_alias/*", say_there, false},
    {HTTP_OTHER_METHOD, "/_refresh", say_refreshed, false},
    {HTTP_OTHER_METHOD, "/*/_refresh", say_refreshed, false},
    {HTTP_METHOD_GET, "/*", say_index, false},
    {HTTP_METHOD_PUT, "/*", say_index_made, false},
};

const struct dialect dialect_elasticsearch = {
    .name = "elasticsearch",
    .summary = "Elasticsearch: _bulk, _doc and what its senders ask first",
    .routes = routes,
    .route_count = ARRAY_COUNT(routes),
    .refuse = refuse,
};
