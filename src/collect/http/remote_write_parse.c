#include "collect/http/remote_write_parse.h"

#include "base/json.h"
#include "base/limits.h"
#include "base/time.h"
#include "cut/protobuf.h"
#include "event/delivery.h"

/* ---- the messages ---- */

static const struct protobuf_known label_fields[] = {PB_STRING(1, "name"), PB_STRING(2, "value")};
static const struct protobuf_message label = PB_MESSAGE(label_fields);
static const struct protobuf_known sample_fields[] = {PB_DOUBLE(1, "value"), PB_INT(2, "timestamp")};
static const struct protobuf_message sample = PB_MESSAGE(sample_fields);
static const struct protobuf_known span_fields[] = {PB_SINT(1, "offset"), PB_UINT(2, "length")};
static const struct protobuf_message span = PB_MESSAGE(span_fields);
static const struct protobuf_known histogram_fields[] = {
    PB_UINT(1, "count"),
    PB_DOUBLE(2, "count"),
    PB_DOUBLE(3, "sum"),
    PB_SINT(4, "schema"),
    PB_DOUBLE(5, "zero_threshold"),
    PB_UINT(6, "zero_count"),
    PB_DOUBLE(7, "zero_count"),
    PB_MANY(8, "negative_spans", span),
    PB_LIST(9, "negative_deltas", PROTOBUF_SINT),
    PB_LIST(10, "negative_counts", PROTOBUF_DOUBLE),
    PB_MANY(11, "positive_spans", span),
    PB_LIST(12, "positive_deltas", PROTOBUF_SINT),
    PB_LIST(13, "positive_counts", PROTOBUF_DOUBLE),
    PB_INT(14, "reset_hint"),
    PB_INT(15, "timestamp"),
    PB_LIST(16, "custom_values", PROTOBUF_DOUBLE),
};
static const struct protobuf_message histogram = PB_MESSAGE(histogram_fields);

static const struct protobuf_known exemplar_1_fields[] = {
    PB_MANY(1, "labels", label),
    PB_DOUBLE(2, "value"),
    PB_INT(3, "timestamp"),
};
static const struct protobuf_message exemplar_1 = PB_MESSAGE(exemplar_1_fields);
static const struct protobuf_known series_1_fields[] = {
    PB_MANY(1, "labels", label),
    PB_MANY(2, "samples", sample),
    PB_MANY(3, "exemplars", exemplar_1),
    PB_MANY(4, "histograms", histogram),
};
static const struct protobuf_message series_1 = PB_MESSAGE(series_1_fields);
static const struct protobuf_known metadata_1_fields[] = {
    PB_INT(1, "type"),
    PB_STRING(2, "name"),
    PB_STRING(4, "help"),
    PB_STRING(5, "unit"),
};
static const struct protobuf_message metadata_1 = PB_MESSAGE(metadata_1_fields);
static const struct protobuf_known request_1_fields[] = {
    PB_MANY(1, "timeseries", series_1),
    PB_MANY(3, "metadata", metadata_1),
};
static const struct protobuf_message request_1 = PB_MESSAGE(request_1_fields);

/* 2.0: texts are numbers of places in one list. */
static const struct protobuf_known exemplar_2_fields[] = {
    PB_LIST(1, "labels_refs", PROTOBUF_UINT),
    PB_DOUBLE(2, "value"),
    PB_INT(3, "timestamp"),
};
static const struct protobuf_message exemplar_2 = PB_MESSAGE(exemplar_2_fields);
static const struct protobuf_known metadata_2_fields[] = {
    PB_INT(1, "type"),
    PB_UINT(3, "help_ref"),
    PB_UINT(4, "unit_ref"),
};
static const struct protobuf_message metadata_2 = PB_MESSAGE(metadata_2_fields);
static const struct protobuf_known series_2_fields[] = {
    PB_LIST(1, "labels_refs", PROTOBUF_UINT), PB_MANY(2, "samples", sample),     PB_MANY(3, "histograms", histogram),
    PB_MANY(4, "exemplars", exemplar_2),      PB_ONE(5, "metadata", metadata_2), PB_INT(6, "created_timestamp"),
};
static const struct protobuf_message series_2 = PB_MESSAGE(series_2_fields);
static const struct protobuf_known request_2_fields[] = {
    PB_LIST(4, "symbols", PROTOBUF_STRING),
    PB_MANY(5, "timeseries", series_2),
};
static const struct protobuf_message request_2 = PB_MESSAGE(request_2_fields);

