#include "collect/http/otlp_write.h"

/* ---- names ---- */

bool otlp_is_named(struct slice key, const char *name)
{
    size_t i = 0;
    for (; i < key.len && *name; i++, name++) {
        char c = key.ptr[i];
        if (c == '_' && i + 1 < key.len && key.ptr[i + 1] >= 'a' && key.ptr[i + 1] <= 'z')
            c = (char)(key.ptr[++i] - 'a' + 'A');
        if (c != *name)
            return false;
    }
    return i == key.len && !*name;
}

const struct json_node *otlp_get(const struct json_node *node, const char *name)
{
    if (!node || node->kind != JSON_OBJECT)
        return NULL;
    for (const struct json_node *child = node->first; child; child = child->next)
        if (otlp_is_named(child->key, name))
            return child;
    return NULL;
}

int64_t otlp_time(const struct json_node *node)
{
    int64_t time_ns = 0;
    bool text = node && (node->kind == JSON_NUMBER || node->kind == JSON_STRING);
    return text && slice_to_i64(node->text, &time_ns) ? time_ns : 0;
}

/* ---- values ---- */

static void put_plain(struct json *json, const struct json_node *node);

/* 64-bit numbers are texts in JSON (ProtoJSON), here numbers; also lists of them. */
static void put_integer(struct json *json, const struct json_node *node)
{
    int64_t i;
    uint64_t u;
    if (node->kind == JSON_ARRAY) {
        json_open(json, '[');
        for (const struct json_node *child = node->first; child; child = child->next)
            put_integer(json, child);
        json_close(json, ']');
    } else if (node->kind == JSON_STRING && slice_to_i64(node->text, &i)) {
        json_i64(json, i);
    } else if (node->kind == JSON_STRING && slice_to_u64(node->text, &u)) {
        json_u64(json, u);
    } else {
        put_plain(json, node);
    }
}

static void put_bytes(struct json *json, const struct json_node *node)
{
    json_open(json, '{');
    json_key(json, "base64");
    put_plain(json, node);
    json_close(json, '}');
}

/* Values lie within each other as deep as trees are (JSON_DEPTH_MAX, PROTOBUF_DEPTH_MAX). */
static void put_any(struct json *json, const struct json_node *node)
{
    const struct json_node *value = node->kind == JSON_OBJECT ? node->first : node;
    if (!value || node->count > 1) {
        if (value)
            put_plain(json, node);
        else
            json_null(json);
        return;
    }
    if (otlp_is_named(value->key, "intValue")) {
        put_integer(json, value);
    } else if (otlp_is_named(value->key, "bytesValue")) {
        put_bytes(json, value);
    } else if (otlp_is_named(value->key, "kvlistValue")) {
        otlp_put_attributes(json, otlp_get(value, "values"));
    } else if (otlp_is_named(value->key, "arrayValue")) {
        const struct json_node *values = otlp_get(value, "values");
        json_open(json, '[');
        for (const struct json_node *child = values ? values->first : NULL; child; child = child->next)
            put_any(json, child);
        json_close(json, ']');
    } else if (otlp_is_named(value->key, "stringValue") || otlp_is_named(value->key, "boolValue") ||
               otlp_is_named(value->key, "doubleValue")) {
        put_plain(json, value);
    } else {
        put_plain(json, node);
    }
}

void otlp_put_attributes(struct json *json, const struct json_node *list)
{
    if (list && list->kind != JSON_ARRAY) { /* not as it should be, but there */
        put_plain(json, list);
        return;
    }
    json_open(json, '{');
    for (const struct json_node *item = list ? list->first : NULL; item; item = item->next) {
        const struct json_node *key = otlp_get(item, "key"), *value = otlp_get(item, "value");
        bool usual = key && key->kind == JSON_STRING && item->count <= 2;
        json_key_slice(json, usual ? key->text : SLICE("unknownFields"));
        if (!usual)
            put_plain(json, item);
        else if (value)
            put_any(json, value);
        else
            json_null(json);
    }
    json_close(json, '}');
}

/* ---- enumerations ---- */

struct enumeration {
    const char *prefix; /* of the names in JSON */
    const char *names[6];
};

static const struct enumeration kinds = {"SPAN_KIND_",
                                         {"unspecified", "internal", "server", "client", "producer", "consumer"}};
static const struct enumeration codes = {"STATUS_CODE_", {"unset", "ok", "error"}};
static const struct enumeration temporalities = {"AGGREGATION_TEMPORALITY_", {"unspecified", "delta", "cumulative"}};

static void put_enumeration(struct json *json, const struct json_node *node, const struct enumeration *of)
{
    struct slice prefix = slice_text(of->prefix);
    for (size_t i = 0; i < 6 && of->names[i]; i++) {
        bool said = node->kind == JSON_NUMBER ? node->text.len == 1 && node->text.ptr[0] == (char)('0' + i)
                                              : node->kind == JSON_STRING && slice_starts(node->text, prefix) &&
                                                    slice_is_nocase(slice_from(node->text, prefix.len), of->names[i]);
        if (said) {
            json_text(json, slice_text(of->names[i]));
            return;
        }
    }
    put_plain(json, node);
}

