#pragma once
/*
 * collect/ingest_text: bodies of plain texts (POST /v1/ingest, /gelf) into a delivery body (RECORDS).
 *
 *   INGEST_LINES  an event a line; empty lines are none (application/x-ndjson, text/plain)
 *   INGEST_JSON   the objects of a list, of {"Records":[...]} and the like (cut/json_records), or one behind the
 *                 other, over several lines or one; what is none of that comes as it stands, whole
 *
 * Nothing is refused for what it says: what no decoder understands is stored raw.
 */
#include "base/buffer.h"

enum ingest_form { INGEST_LINES, INGEST_JSON };

/* By the media type; where it says nothing useful (none, what curl sends when not told), by the first byte. */
enum ingest_form ingest_form_of(struct slice content_type, struct slice body);

/* Appends records, each with the same hints; how many. */
uint32_t ingest_text(enum ingest_form form, struct slice body, struct slice hints, struct buffer *records);
