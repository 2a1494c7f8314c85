#include "collect/http/elastic_bulk.h"

#include "base/limits.h"
#include "base/mem.h"
#include "base/utf8.h"
#include "cut/json_skim.h"
#include "event/delivery.h"

const char *const elastic_action_names[ELASTIC_ACTIONS] = {"index", "create", "update", "delete"};

enum { ITEMS_FIRST = 256, ANSWER_ITEM_BYTES = 400 /* with an error, without its names */ };

struct bulk {
    struct slice rest;  /* of the body */
    struct slice index; /* what the URL names */
    struct buffer *records;
    struct buffer hints, word;
    struct elastic_bulk *out;
    uint32_t size; /* of out->items */
    size_t answer_bytes;
    size_t line_number; /* from 1 */
    /* Senders that give no ids repeat one action line: what it said is kept. */
    struct slice action_line;
    struct elastic_item item;
    struct err *err;
};

/* The name as it stands; none for null. False: not a text or number, too long, or broken inside. */
static bool take_name(struct bulk *bulk, struct slice value, struct slice *out)
{
    *out = SLICE_NONE;
    if (slice_is(value, "null"))
        return true;
    struct slice text = json_skim_text(value);
    if (value.ptr[0] == '{' || value.ptr[0] == '[' || text.len > BULK_NAME_MAX || !utf8_valid(text))
        return false;
    if (slice_find_char(text, '\\') >= 0) {
        buffer_clear(&bulk->word);
        if (!json_skim_unescape(text, &bulk->word))
            return false;
    }
    if (text.len)
        *out = text;
    return true;
}

static bool read_names(struct bulk *bulk, struct slice object)
{
    struct json_skim skim = {.text = object, .err = bulk->err};
    struct slice key, value;
    int step;
    if (!json_skim_open(&skim))
        return false;
    while ((step = json_skim_member(&skim, &key, &value)) > 0) {
        struct slice *to = slice_is(key, "_index") ? &bulk->item.index : slice_is(key, "_id") ? &bulk->item.id : NULL;
        if (to && !take_name(bulk, value, to))
            return json_skim_wrong(&skim, "an _index or _id is no text, too long or broken");
    }
    return step == 0;
}

static uint8_t action_of(struct slice key)
{
    uint8_t action = 0;
    while (action < ELASTIC_ACTIONS && !slice_is(key, elastic_action_names[action]))
        action++;
    return action;
}

/* Other members beside the action are passed over: some libraries leave notes of their own there. */
static bool read_action(struct bulk *bulk, struct slice line)
{
    struct json_skim skim = {.text = line, .err = bulk->err};
    struct slice key, value, names = SLICE_NONE;
    uint8_t action = ELASTIC_ACTIONS;
    int step;
    json_skim_space(&skim);
    if (!json_skim_open(&skim))
        return false;
    while ((step = json_skim_member(&skim, &key, &value)) > 0) {
        if (action_of(key) == ELASTIC_ACTIONS)
            continue;
        if (names.ptr)
            return json_skim_wrong(&skim, "one action a line is needed");
        action = action_of(key);
        names = value;
    }
    if (step < 0)
        return false;
    if (!names.ptr)
        return json_skim_wrong(&skim, "index, create, update or delete is needed as the action");
    json_skim_space(&skim);
    if (skim.at < line.len)
        return json_skim_wrong(&skim, "something stands behind the action");
    bulk->item = (struct elastic_item){.action = action, .index = bulk->index};
    return read_names(bulk, names);
}

/* The name without its escapes, as a hint. */
static void put_name(struct bulk *bulk, const char *key, struct slice name)
{
    if (!name.ptr)
        return;
    if (slice_find_char(name, '\\') >= 0) {
        buffer_clear(&bulk->word);
        (void)json_skim_unescape(name, &bulk->word);
        name = buffer_slice(&bulk->word);
    }
    delivery_put_hint(&bulk->hints, key, name);
}