static void put_kind(struct json *json, const struct json_node *node)
{
    put_enumeration(json, node, &kinds);
}

static void put_code(struct json *json, const struct json_node *node)
{
    put_enumeration(json, node, &codes);
}

static void put_temporality(struct json *json, const struct json_node *node)
{
    put_enumeration(json, node, &temporalities);
}

/* SEVERITY_NUMBER_WARN3 is 15. */
static void put_severity(struct json *json, const struct json_node *node)
{
    static const char *const levels[] = {"TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL"};
    struct slice prefix = SLICE("SEVERITY_NUMBER_"), name = slice_from(node->text, prefix.len);
    for (size_t i = 0; node->kind == JSON_STRING && slice_starts(node->text, prefix) && i < ARRAY_COUNT(levels);
         i++) {
        struct slice rest = slice_from(name, strlen(levels[i]));
        bool alone = rest.len == 0, counted = rest.len == 1 && rest.ptr[0] >= '2' && rest.ptr[0] <= '4';
        if (slice_starts(name, slice_text(levels[i])) && (alone || counted)) {
            json_i64(json, (int64_t)i * 4 + (alone ? 1 : rest.ptr[0] - '0'));
            return;
        }
    }
    put_plain(json, node);
}

/* Hex in small letters. */
static void put_identifier(struct json *json, const struct json_node *node)
{
    char room[32];
    if (node->kind != JSON_STRING || node->text.len > sizeof(room)) {
        put_plain(json, node);
        return;
    }
    bool hex = true;
    for (size_t i = 0; i < node->text.len; i++) {
        char c = node->text.ptr[i];
        hex &= (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'f');
        room[i] = c >= 'A' && c <= 'F' ? (char)(c | 0x20) : c;
    }
    json_text(json, hex ? slice_of(room, node->text.len) : node->text);
}

/* ---- members ---- */

static const struct special {
    const char *name;
    void (*put)(struct json *json, const struct json_node *node);
    const char *as; /* NULL: the name */
} specials[] = {
    {"attributes", otlp_put_attributes, NULL},
    {"filteredAttributes", otlp_put_attributes, "attributes"},
    {"metadata", otlp_put_attributes, NULL},
    {"body", put_any, NULL},
    {"timeUnixNano", put_integer, NULL},
    {"observedTimeUnixNano", put_integer, NULL},
    {"startTimeUnixNano", put_integer, NULL},
    {"endTimeUnixNano", put_integer, NULL},
    {"asInt", put_integer, "value"},
    {"asDouble", put_plain, "value"},
    {"count", put_integer, NULL},
    {"zeroCount", put_integer, NULL},
    {"bucketCounts", put_integer, NULL},
    {"severityNumber", put_severity, NULL},
    {"severityText", put_plain, NULL},
    {"eventName", put_plain, NULL},
    {"traceId", put_identifier, NULL},
    {"spanId", put_identifier, NULL},
    {"parentSpanId", put_identifier, NULL},
    {"traceState", put_plain, NULL},
    {"kind", put_kind, NULL},
    {"code", put_code, NULL},
    {"aggregationTemporality", put_temporality, "temporality"},
    {"isMonotonic", put_plain, "monotonic"},
    {"schemaUrl", put_plain, NULL},
    {"droppedAttributesCount", put_plain, NULL},
    {"droppedEventsCount", put_plain, NULL},
    {"droppedLinksCount", put_plain, NULL},
    {"explicitBounds", put_plain, NULL},
    {"quantileValues", put_plain, NULL},
    {"zeroThreshold", put_plain, NULL},
    {"entityRefs", put_plain, NULL},
    {"unknownFields", put_plain, NULL},
};

static bool is_among(struct slice key, const char *const *names)
{
    for (; names && *names; names++)
        if (otlp_is_named(key, *names))
            return true;
    return false;
}

void otlp_put_members(struct json *json, const struct json_node *node, const char *const *skip)
{
    for (const struct json_node *child = node ? node->first : NULL; child; child = child->next) {
        size_t i = 0;
        while (i < ARRAY_COUNT(specials) && !otlp_is_named(child->key, specials[i].name))
            i++;
        if (is_among(child->key, skip))
            continue;
        const char *as = i < ARRAY_COUNT(specials) ? specials[i].as ? specials[i].as : specials[i].name : NULL;
        json_key_slice(json, as ? slice_text(as) : child->key);
        (as ? specials[i].put : put_plain)(json, child);
    }
}

static void put_plain(struct json *json, const struct json_node *node)
{
    switch (node->kind) {
    case JSON_OBJECT:
        json_open(json, '{');
        otlp_put_members(json, node, NULL);
        json_close(json, '}');
        return;
    case JSON_ARRAY:
        json_open(json, '[');
        for (const struct json_node *child = node->first; child; child = child->next)
            put_plain(json, child);
        json_close(json, ']');
        return;
    case JSON_STRING:
        json_text(json, node->text);
        return;
    case JSON_NUMBER:
        json_raw(json, node->text);
        return;
    case JSON_TRUE:
        json_bool(json, true);
        return;
    case JSON_FALSE:
        json_bool(json, false);
        return;
    case JSON_NULL:
    case JSON_RAW:
        break;
    }
    json_null(json);
}
