#pragma once
/* serve/job_fields: what the events of a result look like: rows with their own columns for a page,
 * and the fields with their most frequent values. */
#include "search/run.h"

/* "columns" (_time, _raw, then names in order) and "rows" for [start, end). */
void fields_put_events(const struct search_result *result, int64_t start, int64_t end,
                       struct arena *arena, struct json *json);
/* The same for a table: "columns" as the pipeline named them. */
void fields_put_table(const struct search_result *result, int64_t start, int64_t end,
                      struct json *json);
/* "fields": name, count, distinct, top. Distinct counts stop at FIELD_DISTINCT_MAX. */
enum { FIELD_DISTINCT_MAX = 10000, FIELD_TOP = 10 };
void fields_put(const struct search_result *result, struct arena *arena, struct json *json);