static int take_action(struct bulk *bulk, struct slice line)
{
    if (slice_equal(line, bulk->action_line))
        return 0;
    err_clear(bulk->err);
    if (!read_action(bulk, line))
        return err_within(bulk->err, "line %zu is no action of _bulk", bulk->line_number);
    bulk->action_line = line;
    buffer_clear(&bulk->hints);
    put_name(bulk, "index", bulk->item.index);
    put_name(bulk, "id", bulk->item.id);
    return 0;
}

static struct elastic_item *new_item(struct bulk *bulk)
{
    struct elastic_bulk *out = bulk->out;
    bulk->answer_bytes += ANSWER_ITEM_BYTES + bulk->item.index.len + bulk->item.id.len;
    if (bulk->answer_bytes > BULK_ANSWER_BYTES_MAX) {
        err_set(bulk->err, ERR_LIMIT, "the answer to so many items would be too long; send smaller batches");
        return NULL;
    }
    if (out->item_count == bulk->size) {
        uint32_t size = bulk->size ? bulk->size * 2 : ITEMS_FIRST;
        struct elastic_item *items = mem_realloc(out->items, size * sizeof(*items));
        if (!items) {
            err_nomem(bulk->err);
            return NULL;
        }
        out->items = items;
        bulk->size = size;
    }
    return &out->items[out->item_count++];
}

/* False at the end. */
static bool next_line(struct bulk *bulk, struct slice *line)
{
    bulk->line_number++;
    return slice_next_line(&bulk->rest, line);
}

static void take_document(struct bulk *bulk, struct elastic_item *item)
{
    struct slice line;
    if (item->action == ELASTIC_DELETE) {
        item->problem = ELASTIC_CHANGES;
        return;
    }
    if (!next_line(bulk, &line) || slice_trim(line).len == 0)
        item->problem = ELASTIC_NO_DOCUMENT;
    else if (item->action == ELASTIC_UPDATE)
        item->problem = ELASTIC_CHANGES;
    else {
        item->problem = ELASTIC_STORED;
        delivery_put_record(bulk->records, line, buffer_slice(&bulk->hints));
        bulk->out->event_count++;
        bulk->out->ids = bulk->out->ids && item->id.ptr;
    }
}

static int parse(struct bulk *bulk)
{
    struct slice line;
    while (next_line(bulk, &line)) {
        if (slice_trim(line).len == 0)
            continue;
        if (take_action(bulk, line) < 0)
            return -1;
        struct elastic_item *item = new_item(bulk);
        if (!item)
            return -1;
        *item = bulk->item;
        take_document(bulk, item);
    }
    return 0;
}

int elastic_bulk_parse(struct slice body, struct slice index, struct buffer *records, struct elastic_bulk *out,
                       struct err *err)
{
    struct bulk bulk = {.rest = body, .index = index, .records = records, .out = out, .err = err};
    *out = (struct elastic_bulk){.ids = true};
    buffer_init(&bulk.hints, 16 * BULK_NAME_MAX);
    buffer_init(&bulk.word, 16 * BULK_NAME_MAX);
    int result = parse(&bulk);
    out->ids = out->ids && out->event_count > 0;
    if (result == 0 && (buffer_failed(&bulk.hints) || buffer_failed(&bulk.word)))
        result = err_nomem(err);
    buffer_close(&bulk.hints);
    buffer_close(&bulk.word);
    return result;
}

void elastic_bulk_close(struct elastic_bulk *bulk)
{
    mem_free(bulk->items);
    *bulk = (struct elastic_bulk){0};
}

bool elastic_document(struct slice body, const struct elastic_item *item, struct buffer *records)
{
    struct slice document = slice_trim(body);
    struct bulk bulk = {.item = *item};
    if (document.len == 0)
        return false;
    buffer_init(&bulk.hints, 16 * BULK_NAME_MAX);
    buffer_init(&bulk.word, 16 * BULK_NAME_MAX);
    put_name(&bulk, "index", item->index);
    put_name(&bulk, "id", item->id);
    delivery_put_record(records, document, buffer_slice(&bulk.hints));
    buffer_close(&bulk.hints);
    buffer_close(&bulk.word);
    return true;
}
