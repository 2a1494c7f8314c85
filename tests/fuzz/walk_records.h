/* What fuzz targets of request bodies ask of the records that came out. */
#include "base/arena.h"
#include "cut/json_tree.h"
#include "event/delivery.h"

#include <assert.h>

/* As many as were counted, whole; json: each of them is one JSON object, as are the fields among the hints. */
static inline void walk_records(const struct buffer *records, uint32_t count, bool json)
{
    struct delivery delivery = {.framing = FRAMING_RECORDS, .body = buffer_slice(records)};
    struct delivery_event event;
    size_t at = 0;
    uint32_t seen = 0;
    bool damaged = false;
    while (delivery_next(&delivery, &at, &event, &damaged)) {
        struct slice text = json ? event.raw : delivery_hint(event.hints, "fields");
        struct arena *arena = arena_new(64 * 1024 * 1024);
        const struct json_node *tree;
        struct err err;
        bool read = arena && json_tree_parse(text, arena, &tree, &err) == 0;
        assert(read || err.code == ERR_LIMIT || err.code == ERR_NOMEM); /* too deep, too many */
        arena_free(arena);
        seen++;
    }
    assert(!damaged && seen == count);
}

/* For a target whose first byte says which kind of body the rest is: what parse() takes is walked. */
static inline int walk_body(const uint8_t *data, size_t size, bool json,
                            int (*parse)(uint8_t which, struct slice body, struct buffer *records, uint32_t *count, struct err *err))
{
    struct buffer records;
    struct err err;
    uint32_t count;
    if (size == 0)
        return 0;
    buffer_init(&records, 1024 * 1024);
    if (parse(data[0], slice_of(data + 1, size - 1), &records, &count, &err) == 0)
        walk_records(&records, count, json);
    buffer_close(&records);
    return 0;
}