/* ---- labels ---- */

struct text_pair {
    struct slice name, value;
};

struct walk {
    struct arena *arena;
    struct buffer *records;
    struct buffer event, hints;
    struct remote_write_counts *counts;
    const struct json_node **symbols; /* 2.0 */
    uint32_t symbol_count;
    /* the series */
    struct text_pair *labels;
    uint32_t label_count;
    struct slice name;
    const struct json_node *series, *metadata;
    struct err *err;
};

static int symbol(struct walk *walk, const struct json_node *ref, struct slice *out)
{
    uint64_t n;
    if (!slice_to_u64(ref->text, &n) || n >= walk->symbol_count)
        return err_set(walk->err, ERR_INPUT, "the request refers to symbol %.*s, but has %u symbols",
                       SLICE_ARG(ref->text), walk->symbol_count);
    *out = walk->symbols[n]->text;
    return 0;
}

/* Labels of a series or an exemplar, in either version. */
static int read_labels(struct walk *walk, const struct json_node *owner, struct text_pair **out, uint32_t *count)
{
    const struct json_node *list = json_get(owner, "labels"), *refs = json_get(owner, "labels_refs");
    *count = 0;
    *out = arena_array(walk->arena, (list ? list->count : 0) + (refs ? refs->count : 0) + 1, sizeof(**out));
    if (!*out)
        return err_nomem(walk->err);
    for (const struct json_node *node = list ? list->first : NULL; node; node = node->next)
        (*out)[(*count)++] = (struct text_pair){json_text_of(json_get(node, "name"), SLICE("")),
                                                json_text_of(json_get(node, "value"), SLICE(""))};
    for (const struct json_node *node = refs ? refs->first : NULL; node; node = node->next->next) {
        struct text_pair *pair = &(*out)[(*count)++];
        if (!node->next)
            return err_set(walk->err, ERR_INPUT, "the labels of a series are not pairs of a name and a value");
        if (symbol(walk, node, &pair->name) < 0 || symbol(walk, node->next, &pair->value) < 0)
            return -1;
    }
    return 0;
}

static void put_labels(struct json *json, const struct text_pair *labels, uint32_t count, bool with_name)
{
    json_key(json, "labels");
    json_open(json, '{');
    for (uint32_t i = 0; i < count; i++)
        if (with_name || !slice_is(labels[i].name, "__name__")) {
            json_key_slice(json, labels[i].name);
            json_text(json, labels[i].value);
        }
    json_close(json, '}');
}

/* ---- events ---- */

static void put_node(struct json *json, const struct json_node *node)
{
    bool list = node->kind == JSON_ARRAY;
    if (list || node->kind == JSON_OBJECT) {
        json_open(json, list ? '[' : '{');
        for (const struct json_node *child = node->first; child; child = child->next) {
            if (!list)
                json_key_slice(json, child->key);
            put_node(json, child);
        }
        json_close(json, list ? ']' : '}');
    } else if (node->kind == JSON_NUMBER) {
        json_raw(json, node->text);
    } else {
        json_text(json, node->text);
    }
}

/* protobuf leaves out what is 0. */
static void put_number(struct json *json, const char *key, const struct json_node *owner)
{
    const struct json_node *node = json_get(owner, key);
    json_key(json, key);
    if (node)
        put_node(json, node);
    else
        json_i64(json, 0);
}

/* All members but those that are written otherwise. */
static void put_others(struct json *json, const struct json_node *owner, const char *const *others)
{
    for (const struct json_node *child = owner->first; child; child = child->next) {
        bool other = false;
        for (size_t i = 0; others[i]; i++)
            other |= slice_is(child->key, others[i]);
        if (other)
            continue;
        json_key_slice(json, child->key);
        put_node(json, child);
    }
}

