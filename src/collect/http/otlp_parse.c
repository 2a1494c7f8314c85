#include "collect/http/otlp_parse.h"

#include "base/limits.h"
#include "collect/http/otlp_schema.h"
#include "collect/http/otlp_write.h"
#include "event/delivery.h"

#include <stdio.h>

/* What the three signals have in common: resources have scopes, and those have records. */
struct signal {
    const struct protobuf_message *message;
    const char *resources, *scopes, *old_scopes, *records;
    const char *decoder;
};

static const struct signal signals[] = {
    [OTLP_LOGS] = {&otlp_logs, "resourceLogs", "scopeLogs", "instrumentationLibraryLogs", "logRecords", "otlp-log"},
    [OTLP_METRICS] = {&otlp_metrics, "resourceMetrics", "scopeMetrics", "instrumentationLibraryMetrics", "metrics",
                      "otlp-metric"},
    [OTLP_TRACES] = {&otlp_traces, "resourceSpans", "scopeSpans", "instrumentationLibrarySpans", "spans",
                     "otlp-span"},
};

struct walk {
    const struct signal *signal;
    struct buffer *records;
    uint32_t count;
    struct buffer event, hints;
    struct buffer resource, scope; /* as they stand in each event */
};

/* ---- one event ---- */

static void begin(struct walk *walk, struct json *json, const char *kind)
{
    buffer_clear(&walk->event);
    buffer_clear(&walk->hints);
    json_init(json, &walk->event);
    json_open(json, '{');
    json_put_text(json, "otlp", slice_text(kind));
}

static void put_owners(struct walk *walk, struct json *json)
{
    json_key(json, "resource");
    json_raw(json, buffer_slice(&walk->resource));
    json_key(json, "scope");
    json_raw(json, buffer_slice(&walk->scope));
}

static void end(struct walk *walk, struct json *json, int64_t time_ns)
{
    json_close(json, '}');
    delivery_put_hint(&walk->hints, "decoder", slice_text(walk->signal->decoder));
    delivery_put_time_hint(&walk->hints, time_ns);
    delivery_put_record(walk->records, buffer_slice(&walk->event), buffer_slice(&walk->hints));
    walk->count++;
}

/* The next EVENT_BYTES_MAX bytes of a text, or up to three fewer, not to cut within a character. */
static struct slice take_part(struct slice *rest)
{
    size_t len = rest->len < EVENT_BYTES_MAX ? rest->len : EVENT_BYTES_MAX;
    for (int i = 0; i < 3 && len < rest->len && ((unsigned char)rest->ptr[len] & 0xc0) == 0x80; i++)
        len--;
    struct slice part = slice_sub(*rest, 0, len);
    *rest = slice_from(*rest, len);
    return part;
}

/* A record whose text is too long for an event: the record again and again, each with a part of the text. */
static void put_log_parts(struct walk *walk, const struct json_node *record, struct slice text, int64_t time_ns)
{
    static const char *const skip[] = {"body", NULL};
    char which[32];
    struct json json;
    unsigned count = 0, part = 0;
    for (struct slice rest = text; rest.len; count++)
        take_part(&rest);
    while (text.len && !buffer_failed(walk->records)) {
        begin(walk, &json, "log");
        otlp_put_members(&json, record, skip);
        json_put_text(&json, "body", take_part(&text));
        put_owners(walk, &json);
        snprintf(which, sizeof(which), "%u/%u", ++part, count);
        delivery_put_hint(&walk->hints, "part", slice_text(which));
        end(walk, &json, time_ns);
    }
}

static void put_log(struct walk *walk, const struct json_node *record)
{
    struct json json;
    int64_t time_ns = otlp_time(otlp_get(record, "timeUnixNano"));
    const struct json_node *text = otlp_get(otlp_get(record, "body"), "stringValue");
    if (!time_ns)
        time_ns = otlp_time(otlp_get(record, "observedTimeUnixNano"));
    if (text && text->kind == JSON_STRING && text->text.len > EVENT_BYTES_MAX) {
        put_log_parts(walk, record, text->text, time_ns);
        return;
    }
    begin(walk, &json, "log");
    otlp_put_members(&json, record, NULL);
    put_owners(walk, &json);
    end(walk, &json, time_ns);
}

static void put_span(struct walk *walk, const struct json_node *span)
{
    struct json json;
    begin(walk, &json, "span");
    otlp_put_members(&json, span, NULL);
    put_owners(walk, &json);
    end(walk, &json, otlp_time(otlp_get(span, "startTimeUnixNano")));
}

/* ---- metrics ---- */

static const char *const data_names[] = {"gauge", "sum", "histogram", "exponentialHistogram", "summary", NULL};

static bool is_stale(const struct json_node *point)
{
    return json_i64_of(otlp_get(point, "flags"), 0) & 1; /* DATA_POINT_FLAGS_NO_RECORDED_VALUE_MASK */
}

