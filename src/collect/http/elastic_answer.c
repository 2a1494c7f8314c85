#include "collect/http/elastic_answer.h"

#include "base/json.h"

#include <stdio.h>

static const char *const members[ELASTIC_MEMBERS] = {
    [ELASTIC_M_INDEX] = "_index",   [ELASTIC_M_ID] = "_id",         [ELASTIC_M_VERSION] = "_version",
    [ELASTIC_M_RESULT] = "result",  [ELASTIC_M_SHARDS] = "_shards", [ELASTIC_M_SEQ_NO] = "_seq_no",
    [ELASTIC_M_PRIMARY_TERM] = "_primary_term", [ELASTIC_M_STATUS] = "status", [ELASTIC_M_ERROR] = "error",
};

/* Whether one is the beginning of the other: "items" and "items.*.error.type" both ask for items.index.error.
 * whole: the pattern has to end first. */
static bool path_matches(struct slice path, struct slice pattern, bool whole)
{
    struct slice part, name;
    if (!pattern.ptr)
        return true;
    if (!path.ptr)
        return !whole;
    struct slice rest = pattern, below = path;
    if (!slice_next_part(&rest, '.', &part) || !slice_next_part(&below, '.', &name))
        return false;
    if (slice_is(part, "**"))
        return path_matches(path, rest, whole) || (below.ptr && path_matches(below, pattern, whole));
    return slice_matches_stars(name, part) && path_matches(below, rest, whole);
}

static bool is_wanted(struct slice filter_path, const char *path_text)
{
    struct slice patterns = filter_path, pattern, path = slice_text(path_text);
    bool wanted = false, names_some = false;
    while (slice_next_part(&patterns, ',', &pattern)) {
        pattern = slice_trim(pattern);
        if (slice_starts(pattern, SLICE("-"))) {
            if (path_matches(path, slice_from(pattern, 1), true))
                return false;
        } else if (pattern.len) {
            names_some = true;
            wanted = wanted || path_matches(path, pattern, false);
        }
    }
    return wanted || !names_some;
}

void elastic_filter_read(struct elastic_filter *filter, struct slice filter_path)
{
    filter->took = is_wanted(filter_path, "took");
    filter->errors = is_wanted(filter_path, "errors");
    for (int action = 0; action < ELASTIC_ACTIONS; action++)
        for (int member = 0; member < ELASTIC_MEMBERS; member++) {
            char path[64];
            snprintf(path, sizeof(path), "items.%s.%s", elastic_action_names[action], members[member]);
            filter->member[action][member] = is_wanted(filter_path, path);
        }
}

static const struct {
    const char *type, *reason;
} problems[] = {
    [ELASTIC_CHANGES] = {"illegal_argument_exception",
                         "what is stored here is evidence and is not changed: use index or create, not update or delete"},
    [ELASTIC_NO_DOCUMENT] = {"illegal_argument_exception", "the line with the document is missing or empty"},
};

/* Writes members of one item; several million of them a second. */
struct item_writer {
    struct buffer *to;
    const bool *wanted;
    bool comma;
};

static bool begin(struct item_writer *writer, enum elastic_member member)
{
    if (!writer->wanted[member])
        return false;
    buffer_put(writer->to, writer->comma ? SLICE(",\"") : SLICE("\""));
    buffer_put_text(writer->to, members[member]);
    buffer_put(writer->to, SLICE("\":"));
    writer->comma = true;
    return true;
}

static void put_names(struct item_writer *writer, const struct elastic_item *item, uint64_t seq)
{
    if (begin(writer, ELASTIC_M_INDEX)) {
        buffer_put_char(writer->to, '"');
        buffer_put(writer->to, item->index.ptr ? item->index : SLICE("hinomi"));
        buffer_put_char(writer->to, '"');
    }
    if ((item->id.ptr || item->problem == ELASTIC_STORED) && begin(writer, ELASTIC_M_ID)) {
        buffer_put_char(writer->to, '"');
        if (item->id.ptr)
            buffer_put(writer->to, item->id);
        else
            buffer_put_u64(writer->to, seq);
        buffer_put_char(writer->to, '"');
    }
}

