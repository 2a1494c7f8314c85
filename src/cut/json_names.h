#pragma once
/*
 * cut/json_names: the members of JSON objects as a tree of names, each with its column, so that a stream whose
 * objects look alike has no name put together and no column looked up.
 *
 *   {"a":{"x":1,"y":2},"b":3}      root -> a -> x (column a.x), y (column a.y); b (column b)
 *
 * Each name guesses which one follows it, from the last time; what guesses miss is found by a table, and what
 * the table has lost is made anew. Members of arrays have the array's name.
 *
 * Ownership  Names live in the arena of the batch; they are forgotten when the batch begins anew.
 * Threads    One at a time. Zeroed memory is a valid start.
 * Limits     FIELD_NAME_MAX; JSON_NAMES in the table.
 */
#include "cut/columns.h"

enum { JSON_NAMES_LOG2 = 13 };

struct json_name {
    struct slice key;         /* as it stands in the object */
    struct json_name *object; /* whose member it is; NULL: a root */
    struct json_name *next;   /* the member behind it when its object was met last, or NULL */
    struct json_name *first;  /* its own first member then, or NULL */
    struct column *column;    /* NULL: not asked for yet */
    struct slice path;        /* the field's name */
};

struct json_names {
    struct batch *batch;
    struct {
        uint64_t life; /* of the batch whose name it is */
        struct json_name *name;
    } table[1 << JSON_NAMES_LOG2];
    struct columns columns;
};

/* The name that everything in an event stands under: "" or "aws.cloudtrail.". NULL when memory is out. */
MUST_USE struct json_name *json_names_begin(struct json_names *names, struct batch *batch, struct slice prefix);

/* The member of the object behind the one given (NULL: its first). key needs not live on. NULL with *too_long
 * when the field's name would be longer than FIELD_NAME_MAX; NULL without: memory is out. */
MUST_USE struct json_name *json_names_look_up(struct json_names *names, struct json_name *object, struct slice key,
                                              bool *too_long);

static inline struct json_name *json_names_member(struct json_names *names, struct json_name *object,
                                                  struct json_name *before, struct slice key, bool *too_long)
{
    struct json_name **guess = before ? &before->next : &object->first, *name = *guess;
    if (LIKELY(name && slice_equal_short(name->key, key)))
        return name;
    name = json_names_look_up(names, object, key, too_long);
    if (name)
        *guess = name;
    return name;
}

/* NULL when the batch has BATCH_COLUMNS_MAX columns, or memory is out. */
MUST_USE struct column *json_names_find_column(struct json_names *names, struct json_name *name);

MUST_USE static inline struct column *json_names_column(struct json_names *names, struct json_name *name)
{
    const struct json_name *soon = name->next;
    if (soon && soon->column) { /* what is needed next is brought near */
        column_prefetch(soon->column);
        if (soon->next)
            __builtin_prefetch(soon->next->column);
    }
    return LIKELY(name->column != NULL) ? name->column : json_names_find_column(names, name);
}