/* data: gauge, sum and so on, with its key as type; NULL: of a type that is not known. */
static void put_point(struct walk *walk, const struct json_node *metric, const struct json_node *data,
                      const char *type, const struct json_node *point)
{
    static const char *const not_of_point[] = {"attributes", NULL}, *const not_of_data[] = {"dataPoints", NULL};
    struct json json;
    begin(walk, &json, "metric");
    json_key(&json, "metric");
    json_open(&json, '{');
    otlp_put_members(&json, metric, data_names);
    if (type) {
        json_put_text(&json, "type", slice_text(type));
        otlp_put_members(&json, data, not_of_data);
    }
    otlp_put_members(&json, point, not_of_point);
    bool counts = type && !slice_is(slice_text(type), "gauge") && !slice_is(slice_text(type), "sum");
    if (counts && !otlp_get(point, "count")) /* as protobuf leaves out 0 */
        json_put_i64(&json, "count", 0);
    if (is_stale(point))
        json_put_bool(&json, "stale", true);
    json_close(&json, '}');
    json_key(&json, "labels");
    otlp_put_attributes(&json, otlp_get(point, "attributes"));
    json_key(&json, "otel");
    json_open(&json, '{');
    put_owners(walk, &json);
    json_close(&json, '}');
    end(walk, &json, otlp_time(otlp_get(point, "timeUnixNano")));
}

static void put_metric(struct walk *walk, const struct json_node *metric)
{
    static const char *const types[] = {"gauge", "sum", "histogram", "exponential_histogram", "summary"};
    bool known = false;
    for (size_t i = 0; data_names[i]; i++) {
        const struct json_node *data = otlp_get(metric, data_names[i]);
        const struct json_node *points = otlp_get(data, "dataPoints");
        known |= data != NULL;
        for (const struct json_node *point = points ? points->first : NULL; point; point = point->next)
            put_point(walk, metric, data, types[i], point);
    }
    if (!known)
        put_point(walk, metric, NULL, NULL, NULL);
}

/* ---- the whole ---- */

/* A resource or a scope, and what its container says of it. */
static void write_owner(struct buffer *to, const struct json_node *owner, const struct json_node *container,
                        const char *const *skip)
{
    struct json json;
    buffer_clear(to);
    json_init(&json, to);
    json_open(&json, '{');
    otlp_put_members(&json, owner, NULL);
    otlp_put_members(&json, container, skip);
    json_close(&json, '}');
}

static void put_scope(struct walk *walk, const struct json_node *node)
{
    const char *skip[] = {"scope", "instrumentationLibrary", walk->signal->records, NULL};
    const struct json_node *scope = otlp_get(node, "scope"), *records = otlp_get(node, walk->signal->records);
    write_owner(&walk->scope, scope ? scope : otlp_get(node, "instrumentationLibrary"), node, skip);
    for (const struct json_node *record = records ? records->first : NULL; record; record = record->next) {
        if (walk->signal == &signals[OTLP_LOGS])
            put_log(walk, record);
        else if (walk->signal == &signals[OTLP_TRACES])
            put_span(walk, record);
        else
            put_metric(walk, record);
        if (buffer_failed(walk->records) || buffer_failed(&walk->event))
            return;
    }
}

static void put_resource(struct walk *walk, const struct json_node *node)
{
    const char *names[] = {walk->signal->scopes, walk->signal->old_scopes};
    const char *skip[] = {"resource", names[0], names[1], NULL};
    write_owner(&walk->resource, otlp_get(node, "resource"), node, skip);
    for (size_t i = 0; i < ARRAY_COUNT(names); i++) {
        const struct json_node *scopes = otlp_get(node, names[i]);
        for (const struct json_node *scope = scopes ? scopes->first : NULL; scope; scope = scope->next)
            put_scope(walk, scope);
    }
}

static int put_all(struct walk *walk, const struct json_node *request, struct err *err)
{
    const struct json_node *resources = otlp_get(request, walk->signal->resources);
    if (request->kind != JSON_OBJECT || (resources && resources->kind != JSON_ARRAY) ||
        (!resources && request->count))
        return err_set(err, ERR_INPUT,
                       "the body should be an object with a list \"%s\"; logs go to /v1/logs, metrics to "
                       "/v1/metrics and spans to /v1/traces",
                       walk->signal->resources);
    for (const struct json_node *node = resources ? resources->first : NULL; node; node = node->next)
        put_resource(walk, node);
    bool failed = buffer_failed(walk->records) || buffer_failed(&walk->event) || buffer_failed(&walk->hints) ||
                  buffer_failed(&walk->resource) || buffer_failed(&walk->scope);
    return failed ? err_set(err, ERR_LIMIT,
                            "the records are more than one request may hold when each has its resource; "
                            "send fewer at once")
                  : 0;
}

int otlp_parse(enum otlp_signal signal, bool json, struct slice body, struct buffer *records, uint32_t *event_count,
               struct err *err)
{
    struct walk walk = {.signal = &signals[signal], .records = records};
    struct buffer *const own[] = {&walk.event, &walk.hints, &walk.resource, &walk.scope};
    const struct json_node *request = NULL;
    *event_count = 0;
    struct arena *arena = arena_new(WIRE_TREE_BYTES_MAX);
    if (!arena)
        return err_nomem(err);
    for (size_t i = 0; i < ARRAY_COUNT(own); i++)
        buffer_init(own[i], JOURNAL_RECORD_BYTES_MAX);
    int result = json ? json_tree_parse(body, arena, &request, err)
                      : protobuf_tree(body, walk.signal->message, arena, &request, err);
    if (result == 0)
        result = put_all(&walk, request, err);
    *event_count = walk.count;
    for (size_t i = 0; i < ARRAY_COUNT(own); i++)
        buffer_close(own[i]);
    arena_free(arena);
    return result;
}