static void put_type(struct json *json, const struct json_node *type)
{
    static const char *const types[] = {"unknown",        "counter", "gauge", "histogram",
                                        "gaugehistogram", "summary", "info",  "stateset"};
    int64_t n = json_i64_of(type, 0);
    if (n >= 0 && n < (int64_t)ARRAY_COUNT(types))
        json_put_text(json, "type", slice_text(types[n]));
    else
        json_put_i64(json, "type", n);
}

static void begin(struct walk *walk, struct json *json, const char *kind)
{
    buffer_clear(&walk->event);
    buffer_clear(&walk->hints);
    json_init(json, &walk->event);
    json_open(json, '{');
    json_key(json, "prometheus");
    json_open(json, '{');
    json_put_text(json, "record", slice_text(kind));
    json_close(json, '}');
    json_key(json, "metric");
    json_open(json, '{');
}

static void end(struct walk *walk, struct json *json, const struct json_node *timestamp)
{
    int64_t time_ns;
    json_close(json, '}');
    delivery_put_hint(&walk->hints, "decoder", SLICE("prometheus"));
    if (!__builtin_mul_overflow(json_i64_of(timestamp, 0), NS_PER_MS, &time_ns))
        delivery_put_time_hint(&walk->hints, time_ns);
    delivery_put_record(walk->records, buffer_slice(&walk->event), buffer_slice(&walk->hints));
    walk->counts->events++;
}

/* What 2.0 says beside each series; the references were looked at before. */
static void put_metadata_2(struct walk *walk, struct json *json)
{
    static const char *const refs[] = {"help_ref", "unit_ref"}, *const names[] = {"help", "unit"};
    if (!walk->metadata)
        return;
    put_type(json, json_get(walk->metadata, "type"));
    for (size_t i = 0; i < ARRAY_COUNT(refs); i++) {
        const struct json_node *ref = json_get(walk->metadata, refs[i]);
        struct slice text = SLICE("");
        if (ref && symbol(walk, ref, &text) == 0 && text.len)
            json_put_text(json, names[i], text);
    }
}

static void begin_series(struct walk *walk, struct json *json, const char *kind)
{
    static const char *const not_of_series[] = {"labels",    "labels_refs", "samples", "histograms",
                                                "exemplars", "metadata",    NULL};
    begin(walk, json, kind);
    json_put_text(json, "name", walk->name);
    put_metadata_2(walk, json);
    put_others(json, walk->series, not_of_series);
}

/* The number that says whether the series has ended, the time, and what has no place of its own. */
static void end_series(struct walk *walk, struct json *json, const struct json_node *node, const char *number,
                       const char *const *written)
{
    put_number(json, number, node);
    if (slice_is(json_text_of(json_get(node, number), SLICE("")), "StaleNaN"))
        json_put_bool(json, "stale", true);
    put_number(json, "timestamp", node);
    put_others(json, node, written);
    json_close(json, '}');
    put_labels(json, walk->labels, walk->label_count, false);
    end(walk, json, json_get(node, "timestamp"));
}

static void put_sample(struct walk *walk, const struct json_node *node)
{
    static const char *const written[] = {"value", "timestamp", NULL};
    struct json json;
    begin_series(walk, &json, "sample");
    end_series(walk, &json, node, "value", written);
    walk->counts->samples++;
}

static void put_histogram(struct walk *walk, const struct json_node *node)
{
    static const char *const written[] = {"count", "sum", "timestamp", NULL};
    struct json json;
    begin_series(walk, &json, "histogram");
    if (!walk->metadata)
        json_put_text(&json, "type", SLICE("histogram"));
    put_number(&json, "count", node);
    end_series(walk, &json, node, "sum", written);
    walk->counts->histograms++;
}

static int put_exemplar(struct walk *walk, const struct json_node *node)
{
    static const char *const written[] = {"value", "timestamp", "labels", "labels_refs", NULL};
    struct json json;
    struct text_pair *labels;
    uint32_t count;
    if (read_labels(walk, node, &labels, &count) < 0)
        return -1;
    begin_series(walk, &json, "exemplar");
    json_key(&json, "exemplar");
    json_open(&json, '{');
    put_number(&json, "value", node);
    put_number(&json, "timestamp", node);
    put_labels(&json, labels, count, true);
    put_others(&json, node, written);
    json_close(&json, '}');
    json_close(&json, '}');
    put_labels(&json, walk->labels, walk->label_count, false);
    end(walk, &json, json_get(node, "timestamp"));
    walk->counts->exemplars++;
    return 0;
}

