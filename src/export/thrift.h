#pragma once
/*
 * export/thrift: writing Thrift's compact protocol, as far as Parquet's metadata needs it.
 *
 * Source   apache/thrift, doc/specs/thrift-compact-protocol.md.
 *
 *   struct thrift thrift; thrift_init(&thrift, &buffer);
 *   thrift_i64(&thrift, 3, rows); thrift_list(&thrift, 4, THRIFT_STRUCT, n); ...; thrift_end(&thrift);
 *
 * Fields of a struct come in ascending order of their ids. Errors are the buffer's.
 */
#include "base/buffer.h"

enum thrift_type { THRIFT_I32 = 5, THRIFT_I64 = 6, THRIFT_BINARY = 8, THRIFT_LIST = 9, THRIFT_STRUCT = 12 };
enum { THRIFT_DEPTH_MAX = 12 };

struct thrift {
    struct buffer *to;
    int last[THRIFT_DEPTH_MAX]; /* id of the last field, per open struct */
    unsigned depth;
};

void thrift_init(struct thrift *thrift, struct buffer *to); /* inside a struct; thrift_end closes it */
void thrift_i32(struct thrift *thrift, int id, int32_t n);
void thrift_i64(struct thrift *thrift, int id, int64_t n);
void thrift_bool(struct thrift *thrift, int id, bool b);
void thrift_binary(struct thrift *thrift, int id, struct slice bytes);
/* A struct as a field, or as a list's element; its fields follow, then thrift_end. */
void thrift_struct(struct thrift *thrift, int id);
void thrift_element(struct thrift *thrift);
void thrift_end(struct thrift *thrift);
/* The elements follow: thrift_element ... thrift_end, or thrift_put_*. */
void thrift_list(struct thrift *thrift, int id, enum thrift_type type, size_t count);
void thrift_put_i32(struct thrift *thrift, int32_t n);
void thrift_put_binary(struct thrift *thrift, struct slice bytes);
