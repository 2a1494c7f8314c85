#include "decode/coerce.h"

#include "base/time.h"
#include "event/schema.h"

/* First parts of names that are ECS's own. */
static bool is_ecs(struct slice name)
{
#define ROOT(text) {text, sizeof(text) - 1}
    static const struct slice roots[] = {
        ROOT("@timestamp"), ROOT("client"),   ROOT("container"), ROOT("destination"), ROOT("device"),
        ROOT("dll"),        ROOT("dns"),      ROOT("email"),     ROOT("event"),       ROOT("file"),
        ROOT("host"),       ROOT("http"),     ROOT("log"),       ROOT("network"),     ROOT("observer"),
        ROOT("package"),    ROOT("process"),  ROOT("registry"),  ROOT("related"),     ROOT("server"),
        ROOT("service"),    ROOT("source"),   ROOT("threat"),    ROOT("tls"),         ROOT("url"),
        ROOT("user"),       ROOT("x509"),
    };
    ptrdiff_t dot = slice_find_char(name, '.');
    struct slice root = slice_sub(name, 0, dot < 0 ? name.len : (size_t)dot);
    for (size_t i = 0; i < ARRAY_COUNT(roots); i++)
        if (slice_equal_short(root, roots[i]))
            return true;
    return false;
}

static bool prints_as(struct value v, struct slice text)
{
    char room[VALUE_TEXT_SIZE];
    return slice_equal(value_text_small(v, room), text);
}

static bool to_ip(struct arena *arena, struct slice text, struct value *out)
{
    struct ip ip;
    char room[IP_TEXT_SIZE];
    if (text.len < 2 || text.len >= IP_TEXT_SIZE || !ip_parse(text, &ip))
        return false;
    /* a dotted quad is read only as it is printed */
    if (ip.family != 4 && (ip_format(ip.bytes, ip.family, room) != text.len ||
                           memcmp(room, text.ptr, text.len) != 0))
        return false;
    *out = value_ip(&ip, arena);
    return true;
}

/* False: it stays as it is. *out is VALUE_NULL when memory is out. */
static bool coerced(struct arena *arena, struct value v, enum value_type type, struct value *out)
{
    struct slice text = v.type == VALUE_STRING ? value_slice(v) : SLICE_NONE;
    int64_t n;
    bool zone_seen;
    switch (type) {
    case VALUE_IP:
        return v.type == VALUE_STRING && to_ip(arena, text, out);
    case VALUE_I64:
        *out = value_i64(0);
        if (v.type != VALUE_STRING || !slice_to_i64(text, &n))
            return false;
        *out = value_i64(n);
        return prints_as(*out, text);
    case VALUE_BOOL:
        *out = value_bool(slice_is(text, "true"));
        return out->boolean || slice_is(text, "false");
    case VALUE_TIME:
        if (v.type != VALUE_STRING || !time_parse_rfc3339(text, &n, &zone_seen) || !zone_seen)
            return false;
        *out = value_time(n);
        return prints_as(*out, text);
    case VALUE_STRING:
        if (v.type != VALUE_I64 && v.type != VALUE_DECIMAL)
            return false;
        text = value_text(v, arena);
        *out = text.ptr ? value_string(text) : value_null();
        return true;
    case VALUE_NULL:
    case VALUE_F64:
    case VALUE_DECIMAL:
    case VALUE_TYPE_COUNT:
        break;
    }
    return false;
}

static int coerce_column(struct batch *batch, struct column *column, enum value_type type)
{
    uint16_t seen = 0;
    for (uint32_t i = 0; i < column->count; i++) {
        struct value v = column->values[i], fresh;
        if (v.type != type && v.type != VALUE_NULL && coerced(batch->arena, v, type, &fresh)) {
            if (fresh.type == VALUE_NULL)
                return -1;
            column->values[i] = fresh;
        }
        seen |= (uint16_t)(1U << column->values[i].type);
    }
    column->types_seen = seen;
    return 0;
}

int coerce_batch(struct batch *batch)
{
    for (uint32_t i = 0; i < batch->column_count; i++) {
        struct column *column = batch->columns[i];
        enum value_type type = is_ecs(column->name) ? schema_type(column->name) : VALUE_NULL;
        if (type != VALUE_NULL && coerce_column(batch, column, type) < 0)
            return -1;
    }
    return 0;
}
