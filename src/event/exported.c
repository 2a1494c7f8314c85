#include "event/exported.h"

#include "base/time.h"
#include "base/utf8.h"
#include "event/schema.h"

#include <stdlib.h>

static bool prints_as(struct value v, struct slice text)
{
    char room[VALUE_TEXT_SIZE];
    return slice_equal(value_text_small(v, room), text);
}

static bool is_ip(struct slice text, struct ip *ip)
{
    return ip_parse(text, ip) &&
           prints_as((struct value){.type = VALUE_IP, .scale = ip->family, .ip = ip->bytes}, text);
}

static bool is_time(struct slice text, int64_t *time_ns)
{
    bool zone;
    return time_parse_rfc3339(text, time_ns, &zone) && zone && prints_as(value_time(*time_ns), text);
}

enum value_type exported_string_type(struct slice name, struct slice text)
{
    enum value_type declared = schema_type(name);
    struct ip ip;
    int64_t time_ns;
    if ((declared == VALUE_IP && is_ip(text, &ip)) || (declared == VALUE_TIME && is_time(text, &time_ns)))
        return declared;
    return VALUE_STRING;
}

bool exported_is_plain(struct slice name, struct value v)
{
    char room[VALUE_TEXT_SIZE];
    int64_t n;
    switch ((enum value_type)v.type) {
    case VALUE_STRING:
    case VALUE_IP:
    case VALUE_TIME:
        return exported_string_type(name, value_text_small(v, room)) == (enum value_type)v.type;
    case VALUE_DECIMAL:
        return !slice_to_i64(value_text_small(v, room), &n);
    case VALUE_F64:
        return false;
    case VALUE_I64:
    case VALUE_BOOL:
    case VALUE_NULL:
    case VALUE_TYPE_COUNT:
        break;
    }
    return true;
}

static bool read_double(struct slice text, double *out)
{
    char room[VALUE_TEXT_SIZE], *end;
    if (text.len == 0 || text.len >= sizeof(room))
        return false;
    memcpy(room, text.ptr, text.len);
    room[text.len] = '\0';
    *out = strtod(room, &end);
    return *end == '\0';
}

bool exported_value(enum value_type type, struct slice text, struct arena *arena, struct value *out)
{
    struct decimal decimal;
    struct ip ip;
    *out = value_null();
    switch (type) {
    case VALUE_STRING:
        *out = value_string(text);
        return true;
    case VALUE_I64:
        out->type = VALUE_I64;
        return slice_to_i64(text, &out->i64);
    case VALUE_F64:
        out->type = VALUE_F64;
        return read_double(text, &out->f64);
    case VALUE_BOOL:
        *out = value_bool(slice_is(text, "true"));
        return out->boolean || slice_is(text, "false");
    case VALUE_IP:
        if (is_ip(text, &ip))
            *out = value_ip(&ip, arena);
        return out->type == VALUE_IP;
    case VALUE_DECIMAL:
        if (decimal_parse(text, &decimal))
            *out = value_decimal(decimal, arena);
        return out->type == VALUE_DECIMAL;
    case VALUE_TIME:
        out->type = VALUE_TIME;
        return is_time(text, &out->i64);
    case VALUE_NULL:
        return true;
    case VALUE_TYPE_COUNT:
        break;
    }
    return false;
}

enum value_type exported_type_by_name(struct slice name)
{
    for (enum value_type type = VALUE_NULL; type < VALUE_TYPE_COUNT; type++)
        if (slice_is(name, value_type_name(type)))
            return type;
    return VALUE_TYPE_COUNT;
}

bool exported_is_other(struct slice name)
{
    return slice_equal(name, EXPORTED_TYPES) || slice_equal(name, EXPORTED_OTHER) || !utf8_valid(name);
}
