#include "collect/http/loki_parse.h"

#include "base/json.h"
#include "base/limits.h"
#include "base/time.h"
#include "base/unescape.h"
#include "cut/protobuf.h"
#include "event/delivery.h"

/* ---- the messages ---- */

static const struct protobuf_known pair_fields[] = {PB_STRING(1, "name"), PB_STRING(2, "value")};
static const struct protobuf_message pair = PB_MESSAGE(pair_fields);
static const struct protobuf_known timestamp_fields[] = {PB_INT(1, "seconds"), PB_INT(2, "nanos")};
static const struct protobuf_message timestamp = PB_MESSAGE(timestamp_fields);
static const struct protobuf_known entry_fields[] = {
    PB_ONE(1, "ts", timestamp),
    PB_STRING(2, "line"),
    PB_MANY(3, "structuredMetadata", pair),
    PB_MANY(4, "parsed", pair),
};
static const struct protobuf_message entry = PB_MESSAGE(entry_fields);
static const struct protobuf_known stream_fields[] = {
    PB_STRING(1, "labels"),
    PB_MANY(2, "entries", entry),
    PB_UINT(3, "hash"),
};
static const struct protobuf_message stream = PB_MESSAGE(stream_fields);
static const struct protobuf_known push_fields[] = {PB_MANY(1, "streams", stream), PB_STRING(2, "format")};
static const struct protobuf_message push = PB_MESSAGE(push_fields);

/* ---- labels ---- */

enum known_label { LABEL_HOST, LABEL_SOURCE, LABEL_SERVICE, LABEL_TRACE, LABELS_KNOWN };

/* What labels mean, the surest name first. */
static const char *const names[LABELS_KNOWN][6] = {
    [LABEL_HOST] = {"host", "hostname", "node_name", "nodename", "instance", NULL},
    [LABEL_SOURCE] = {"filename", NULL},
    [LABEL_SERVICE] = {"service_name", "service", "app", NULL},
    [LABEL_TRACE] = {"trace_id", "traceID", NULL},
};

struct known {
    struct slice text;
    size_t rank; /* place of the name + 1 */
};

struct walk {
    struct buffer *records;
    uint32_t count;
    struct buffer hints, fields;
    struct buffer labels; /* of the stream: members of a JSON object */
    struct buffer pair;
    struct known stream[LABELS_KNOWN];
    struct known entry[LABELS_KNOWN];
    struct arena *arena;
    struct err *err;
};

static void put_label(struct known *known, struct json *json, struct slice name, struct slice value)
{
    json_key_slice(json, name);
    json_text(json, value);
    for (size_t i = 0; i < LABELS_KNOWN; i++)
        for (size_t j = 0; names[i][j]; j++)
            if (slice_is(name, names[i][j]) && value.len && (!known[i].rank || j + 1 < known[i].rank))
                known[i] = (struct known){value, j + 1};
}

/* A label in the text form, name="value" or name=`value`, off *text. False at what is none. */
static bool take_label(struct walk *walk, struct slice *text, struct slice *name, struct slice *value)
{
    struct slice rest;
    if (!slice_cut(*text, '=', name, &rest))
        return false;
    *name = slice_trim(*name);
    rest = slice_trim(rest);
    char quote = rest.len ? rest.ptr[0] : '\0';
    if ((quote != '"' && quote != '`') || name->len == 0)
        return false;
    size_t end = 1;
    while (end < rest.len && rest.ptr[end] != quote)
        end += quote == '"' && rest.ptr[end] == '\\' ? 2 : 1;
    if (end >= rest.len)
        return false;
    *value = slice_sub(rest, 1, end - 1);
    if (quote == '"' && slice_find_char(*value, '\\') >= 0)
        *value = unescape_backslash(*value, walk->arena);
    *text = slice_trim(slice_from(rest, end + 1));
    return value->ptr != NULL;
}

