#pragma once
/*
 * search/output: a result as text.
 *
 *   table   aligned for a terminal: control characters escaped, wide characters measured
 *   json    an array of objects; several values are an array; numbers exact, all digits
 *   jsonl   an object a line
 *   csv     RFC 4180; cells that a spreadsheet would take for a formula get a leading '
 */
#include "search/run.h"

enum output_format { OUTPUT_TABLE, OUTPUT_JSON, OUTPUT_JSONL, OUTPUT_CSV };

bool output_format_by_name(struct slice name, enum output_format *out);
/* Errors are the buffer's. */
void output_put(const struct search_result *result, enum output_format format, struct buffer *to);
/* For the API: decimals and integers beyond 2^53 as strings (CONTRACT 21). */
void output_put_row(const struct search_result *result, uint32_t row, struct json *json);
