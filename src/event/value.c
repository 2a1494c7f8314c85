#include "event/value.h"

#include "base/time.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>

static int64_t const JSON_INTEGER_MAX = INT64_C(1) << 53;

struct value value_decimal(struct decimal d, struct arena *arena)
{
    int128 *coefficient = arena_alloc(arena, sizeof(*coefficient));
    if (!coefficient)
        return value_null();
    *coefficient = d.coefficient;
    return (struct value){.type = VALUE_DECIMAL, .scale = d.scale, .decimal = coefficient};
}

struct value value_ip(const struct ip *ip, struct arena *arena)
{
    uint8_t *bytes = arena_alloc(arena, 16);
    if (!bytes)
        return value_null();
    memcpy(bytes, ip->bytes, 16);
    return (struct value){.type = VALUE_IP, .scale = ip->family, .ip = bytes};
}

struct decimal value_get_decimal(struct value v)
{
    assert(v.type == VALUE_DECIMAL);
    return (struct decimal){*v.decimal, v.scale};
}

struct value value_copy(struct value v, struct arena *arena)
{
    if (v.type == VALUE_DECIMAL)
        return value_decimal(value_get_decimal(v), arena);
    if (v.type == VALUE_STRING) {
        struct slice copy = arena_copy(arena, value_slice(v));
        return copy.ptr ? value_string(copy) : value_null();
    }
    if (v.type == VALUE_IP) {
        struct ip ip = {.family = v.scale};
        memcpy(ip.bytes, v.ip, 16);
        return value_ip(&ip, arena);
    }
    return v;
}

struct value value_from_number_text(struct slice text, struct arena *arena)
{
    int64_t n;
    struct decimal d;
    if (slice_to_i64(text, &n) && !slice_is(text, "-0"))
        return value_i64(n);
    if (decimal_parse(text, &d))
        return value_decimal(d, arena);
    return value_string(text);
}

/* A cheap look before parsing: most text is no number. */
static bool may_be_number(struct slice text)
{
    if (text.len == 0 || text.len > 64)
        return false;
    char c = text.ptr[0];
    char last = text.ptr[text.len - 1];
    return ((c >= '0' && c <= '9') || c == '-' || c == '+' || c == '.') &&
           ((last >= '0' && last <= '9') || last == '.');
}

bool value_to_number(struct value v, struct arena *arena, struct value *out)
{
    switch ((enum value_type)v.type) {
    case VALUE_I64:
    case VALUE_F64:
    case VALUE_DECIMAL:
        *out = v;
        return true;
    case VALUE_TIME: {
        struct decimal d = decimal_trim((struct decimal){v.i64, 9});
        *out = d.scale == 0 ? value_i64((int64_t)d.coefficient) : value_decimal(d, arena);
        return out->type != VALUE_NULL;
    }
    case VALUE_STRING: {
        struct slice text = slice_trim(value_slice(v));
        if (!may_be_number(text))
            return false;
        if (text.ptr[0] == '+')
            text = slice_from(text, 1);
        *out = value_from_number_text(text, arena);
        return out->type == VALUE_I64 || out->type == VALUE_DECIMAL;
    }
    case VALUE_NULL:
    case VALUE_BOOL:
    case VALUE_IP:
    case VALUE_TYPE_COUNT:
        break;
    }
    return false;
}

double value_to_f64(struct value number)
{
    if (number.type == VALUE_I64)
        return (double)number.i64;
    if (number.type == VALUE_F64)
        return number.f64;
    if (number.type == VALUE_DECIMAL)
        return decimal_to_f64(value_get_decimal(number));
    return NAN;
}

static struct decimal exact(struct value number)
{
    return number.type == VALUE_I64 ? decimal_from_i64(number.i64) : value_get_decimal(number);
}

int value_compare_numbers(struct value a, struct value b)
{
    if (a.type == VALUE_I64 && b.type == VALUE_I64)
        return (a.i64 > b.i64) - (a.i64 < b.i64);
    if (a.type == VALUE_F64 || b.type == VALUE_F64) {
        double x = value_to_f64(a), y = value_to_f64(b);
        return (x > y) - (x < y);
    }
    return decimal_compare(exact(a), exact(b));
}

/* Numbers are looked at on the stack: comparing must not need an arena. */
struct number_room {
    int128 coefficient;
    struct value number;
};