/* {a="b", c="d"}: false when it is not so. */
static bool put_label_text(struct walk *walk, struct json *json, struct slice text)
{
    struct slice name, value;
    text = slice_trim(text);
    if (text.len < 2 || text.ptr[0] != '{' || text.ptr[text.len - 1] != '}')
        return false;
    text = slice_trim(slice_sub(text, 1, text.len - 2));
    while (text.len) {
        if (!take_label(walk, &text, &name, &value))
            return false;
        put_label(walk->stream, json, name, value);
        if (text.len && text.ptr[0] != ',')
            return false;
        text = slice_trim(slice_from(text, 1));
    }
    return true;
}

/* Whether the stream has this label with this value: some senders repeat them beside each line. A quote within a text
 * is escaped, so "name":"value" is nowhere else. */
static bool is_of_stream(struct walk *walk, struct slice name, struct slice value)
{
    struct json json;
    buffer_clear(&walk->pair);
    json_init(&json, &walk->pair);
    json_key_slice(&json, name);
    json_text(&json, value);
    return slice_find(buffer_slice(&walk->labels), buffer_slice(&walk->pair)) >= 0;
}

/* Labels and metadata: {"name": "value"} or [{"name": "a", "value": "b"}]. Another value than a text keeps its form.
 */
static void put_labels(struct walk *walk, struct known *known, struct json *json, const struct json_node *node)
{
    if (!node || (node->kind != JSON_OBJECT && node->kind != JSON_ARRAY))
        return;
    for (const struct json_node *child = node->first; child; child = child->next) {
        bool member = node->kind == JSON_OBJECT;
        struct slice name = member ? child->key : json_text_of(json_get(child, "name"), SLICE("unparsed"));
        const struct json_node *value = member ? child : json_get(child, "value");
        struct slice text = value ? value->text : SLICE("");
        if (known == walk->stream || !is_of_stream(walk, name, text))
            put_label(known, json, name, text);
    }
}

static void begin_stream(struct walk *walk, const struct json_node *node)
{
    struct json json;
    const struct json_node *text = json_get(node, "labels"), *object = json_get(node, "stream");
    memset(walk->stream, 0, sizeof(walk->stream));
    buffer_clear(&walk->labels);
    json_init(&json, &walk->labels);
    if (text && text->kind == JSON_STRING && !put_label_text(walk, &json, text->text))
        json_put_text(&json, "unparsed", text->text);
    if (text && text->kind != JSON_STRING)
        put_labels(walk, walk->stream, &json, text);
    put_labels(walk, walk->stream, &json, object);
}

/* ---- lines ---- */

/* ns as a number or a text, RFC 3339, or seconds and nanos; false when it is none of these. */
static bool time_of(const struct json_node *node, int64_t *out)
{
    bool zone_seen;
    if (node->kind == JSON_OBJECT)
        return !__builtin_mul_overflow(json_i64_of(json_get(node, "seconds"), 0), NS_PER_SECOND, out) &&
               !__builtin_add_overflow(json_i64_of(json_get(node, "nanos"), 0), *out, out);
    return slice_to_i64(node->text, out) || time_parse_rfc3339(node->text, out, &zone_seen);
}

static void put_named(struct walk *walk, struct json *json, const char *object, const char *name,
                      enum known_label label)
{
    if (!walk->entry[label].rank)
        return;
    json_key(json, object);
    json_open(json, '{');
    json_put_text(json, name, walk->entry[label].text);
    json_close(json, '}');
}

