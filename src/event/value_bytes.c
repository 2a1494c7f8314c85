#include "event/value_bytes.h"

#include "base/zigzag.h"

enum { TEXT_BEFORE = 1 + 10 }; /* tag and length */

/* Dictionaries are mostly texts: with one look at the buffer. */
static void put_text(struct buffer *to, struct slice text)
{
    char *start = buffer_reserve(to, text.len + TEXT_BEFORE), *at = start;
    if (!start)
        return;
    *at++ = VALUE_STRING;
    size_t len = text.len;
    for (; len >= 0x80; len >>= 7)
        *at++ = (char)(len | 0x80);
    *at++ = (char)len;
    if (text.len)
        at = mempcpy(at, text.ptr, text.len);
    buffer_commit(to, (size_t)(at - start));
}

void value_put_bytes(struct buffer *to, struct value v)
{
    if (v.type == VALUE_STRING) {
        put_text(to, value_slice(v));
        return;
    }
    buffer_put_char(to, (char)v.type);
    switch ((enum value_type)v.type) {
    case VALUE_I64:
    case VALUE_TIME:
        buffer_put_varint(to, bytes_zigzag(v.i64));
        break;
    case VALUE_F64:
        buffer_put_le64(to, v.boolean); /* the bits of the double */
        break;
    case VALUE_BOOL:
        buffer_put_char(to, v.boolean != 0);
        break;
    case VALUE_IP:
        buffer_put_char(to, (char)v.scale);
        buffer_put(to, v.scale == 4 ? slice_of(v.ip + 12, 4) : slice_of(v.ip, 16));
        break;
    case VALUE_DECIMAL: {
        uint128 bits = (uint128)*v.decimal;
        buffer_put_char(to, (char)v.scale);
        buffer_put_le64(to, (uint64_t)bits);
        buffer_put_le64(to, (uint64_t)(bits >> 64));
        break;
    }
    case VALUE_STRING:
    case VALUE_NULL:
    case VALUE_TYPE_COUNT:
        break;
    }
}

static bool take_byte(struct slice *from, uint8_t *out)
{
    struct slice byte;
    if (!slice_take(from, 1, &byte))
        return false;
    *out = (uint8_t)byte.ptr[0];
    return true;
}

static bool take_string(struct slice *from, struct value *out)
{
    uint64_t len;
    struct slice text;
    if (!slice_take_varint(from, &len) || len > from->len || len > UINT32_MAX ||
        !slice_take(from, (size_t)len, &text))
        return false;
    *out = value_string(text);
    return true;
}

static bool take_ip(struct slice *from, struct arena *arena, struct value *out)
{
    struct ip ip = {.bytes = {[10] = 0xff, [11] = 0xff}};
    struct slice bytes;
    if (!take_byte(from, &ip.family) || (ip.family != 4 && ip.family != 6) ||
        !slice_take(from, ip.family == 4 ? 4 : 16, &bytes))
        return false;
    memcpy(ip.bytes + (ip.family == 4 ? 12 : 0), bytes.ptr, bytes.len);
    *out = value_ip(&ip, arena);
    return out->type == VALUE_IP;
}

static bool take_decimal(struct slice *from, struct arena *arena, struct value *out)
{
    struct decimal d = {0};
    uint64_t low, high;
    if (!take_byte(from, &d.scale) || d.scale > DECIMAL_DIGITS_MAX ||
        !slice_take_le64(from, &low) || !slice_take_le64(from, &high))
        return false;
    d.coefficient = (int128)((uint128)high << 64 | low);
    *out = value_decimal(d, arena);
    return out->type == VALUE_DECIMAL;
}

bool value_take_bytes(struct slice *from, struct arena *arena, struct value *out)
{
    uint8_t type, byte;
    uint64_t n;
    *out = value_null();
    if (!take_byte(from, &type) || type >= VALUE_TYPE_COUNT)
        return false;
    switch ((enum value_type)type) {
    case VALUE_NULL:
        return true;
    case VALUE_STRING:
        return take_string(from, out);
    case VALUE_I64:
    case VALUE_TIME:
        if (!slice_take_varint(from, &n))
            return false;
        *out = (struct value){.type = type, .i64 = bytes_unzigzag(n)};
        return true;
    case VALUE_F64:
        *out = (struct value){.type = type};
        return slice_take_le64(from, &out->boolean);
    case VALUE_BOOL:
        if (!take_byte(from, &byte) || byte > 1)
            return false;
        *out = value_bool(byte);
        return true;
    case VALUE_IP:
        return take_ip(from, arena, out);
    case VALUE_DECIMAL:
        return take_decimal(from, arena, out);
    case VALUE_TYPE_COUNT:
        break;
    }
    return false;
}
