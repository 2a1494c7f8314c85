#include "collect/http/ingest_text.h"

#include "base/attr.h"
#include "base/limits.h"
#include "cut/json_records.h"
#include "event/delivery.h"

enum ingest_form ingest_form_of(struct slice content_type, struct slice body)
{
    static const char *const lines[] = {"application/x-ndjson", "application/ndjson", "application/jsonl",
                                        "application/x-jsonlines", "application/json-lines", "text/plain"};
    struct slice type, parameters;
    if (!slice_cut(content_type, ';', &type, &parameters))
        type = content_type;
    type = slice_trim(type);
    for (size_t i = 0; i < ARRAY_COUNT(lines); i++)
        if (slice_is_nocase(type, lines[i]))
            return INGEST_LINES;
    if (slice_is_nocase(type, "application/json") || slice_ends(type, SLICE("+json")))
        return INGEST_JSON;
    struct slice text = slice_trim(body);
    return text.len && (text.ptr[0] == '[' || text.ptr[0] == '{') ? INGEST_JSON : INGEST_LINES;
}

static uint32_t take_lines(struct slice body, struct slice hints, struct buffer *records)
{
    struct slice line;
    uint32_t count = 0;
    while (slice_next_line(&body, &line)) {
        bool is_json = line.len && line.ptr[0] == '{'; /* a document stays whole, or nobody would understand it */
        if (line.len > EVENT_BYTES_MAX && !is_json) {
            count += delivery_put_event(records, line, hints);
        } else if (line.len) {
            delivery_put_record(records, line, hints);
            count++;
        }
    }
    return count;
}

uint32_t ingest_text(enum ingest_form form, struct slice body, struct slice hints, struct buffer *records)
{
    if (form == INGEST_LINES)
        return take_lines(body, hints, records);
    struct json_records state = {0};
    struct slice record;
    uint32_t count = 0;
    size_t used;
    while (json_records_next(&state, body, true, &used, &record)) {
        body = slice_from(body, used);
        delivery_put_record(records, record, hints);
        count++;
    }
    return count;
}
