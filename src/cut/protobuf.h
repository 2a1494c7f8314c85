#pragma once
/*
 * cut/protobuf: the wire format of Protocol Buffers. Two ways to read a message: field by field (protobuf_next), or
 * by a table of its fields as the tree that its JSON form would give (protobuf_tree).
 *
 *   field = varint (number << 3 | kind), then by kind
 *           0 varint   1 eight bytes   2 varint length and as many bytes   5 four bytes   3, 4 a group
 *
 * Ownership  Fields borrow from the message; nodes live in the arena, their texts there or in the message.
 * Threads    Tables are read-only, everything else belongs to its caller.
 * Limits     PROTOBUF_DEPTH_MAX messages within each other: what is deeper is one base64 text. The arena's cap
 *            (ERR_LIMIT). A message's table has at most PROTOBUF_FIELDS_MAX fields.
 * Errors     -1 with a sentence: ERR_INPUT damaged, ERR_LIMIT the arena is full.
 * Source     protobuf.dev, "Encoding" and "ProtoJSON Format".
 */
#include "cut/json_tree.h"

enum protobuf_kind {
    PROTOBUF_VARINT = 0,
    PROTOBUF_EIGHT = 1,
    PROTOBUF_BYTES = 2,
    PROTOBUF_GROUP = 3, /* bytes: all of it, with its end */
    PROTOBUF_FOUR = 5,
};

struct protobuf_field {
    uint32_t number; /* from 1 */
    enum protobuf_kind kind;
    uint64_t value;     /* VARINT, EIGHT, FOUR */
    struct slice bytes; /* BYTES, GROUP */
    struct slice whole; /* the field as it stood, with its number */
};

/* Takes a field off *message: 1. 0 at the end, -1 when it is damaged. */
MUST_USE int protobuf_next(struct slice *message, struct protobuf_field *out, struct err *err);

enum protobuf_type {
    PROTOBUF_STRING,
    PROTOBUF_BASE64, /* bytes */
    PROTOBUF_HEX,    /* bytes that are an identifier */
    PROTOBUF_BOOL,
    PROTOBUF_INT,    /* int32, int64, enum */
    PROTOBUF_UINT,   /* uint32, uint64 */
    PROTOBUF_SINT,   /* sint32, sint64 */
    PROTOBUF_FIXED,  /* fixed32, fixed64 */
    PROTOBUF_SFIXED, /* sfixed64 */
    PROTOBUF_DOUBLE, /* one that is not finite is a text: NaN, Infinity, -Infinity, StaleNaN (Prometheus' mark) */
    PROTOBUF_MESSAGE,
};

enum { PROTOBUF_DEPTH_MAX = 100, PROTOBUF_FIELDS_MAX = 20 };

struct protobuf_message {
    const struct protobuf_known *fields;
    size_t count;
};

struct protobuf_known {
    uint32_t number;
    enum protobuf_type type;
    bool repeated;                          /* an array, packed or not */
    const char *name;                       /* key in the tree */
    const struct protobuf_message *message; /* MESSAGE */
};

/*
 * A message as an object. Numbers are NUMBER nodes, exact. Fields that are absent are absent. One that is not in the
 * table, or is sent in another form than the table says, is kept: base64 of it, in the array "unknownFields". One
 * that stands twice without being repeated is there twice.
 */
MUST_USE int protobuf_tree(struct slice bytes, const struct protobuf_message *message, struct arena *arena,
                           const struct json_node **out, struct err *err);

/* Words for tables. */
#define PB_MESSAGE(list) {(list), sizeof(list) / sizeof((list)[0])}
#define PB_STRING(number, name) {number, PROTOBUF_STRING, false, name, NULL}
#define PB_BASE64(number, name) {number, PROTOBUF_BASE64, false, name, NULL}
#define PB_HEX(number, name) {number, PROTOBUF_HEX, false, name, NULL}
#define PB_BOOL(number, name) {number, PROTOBUF_BOOL, false, name, NULL}
#define PB_INT(number, name) {number, PROTOBUF_INT, false, name, NULL}
#define PB_UINT(number, name) {number, PROTOBUF_UINT, false, name, NULL}
#define PB_SINT(number, name) {number, PROTOBUF_SINT, false, name, NULL}
#define PB_FIXED(number, name) {number, PROTOBUF_FIXED, false, name, NULL}
#define PB_SFIXED(number, name) {number, PROTOBUF_SFIXED, false, name, NULL}
#define PB_DOUBLE(number, name) {number, PROTOBUF_DOUBLE, false, name, NULL}
#define PB_LIST(number, name, type) {number, type, true, name, NULL}
#define PB_ONE(number, name, message) {number, PROTOBUF_MESSAGE, false, name, &(message)}
#define PB_MANY(number, name, message) {number, PROTOBUF_MESSAGE, true, name, &(message)}
