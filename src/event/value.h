#pragma once
/*
 * event/value: one typed value. 16 bytes, passed by value; text, decimals and
 * addresses are borrowed from the arena of the batch (or query) they live in.
 *
 *   0      1      2        4        8                 16
 *   | type | scale| flags  | len    | word or pointer |
 */
#include "base/arena.h"
#include "base/buffer.h"
#include "base/json.h"
#include "base/slice.h"
#include "event/decimal.h"
#include "event/ip.h"

enum value_type {
    VALUE_NULL = 0,
    VALUE_STRING,  /* bytes, normally UTF-8 */
    VALUE_I64,
    VALUE_F64,     /* only from computing and from formats that carry doubles */
    VALUE_BOOL,
    VALUE_IP,
    VALUE_DECIMAL,
    VALUE_TIME,    /* ns since 1970 */
    VALUE_TYPE_COUNT,
};

struct value {
    uint8_t type;
    uint8_t scale; /* decimal: digits after the point; ip: family 4 or 6 */
    uint16_t flags;
    uint32_t len;  /* string: bytes */
    union {
        const char *text;
        int64_t i64; /* I64, TIME */
        double f64;
        uint64_t boolean;
        const uint8_t *ip;     /* 16 bytes */
        const int128 *decimal; /* coefficient; 16-byte aligned */
    };
};

static inline struct value value_null(void)
{
    return (struct value){.type = VALUE_NULL};
}

static inline struct value value_string(struct slice text)
{
    return (struct value){.type = VALUE_STRING, .len = (uint32_t)text.len, .text = text.ptr};
}

static inline struct value value_i64(int64_t n)
{
    return (struct value){.type = VALUE_I64, .i64 = n};
}

static inline struct value value_f64(double n)
{
    return (struct value){.type = VALUE_F64, .f64 = n};
}

static inline struct value value_bool(bool b)
{
    return (struct value){.type = VALUE_BOOL, .boolean = b};
}

static inline struct value value_time(int64_t time_ns)
{
    return (struct value){.type = VALUE_TIME, .i64 = time_ns};
}

/* The bytes of a STRING. */
static inline struct slice value_slice(struct value v)
{
    return (struct slice){v.text, v.len};
}

/* These copy into the arena; VALUE_NULL when memory is out. */
struct value value_decimal(struct decimal d, struct arena *arena);
struct value value_ip(const struct ip *ip, struct arena *arena);
struct value value_copy(struct value v, struct arena *arena); /* deep */

struct decimal value_get_decimal(struct value v); /* of a DECIMAL */

/* The number as written in JSON or a log: i64 when it is an integer that fits, else decimal; a
 * number of more than 38 digits stays a string (CONTRACT: nothing is rounded). */
struct value value_from_number_text(struct slice text, struct arena *arena);

/* The number a value stands for, if it does: I64, F64, DECIMAL, TIME (as decimal seconds) and
 * strings that look like decimal numbers. The answer is I64, DECIMAL or F64. */
bool value_to_number(struct value v, struct arena *arena, struct value *out);
double value_to_f64(struct value number); /* of a number, else NaN */

/* Both must be numbers (I64, F64, DECIMAL). Exact but where a double takes part. */
int value_compare_numbers(struct value a, struct value b);

/* Order for sorting and grouping: numbers before text, numeric then byte order; deterministic. */
int value_compare(struct value a, struct value b);
/* Same text form. Grouping key equality: 1 and "1" are equal, 1.0 and 1 are not (as written). */
bool value_equal(struct value a, struct value b);

/* The text an analyst sees. STRINGs are borrowed, others printed into the arena.
 * TIME is RFC 3339. SLICE_NONE for NULL or when memory is out. */
struct slice value_text(struct value v, struct arena *arena);
enum { VALUE_TEXT_SIZE = 64 };
/* As value_text without an arena: to is used for everything but STRING. */
struct slice value_text_small(struct value v, char to[VALUE_TEXT_SIZE]);

/* API form (CONTRACT 21): decimals and integers beyond 2^53 are strings. */
void value_to_json(struct value v, struct json *json);

const char *value_type_name(enum value_type type);
