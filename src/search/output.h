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

/* An answer in memory. Errors are the buffer's. */
void output_put(const struct search_result *result, enum output_format format, struct buffer *to);

/*
 * An answer in parts (search_rows): whole names the columns. If output_measures(), all parts are
 * measured first; then head, parts and tail are written to the buffer, which its owner may empty
 * at any time.
 */
struct output {
    const struct search_result *whole;
    enum output_format format;
    struct buffer *to;
    struct arena *arena;
    struct buffer cell;
    size_t *widths;                /* by column, of a table */
    const struct column **columns; /* of the part, in the order of the whole */
    uint64_t rows;
};
MUST_USE int output_open(struct output *output, const struct search_result *whole,
                         enum output_format format, struct buffer *to);
bool output_measures(const struct output *output);
void output_measure(struct output *output, const struct search_result *part);
void output_head(struct output *output);
void output_part(struct output *output, const struct search_result *part);
void output_tail(struct output *output);
void output_close(struct output *output); /* also after output_open() failed */

/* For the API: decimals and integers beyond 2^53 as strings (CONTRACT 21). */
void output_put_row(const struct search_result *result, uint32_t row, struct json *json);
