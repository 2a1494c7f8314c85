#pragma once
/*
 * collect/elastic_bulk: the body of Elasticsearch's _bulk into a delivery body (RECORDS).
 *
 *   {"create":{"_index":"logs-web","_id":"7"}}     action: index, create, update or delete
 *   {"@timestamp":"...","message":"..."}           document, one line; not behind a delete
 *
 * A document's bytes are the event, whatever they are: a broken one is stored as it came and marked when it is
 * decoded, since shippers throw away what is answered with 400. Its index and _id become the hints "index" and "id".
 *
 * Ownership  Items live until elastic_bulk_close(), in any case; their texts borrow from the body and index.
 * Limits     BULK_ANSWER_BYTES_MAX (ERR_LIMIT: send fewer items), BULK_NAME_MAX bytes of an index or id.
 * Errors     -1, ERR_INPUT: a line that should be an action is none, so nothing behind it can be told apart; the body
 *            is refused as a whole, and the sentence names the line.
 * Source     Elasticsearch 8 reference, "Bulk API".
 */
#include "base/buffer.h"
#include "base/err.h"

enum elastic_action { ELASTIC_INDEX, ELASTIC_CREATE, ELASTIC_UPDATE, ELASTIC_DELETE, ELASTIC_ACTIONS };
extern const char *const elastic_action_names[ELASTIC_ACTIONS];

enum elastic_problem {
    ELASTIC_STORED,      /* an event of the records */
    ELASTIC_CHANGES,     /* update, delete: what was stored is not changed */
    ELASTIC_NO_DOCUMENT, /* there is none, or an empty line: nothing to store */
};

struct elastic_item {
    struct slice index, id; /* as they stand in JSON, without quotes, escapes left; none: not said */
    uint8_t action, problem;
};

struct elastic_bulk {
    struct elastic_item *items; /* in order */
    uint32_t item_count;
    uint32_t event_count;
    bool ids; /* every event has an id of its sender */
};

/* Appends records. index is what the URL names, as JSON without quotes, or none. */
MUST_USE int elastic_bulk_parse(struct slice body, struct slice index, struct buffer *records,
                                struct elastic_bulk *out, struct err *err);
void elastic_bulk_close(struct elastic_bulk *bulk);

/* One document (POST /INDEX/_doc): white space around it is not part of the event. False when there is nothing else. */
bool elastic_document(struct slice body, const struct elastic_item *item, struct buffer *records);
