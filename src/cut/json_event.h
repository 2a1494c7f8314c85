#pragma once
/*
 * cut/json: one JSON object becomes the columns of one row.
 *
 *   {"source":{"ip":"1.2.3.4"},"n":[1,2]}     source.ip = "1.2.3.4"    n = 1, 2
 *   {"source.ip":"1.2.3.4"}                   the same column
 *   {"a":[{"x":1},{"y":2},{"x":3}]}           a.x = 1, NULL, 3   a.y = NULL, 2, NULL
 *   {"a":1,"a":2}                             a = 1, 2
 *
 * Null, empty arrays and empty objects are no value (inside arrays null is a
 * gap). Numbers are exact; one with more than 38 digits stays text. Strings
 * borrow from the text unless they have escapes.
 *
 * Ownership  The text must live as long as the batch.
 * Threads    A cutter belongs to one thread.
 * Limits     JSON_DEPTH_MAX (deeper parts stay JSON text in one value), EVENT_FIELDS_MAX,
 *            FIELD_VALUES_MAX, FIELD_NAME_MAX; what is left out is said in the result.
 * Errors     -1: the text is no JSON object (ERR_INPUT, nothing was added) or memory is out.
 */
#include "cut/json_scan.h"
#include "event/batch.h"

struct json_cutter;

enum {
    JSON_CUT_LEFT = 1 << 0,        /* some fields or values were over a limit */
    JSON_CUT_NOT_UTF8 = 1 << 1,    /* some bytes were not UTF-8; they are kept */
    JSON_CUT_NUMBER_TEXT = 1 << 2, /* some number was too long and is text */
};

MUST_USE struct json_cutter *json_cutter_new(void); /* NULL when memory is out */
void json_cutter_free(struct json_cutter *cutter);  /* NULL is fine */

/* In two steps, so that a caller can look at the tokens in between: tokens live until the next
 * scan. The outermost value may be anything here. arena: as in json_scan(), the batch's. */
MUST_USE int json_cutter_scan(struct json_cutter *cutter, struct slice text, struct arena *arena,
                              struct json_tokens *out, struct err *err);
/* The object at token number object, names behind prefix ("" or "aws.cloudtrail."). *flags gets
 * JSON_CUT_* or-ed in. */
MUST_USE int json_cutter_put(struct json_cutter *cutter, const struct json_tokens *tokens,
                             uint32_t object, struct slice prefix, struct batch *batch,
                             uint32_t row, unsigned *flags, struct err *err);

/* Both steps. */
MUST_USE int cut_json(struct json_cutter *cutter, struct slice text, struct slice prefix,
                      struct batch *batch, uint32_t row, unsigned *flags, struct err *err);