static void put_metadata_1(struct walk *walk, const struct json_node *node)
{
    static const char *const written[] = {"type", NULL};
    struct json json;
    begin(walk, &json, "metadata");
    put_type(&json, json_get(node, "type"));
    put_others(&json, node, written);
    json_close(&json, '}');
    end(walk, &json, NULL);
}

/* ---- the whole ---- */

static const struct json_node *first_of(const struct json_node *owner, const char *list)
{
    const struct json_node *node = json_get(owner, list);
    return node ? node->first : NULL;
}

static int put_series(struct walk *walk, const struct json_node *series)
{
    struct slice ignored;
    if (read_labels(walk, series, &walk->labels, &walk->label_count) < 0)
        return -1;
    walk->series = series;
    walk->metadata = json_get(series, "metadata");
    for (const struct json_node *node = walk->metadata ? walk->metadata->first : NULL; node; node = node->next)
        if (slice_ends(node->key, SLICE("_ref")) && symbol(walk, node, &ignored) < 0)
            return -1;
    walk->name = SLICE("");
    for (uint32_t i = 0; i < walk->label_count; i++)
        if (slice_is(walk->labels[i].name, "__name__"))
            walk->name = walk->labels[i].value;
    for (const struct json_node *node = first_of(series, "samples"); node; node = node->next)
        put_sample(walk, node);
    for (const struct json_node *node = first_of(series, "histograms"); node; node = node->next)
        put_histogram(walk, node);
    for (const struct json_node *node = first_of(series, "exemplars"); node; node = node->next)
        if (put_exemplar(walk, node) < 0)
            return -1;
    return 0;
}

static int read_symbols(struct walk *walk, const struct json_node *request)
{
    const struct json_node *list = json_get(request, "symbols");
    if (!list)
        return 0;
    walk->symbols = arena_array(walk->arena, list->count, sizeof(*walk->symbols));
    if (!walk->symbols)
        return err_nomem(walk->err);
    for (const struct json_node *node = list->first; node; node = node->next)
        walk->symbols[walk->symbol_count++] = node;
    return 0;
}

static int put_all(struct walk *walk, const struct json_node *request)
{
    if (read_symbols(walk, request) < 0)
        return -1;
    for (const struct json_node *node = first_of(request, "timeseries"); node; node = node->next)
        if (put_series(walk, node) < 0)
            return -1;
    for (const struct json_node *node = first_of(request, "metadata"); node; node = node->next)
        put_metadata_1(walk, node);
    if (walk->counts->events == 0 && json_get(request, "unknownFields"))
        return err_set(walk->err, ERR_INPUT,
                       "the body holds nothing that a remote write request has; is its Content-Type "
                       "of the right version (proto=prometheus.WriteRequest or io.prometheus.write.v2.Request)?");
    bool failed = buffer_failed(walk->records) || buffer_failed(&walk->event) || buffer_failed(&walk->hints);
    return failed ? err_set(walk->err, ERR_LIMIT,
                            "the samples are more than one request may hold when each has its "
                            "labels; send fewer at once (max_samples_per_send)")
                  : 0;
}

int remote_write_parse(bool version_2, struct slice body, struct buffer *records, struct remote_write_counts *counts,
                       struct err *err)
{
    struct walk walk = {.records = records, .counts = counts, .err = err};
    const struct json_node *request;
    *counts = (struct remote_write_counts){0};
    walk.arena = arena_new(WIRE_TREE_BYTES_MAX);
    if (!walk.arena)
        return err_nomem(err);
    buffer_init(&walk.event, JOURNAL_RECORD_BYTES_MAX);
    buffer_init(&walk.hints, JOURNAL_RECORD_BYTES_MAX);
    int result = protobuf_tree(body, version_2 ? &request_2 : &request_1, walk.arena, &request, err);
    if (result == 0)
        result = put_all(&walk, request);
    buffer_close(&walk.event);
    buffer_close(&walk.hints);
    arena_free(walk.arena);
    return result;
}
