#include "export/thrift.h"

#include <assert.h>

enum { TYPE_TRUE = 1, TYPE_FALSE = 2 };

static void put_zigzag(struct buffer *to, int64_t n)
{
    buffer_put_varint(to, ((uint64_t)n << 1) ^ (uint64_t)(n >> 63));
}

/* A short step from the last id shares the byte with the type. */
static void put_field(struct thrift *thrift, int id, unsigned type)
{
    int *last = &thrift->last[thrift->depth];
    int step = id - *last;
    assert(step > 0);
    if (step <= 15) {
        buffer_put_char(thrift->to, (char)((unsigned)step << 4 | type));
    } else {
        buffer_put_char(thrift->to, (char)type);
        put_zigzag(thrift->to, id);
    }
    *last = id;
}

void thrift_init(struct thrift *thrift, struct buffer *to)
{
    *thrift = (struct thrift){.to = to};
}

void thrift_i32(struct thrift *thrift, int id, int32_t n)
{
    put_field(thrift, id, THRIFT_I32);
    put_zigzag(thrift->to, n);
}

void thrift_i64(struct thrift *thrift, int id, int64_t n)
{
    put_field(thrift, id, THRIFT_I64);
    put_zigzag(thrift->to, n);
}

void thrift_bool(struct thrift *thrift, int id, bool b)
{
    put_field(thrift, id, b ? TYPE_TRUE : TYPE_FALSE);
}

void thrift_binary(struct thrift *thrift, int id, struct slice bytes)
{
    put_field(thrift, id, THRIFT_BINARY);
    buffer_put_block(thrift->to, bytes);
}

void thrift_struct(struct thrift *thrift, int id)
{
    put_field(thrift, id, THRIFT_STRUCT);
    thrift_element(thrift);
}

void thrift_element(struct thrift *thrift)
{
    assert(thrift->depth + 1 < THRIFT_DEPTH_MAX);
    thrift->last[++thrift->depth] = 0;
}

void thrift_end(struct thrift *thrift)
{
    buffer_put_char(thrift->to, 0);
    if (thrift->depth)
        thrift->depth--;
}

void thrift_list(struct thrift *thrift, int id, enum thrift_type type, size_t count)
{
    put_field(thrift, id, THRIFT_LIST);
    if (count < 15) {
        buffer_put_char(thrift->to, (char)(count << 4 | type));
        return;
    }
    buffer_put_char(thrift->to, (char)(0xf0U | type));
    buffer_put_varint(thrift->to, count);
}

void thrift_put_i32(struct thrift *thrift, int32_t n)
{
    put_zigzag(thrift->to, n);
}

void thrift_put_binary(struct thrift *thrift, struct slice bytes)
{
    buffer_put_block(thrift->to, bytes);
}