static bool number_of(struct value v, struct number_room *room)
{
    if (v.type == VALUE_I64 || v.type == VALUE_F64 || v.type == VALUE_DECIMAL) {
        room->number = v;
        return true;
    }
    struct decimal d;
    if (v.type == VALUE_TIME)
        d = (struct decimal){v.i64, 9};
    else if (v.type != VALUE_STRING || !may_be_number(value_slice(v)) ||
             !decimal_parse(value_slice(v), &d))
        return false;
    room->coefficient = d.coefficient;
    room->number = (struct value){
        .type = VALUE_DECIMAL, .scale = d.scale, .decimal = &room->coefficient};
    return true;
}

int value_compare(struct value a, struct value b)
{
    if (a.type == VALUE_NULL || b.type == VALUE_NULL)
        return (a.type == VALUE_NULL) - (b.type == VALUE_NULL); /* missing last */
    struct number_room x, y;
    bool number_a = number_of(a, &x), number_b = number_of(b, &y);
    if (number_a != number_b)
        return number_a ? -1 : 1;
    if (number_a) {
        int order = value_compare_numbers(x.number, y.number);
        if (order)
            return order;
    }
    char text_a[VALUE_TEXT_SIZE], text_b[VALUE_TEXT_SIZE];
    return slice_compare(value_text_small(a, text_a), value_text_small(b, text_b));
}

bool value_equal(struct value a, struct value b)
{
    if (a.type == VALUE_NULL || b.type == VALUE_NULL)
        return a.type == b.type;
    if (a.type == b.type && a.type == VALUE_I64)
        return a.i64 == b.i64;
    char text_a[VALUE_TEXT_SIZE], text_b[VALUE_TEXT_SIZE];
    return slice_equal(value_text_small(a, text_a), value_text_small(b, text_b));
}

struct slice value_text_small(struct value v, char to[VALUE_TEXT_SIZE])
{
    switch ((enum value_type)v.type) {
    case VALUE_STRING:
        return v.text ? value_slice(v) : SLICE("");
    case VALUE_I64: {
        char *at = to + VALUE_TEXT_SIZE;
        uint64_t n = v.i64 < 0 ? 0 - (uint64_t)v.i64 : (uint64_t)v.i64;
        do
            *--at = (char)('0' + n % 10);
        while (n /= 10);
        if (v.i64 < 0)
            *--at = '-';
        return slice_of(at, (size_t)(to + VALUE_TEXT_SIZE - at));
    }
    case VALUE_F64:
        return slice_of(to, json_format_f64(v.f64, to));
    case VALUE_BOOL:
        return v.boolean ? SLICE("true") : SLICE("false");
    case VALUE_IP:
        return slice_of(to, ip_format(v.ip, v.scale, to));
    case VALUE_DECIMAL:
        return slice_of(to, decimal_format(value_get_decimal(v), to));
    case VALUE_TIME:
        return slice_of(to, time_format(v.i64, to));
    case VALUE_NULL:
    case VALUE_TYPE_COUNT:
        break;
    }
    return SLICE_NONE;
}

struct slice value_text(struct value v, struct arena *arena)
{
    char small[VALUE_TEXT_SIZE];
    struct slice text = value_text_small(v, small);
    if (v.type == VALUE_STRING || v.type == VALUE_BOOL || v.type == VALUE_NULL)
        return text;
    return arena_copy(arena, text);
}

void value_to_json(struct value v, struct json *json)
{
    char small[VALUE_TEXT_SIZE];
    switch ((enum value_type)v.type) {
    case VALUE_I64:
        if (v.i64 <= JSON_INTEGER_MAX && v.i64 >= -JSON_INTEGER_MAX)
            json_i64(json, v.i64);
        else
            json_text(json, value_text_small(v, small));
        return;
    case VALUE_F64:
        json_f64(json, v.f64);
        return;
    case VALUE_BOOL:
        json_bool(json, v.boolean);
        return;
    case VALUE_NULL:
    case VALUE_TYPE_COUNT:
        json_null(json);
        return;
    case VALUE_STRING:
    case VALUE_IP:
    case VALUE_DECIMAL:
    case VALUE_TIME:
        json_text(json, value_text_small(v, small));
        return;
    }
}

const char *value_type_name(enum value_type type)
{
    static const char *const names[] = {"null", "string",  "integer", "double", "boolean",
                                        "ip",   "decimal", "time"};
    return (size_t)type < ARRAY_COUNT(names) ? names[type] : "unknown";
}