static void put_line(struct walk *walk, const struct json_node *line, const struct json_node *time,
                     const struct json_node *metadata, const struct json_node *parsed)
{
    struct json json;
    int64_t time_ns = 0;
    bool readable = time && time_of(time, &time_ns);
    memcpy(walk->entry, walk->stream, sizeof(walk->entry));
    buffer_clear(&walk->hints);
    buffer_clear(&walk->fields);
    json_init(&json, &walk->fields);
    json_open(&json, '{');
    json_key(&json, "labels");
    json_open(&json, '{');
    if (walk->labels.len)
        json_raw(&json, buffer_slice(&walk->labels));
    put_labels(walk, walk->entry, &json, metadata);
    put_labels(walk, walk->entry, &json, parsed);
    json_close(&json, '}');
    put_named(walk, &json, "service", "name", LABEL_SERVICE);
    put_named(walk, &json, "trace", "id", LABEL_TRACE);
    if (time && !readable && time->text.len) {
        json_key(&json, "loki");
        json_open(&json, '{');
        json_put_text(&json, "timestamp", time->text);
        json_close(&json, '}');
    }
    json_close(&json, '}');
    delivery_put_time_hint(&walk->hints, time_ns);
    if (walk->entry[LABEL_HOST].rank)
        delivery_put_hint(&walk->hints, "host", walk->entry[LABEL_HOST].text);
    if (walk->entry[LABEL_SOURCE].rank)
        delivery_put_hint(&walk->hints, "source", walk->entry[LABEL_SOURCE].text);
    delivery_put_hint(&walk->hints, "fields", buffer_slice(&walk->fields));
    if (line && line->text.len)
        walk->count += delivery_put_event(walk->records, line->text, buffer_slice(&walk->hints));
    else {
        delivery_put_record(walk->records, SLICE(""), buffer_slice(&walk->hints));
        walk->count++;
    }
}

static int put_value(struct walk *walk, const struct json_node *node)
{
    if (node->kind == JSON_OBJECT) { /* an entry */
        const struct json_node *time = json_get(node, "ts");
        put_line(walk, json_get(node, "line"), time ? time : json_get(node, "timestamp"),
                 json_get(node, "structuredMetadata"), json_get(node, "parsed"));
        return 0;
    }
    const struct json_node *time = node->first, *line = time ? time->next : NULL;
    if (node->kind != JSON_ARRAY || !line || line->kind != JSON_STRING)
        return err_set(walk->err, ERR_INPUT, "an entry of \"values\" should be [\"time in ns\", \"line\"]");
    put_line(walk, line, time, line->next, NULL);
    return 0;
}

static int put_streams(struct walk *walk, const struct json_node *request)
{
    static const char *const lists[] = {"values", "entries"};
    const struct json_node *streams = json_get(request, "streams");
    if (!streams || streams->kind != JSON_ARRAY)
        return request->count == 0 && request->kind == JSON_OBJECT
                   ? 0
                   : err_set(walk->err, ERR_INPUT, "the body should be an object with a list \"streams\"");
    for (const struct json_node *node = streams->first; node; node = node->next) {
        begin_stream(walk, node);
        for (size_t i = 0; i < ARRAY_COUNT(lists); i++) {
            const struct json_node *list = json_get(node, lists[i]);
            for (const struct json_node *value = list ? list->first : NULL; value; value = value->next)
                if (put_value(walk, value) < 0)
                    return -1;
        }
    }
    bool failed = buffer_failed(walk->records) || buffer_failed(&walk->hints) || buffer_failed(&walk->fields) ||
                  buffer_failed(&walk->labels) || buffer_failed(&walk->pair);
    return failed ? err_set(walk->err, ERR_LIMIT,
                            "the lines are more than one request may hold when each has its "
                            "labels; send fewer at once")
                  : 0;
}

int loki_parse(bool json, struct slice body, struct buffer *records, uint32_t *event_count, struct err *err)
{
    struct walk walk = {.records = records, .err = err};
    struct buffer *const own[] = {&walk.hints, &walk.fields, &walk.labels, &walk.pair};
    const struct json_node *request = NULL;
    *event_count = 0;
    walk.arena = arena_new(WIRE_TREE_BYTES_MAX);
    if (!walk.arena)
        return err_nomem(err);
    for (size_t i = 0; i < ARRAY_COUNT(own); i++)
        buffer_init(own[i], JOURNAL_RECORD_BYTES_MAX);
    int result = json ? json_tree_parse(body, walk.arena, &request, err)
                      : protobuf_tree(body, &push, walk.arena, &request, err);
    if (result == 0)
        result = put_streams(&walk, request);
    *event_count = walk.count;
    for (size_t i = 0; i < ARRAY_COUNT(own); i++)
        buffer_close(own[i]);
    arena_free(walk.arena);
    return result;
}
