#pragma once
/*
 * collect/elastic_answer: what Elasticsearch's senders are answered, in the form that their code checks.
 *
 * Senders look for the literal "errors":false,"items":[ in an answer they did not read whole (Fluent Bit), so the
 * order of members and the missing white space are part of it.
 * Source  Elasticsearch 8 reference, "Bulk API", "Index API", "Common options" (filter_path).
 */
#include "collect/http/elastic_bulk.h"

enum elastic_member {
    ELASTIC_M_INDEX, ELASTIC_M_ID, ELASTIC_M_VERSION, ELASTIC_M_RESULT, ELASTIC_M_SHARDS, ELASTIC_M_SEQ_NO,
    ELASTIC_M_PRIMARY_TERM, ELASTIC_M_STATUS, ELASTIC_M_ERROR, ELASTIC_MEMBERS
};

/* What of an answer the sender wants: filter_path, patterns with commas between ("items.*.error,errors,-took"). */
struct elastic_filter {
    bool took, errors;
    bool member[ELASTIC_ACTIONS][ELASTIC_MEMBERS];
};
void elastic_filter_read(struct elastic_filter *filter, struct slice filter_path); /* SLICE_NONE: everything */

/* first_seq: hinomi.seq of the first event; an _id that nobody gave is the event's hinomi.seq. */
void elastic_answer_bulk(const struct elastic_bulk *bulk, const struct elastic_filter *filter, uint64_t first_seq,
                         struct buffer *to);
/* Of one stored document. */
void elastic_answer_document(const struct elastic_item *item, uint64_t seq, struct buffer *to);
void elastic_answer_error(int status, const char *type, struct slice reason, struct buffer *to);
