#pragma once
/*
 * cut/json_index: where the tokens of a JSON text begin. One position per
 * bracket, colon, comma, opening quote and scalar; nothing inside strings.
 *
 * Two ways to the same array: simdjson's first stage (the shim, which also says
 * whether the text is UTF-8), and a plain loop for what simdjson refuses,
 * such as control characters inside strings.
 *
 * Ownership  Positions belong to the index and live until its next run.
 * Threads    One at a time.
 * Limits     2^31 bytes a text.
 */
#include "base/attr.h"

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct json_index;

enum json_index_result {
    JSON_INDEX_OK = 0,
    JSON_INDEX_NOT_UTF8, /* positions are set, but some bytes are not UTF-8 */
    JSON_INDEX_REFUSED,  /* no positions: use json_index_slowly() */
    JSON_INDEX_NOMEM,
};

/* NULL when memory is out. */
MUST_USE struct json_index *json_index_new(void);
void json_index_free(struct json_index *index); /* NULL is fine */

/* Nothing is read beyond len bytes. */
MUST_USE enum json_index_result json_index_run(struct json_index *index, const char *text,
                                               size_t len, const uint32_t **positions,
                                               size_t *count);

#ifdef __cplusplus
}
#endif

/* The plain loop: to has room for len positions; returns how many there are. A string that is not
 * closed ends with the text. */
size_t json_index_slowly(const char *text, size_t len, uint32_t *to);
