#pragma once
/*
 * detect/value_memo: which tests of a column are true of a value, remembered from batch to batch: most
 * columns have few different values. Where hardly any value comes again nothing is remembered.
 *
 * Ownership  A memo owns copies of its keys; entries live until value_memo_forget().
 * Threads    One.
 * Limits     The bytes that it is given, about; values of up to MATCH_MEMO_VALUE_MAX bytes.
 */
#include "detect/column_tests.h"

struct memo_entry {
    struct slice key; /* none: of scratch */
    hit *hits;
    uint32_t count, size;
    uint8_t type, scale;
};

struct value_memo;

/* always: values are remembered even where hardly any comes again. */
MUST_USE struct value_memo *value_memo_new(uint32_t column_count, size_t bytes_max, bool always);
void value_memo_free(struct value_memo *memo); /* NULL is fine */

/* NULL when it is not known; then *lookup is for value_memo_put(). */
struct memo_lookup {
    struct slice key;
    uint64_t hash;
    bool worth; /* remembering */
};
struct memo_entry *value_memo_find(struct value_memo *memo, uint32_t column, const struct value *v,
                                   struct memo_lookup *lookup);
/* What was found out of a value that is not known: an entry in the memo, or in scratch when it is not worth
 * remembering or the memo is full. NULL when memory is out. */
MUST_USE struct memo_entry *value_memo_put(struct value_memo *memo, uint32_t column, const struct value *v,
                                           const struct memo_lookup *lookup, const hit *hits,
                                           uint32_t count, struct arena *scratch);
/* One answer more, if there is room: it would only be asked for again. */
void value_memo_learn(struct value_memo *memo, struct memo_entry *entry, hit answer);
/* It is time to forget all; never in the middle of a batch. */
bool value_memo_full(const struct value_memo *memo);
void value_memo_forget(struct value_memo *memo);

/* Values of a batch are rarely in the processor's cache: what will be looked up soon is asked for ahead. */
static inline void value_memo_ahead(const struct column *column, uint32_t i)
{
    if (column->values && i < column->count && column->values[i].type == VALUE_STRING)
        __builtin_prefetch(column->values[i].text);
}

struct memo_stats {
    uint64_t asked, known; /* values looked up, and found */
    size_t bytes;
};
struct memo_stats value_memo_stats(const struct value_memo *memo);
