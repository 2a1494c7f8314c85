#pragma once
/*
 * search/group: rows to numbered groups by the values of some fields.
 *
 * Each field's values are interned (value to number, once per distinct value; columns with
 * dictionary codes once per distinct code of a dictionary), and a group is a tuple of such
 * numbers. So a million rows over coded columns cost a few nanoseconds each.
 *
 * Values are the same when they have the same text: 1 and "1" are one group.
 *
 * Ownership  Everything lives in the arena.
 * Errors     -1: memory is out.
 */
#include "search/frame.h"

#define GROUP_NONE UINT32_MAX

struct intern {
    uint32_t *table; /* number + 1; open addressing; all but IPv4 addresses */
    uint32_t table_size, table_count;
    uint64_t *ip4; /* address << 32 | number + 1; open addressing */
    uint32_t ip4_size, ip4_count;
    uint64_t *hashes; /* by number, of those in table */
    uint32_t hash_room;
    struct value *values;
    uint32_t count, room;
    uint64_t epoch; /* of by_code */
    uint32_t *by_code;
    uint32_t code_room;
    struct value last; /* the value asked for last, and its number: runs are common */
    uint32_t last_id;
    bool borrows; /* values that are new now stay where they are */
};

/* Pairs of numbers to numbers. Small numbers go by a direct table, which stays in the cache. */
enum { PAIR_DIRECT_BITS = 8 };

struct pair_slot {
    uint64_t key; /* first << 32 | second, plus 1 */
    uint32_t id;
};

struct pair_table {
    uint32_t *direct; /* id + 1 */
    struct pair_slot *slots;
    uint32_t size, count;
    uint64_t last_key;
    uint32_t last_id;
};

struct grouper {
    struct arena *arena;
    const struct slice *fields;
    size_t field_count;
    uint64_t nullable;    /* bit per field: a missing value is a value of its own */
    struct value null_as; /* and is this one (VALUE_NULL: no other row has it) */
    bool frozen;          /* no group is made any more: grouper_rows leaves out rows of unknown ones */
    struct intern *keys;
    struct pair_table *pairs; /* one a field, from the second on */
    uint32_t *groups;         /* count * field_count numbers of values */
    uint32_t *tuple;          /* room for one */
    uint32_t count, room;
};

/* Which groups the selected rows of a frame belong to: rows ascending; a row with several values
 * in a field stands once for each. Rows that lack a field are not there. */
struct group_rows {
    uint32_t *rows;
    uint32_t *groups;
    uint32_t count;
};

/* How many rows of a frame are in each of its groups. */
struct group_tally {
    uint32_t *groups, *counts;
    uint32_t count;
};

MUST_USE int grouper_init(struct grouper *grouper, struct arena *arena, const struct slice *fields,
                          size_t field_count, uint64_t nullable);
/* out lives in the frame's arena. */
MUST_USE int grouper_rows(struct grouper *grouper, const struct frame *frame,
                          struct group_rows *out);
/* As grouper_rows where only the numbers of rows matter. 1, or 0: not with these columns, *out is
 * not set. */
MUST_USE int grouper_tally(struct grouper *grouper, const struct frame *frame,
                           struct group_tally *out);
/* The group of a value for each field, made when new; GROUP_NONE when memory is out. */
uint32_t grouper_find(struct grouper *grouper, const struct value *tuple);
/* The same without making one: GROUP_NONE when there is none. */
uint32_t grouper_look(const struct grouper *grouper, const struct value *tuple);
/* Takes in another one's groups, by the same fields, whose arena must outlive this one's: for each of them
 * its number here, in the arena given. NULL when memory is out. */
uint32_t *grouper_merge(struct grouper *grouper, const struct grouper *from, struct arena *arena);
bool grouper_takes_null(const struct grouper *grouper, size_t field);
/* VALUE_NULL for a missing value of a nullable field. */
struct value grouper_key(const struct grouper *grouper, uint32_t group, size_t field);
/* Some groups; NULL: all of them. */
struct group_list {
    const uint32_t *groups;
    uint32_t count;
};

/* Their numbers in order of key. NULL when memory is out. */
const uint32_t *grouper_sorted(const struct grouper *grouper, const struct group_list *only,
                               struct arena *arena);

/* The number of a value, made when new; GROUP_NONE when memory is out. */
uint32_t intern_value(struct intern *intern, struct arena *arena, struct value v);
uint64_t value_hash(struct value v); /* equal text, equal hash */