static void put_stored(struct item_writer *writer, uint64_t seq)
{
    if (begin(writer, ELASTIC_M_VERSION))
        buffer_put_char(writer->to, '1');
    if (begin(writer, ELASTIC_M_RESULT))
        buffer_put(writer->to, SLICE("\"created\""));
    if (begin(writer, ELASTIC_M_SHARDS))
        buffer_put(writer->to, SLICE("{\"total\":1,\"successful\":1,\"failed\":0}"));
    if (begin(writer, ELASTIC_M_SEQ_NO))
        buffer_put_u64(writer->to, seq);
    if (begin(writer, ELASTIC_M_PRIMARY_TERM))
        buffer_put_char(writer->to, '1');
}

static void put_item(struct item_writer *writer, const struct elastic_item *item, uint64_t seq, bool status)
{
    buffer_put_char(writer->to, '{');
    put_names(writer, item, seq);
    if (item->problem == ELASTIC_STORED)
        put_stored(writer, seq);
    if (status && begin(writer, ELASTIC_M_STATUS))
        buffer_put(writer->to, item->problem == ELASTIC_STORED ? SLICE("201") : SLICE("400"));
    if (item->problem != ELASTIC_STORED && begin(writer, ELASTIC_M_ERROR))
        buffer_printf(writer->to, "{\"type\":\"%s\",\"reason\":\"%s\"}", problems[item->problem].type,
                      problems[item->problem].reason);
    buffer_put_char(writer->to, '}');
}

static bool wants_any(const bool *wanted)
{
    for (int member = 0; member < ELASTIC_MEMBERS; member++)
        if (wanted[member])
            return true;
    return false;
}

static void put_items(const struct elastic_bulk *bulk, const struct elastic_filter *filter, uint64_t seq, struct buffer *to)
{
    bool any[ELASTIC_ACTIONS], comma = false;
    for (int action = 0; action < ELASTIC_ACTIONS; action++)
        any[action] = wants_any(filter->member[action]);
    for (uint32_t i = 0; i < bulk->item_count; i++) {
        const struct elastic_item *item = &bulk->items[i];
        if (any[item->action]) {
            struct item_writer writer = {.to = to, .wanted = filter->member[item->action]};
            buffer_put(to, comma ? SLICE(",{\"") : SLICE("{\""));
            buffer_put_text(to, elastic_action_names[item->action]);
            buffer_put(to, SLICE("\":"));
            put_item(&writer, item, seq, true);
            buffer_put_char(to, '}');
            comma = true;
        }
        seq += item->problem == ELASTIC_STORED;
    }
}

void elastic_answer_bulk(const struct elastic_bulk *bulk, const struct elastic_filter *filter, uint64_t first_seq,
                         struct buffer *to)
{
    buffer_put_char(to, '{');
    if (filter->took)
        buffer_put(to, SLICE("\"took\":0,"));
    if (filter->errors)
        buffer_put(to, bulk->event_count < bulk->item_count ? SLICE("\"errors\":true,") : SLICE("\"errors\":false,"));
    size_t before = to->len;
    buffer_put(to, SLICE("\"items\":["));
    size_t start = to->len;
    put_items(bulk, filter, first_seq, to);
    if (to->len > start)
        buffer_put_char(to, ']');
    else
        to->len = before > 1 ? before - 1 : before; /* no items wanted: neither the list nor the comma before it */
    buffer_put_char(to, '}');
}

void elastic_answer_document(const struct elastic_item *item, uint64_t seq, struct buffer *to)
{
    struct elastic_filter all;
    elastic_filter_read(&all, SLICE_NONE);
    struct item_writer writer = {.to = to, .wanted = all.member[item->action]};
    put_item(&writer, item, seq, false);
}

static void put_cause(struct json *json, const char *type, struct slice reason)
{
    json_put_text(json, "type", slice_text(type));
    json_put_text(json, "reason", reason);
}

void elastic_answer_error(int status, const char *type, struct slice reason, struct buffer *to)
{
    struct json json;
    json_init(&json, to);
    json_open(&json, '{');
    json_key(&json, "error");
    json_open(&json, '{');
    json_key(&json, "root_cause");
    json_open(&json, '[');
    json_open(&json, '{');
    put_cause(&json, type, reason);
    json_close(&json, '}');
    json_close(&json, ']');
    put_cause(&json, type, reason);
    json_close(&json, '}');
    json_put_i64(&json, "status", status);
    json_close(&json, '}');
}
