#pragma once
/*
 * event/exported: how an exported event's values stand in JSON and which types come back without being
 * told (docs/format/export.md). The writer is export/export_ndjson, the reader cut/exported_line.
 *
 *   JSON            is                          other types are named in "hinomi.types"
 *   true, false     BOOL
 *   1               I64; DECIMAL beyond 64 bits
 *   1.50            DECIMAL, digits as written
 *   "text"          STRING; IP or TIME where ECS declares the field so and the text prints the same
 *   {"base64":"…"}  STRING that is not UTF-8
 *   null            a gap among several values
 *
 * Threads  any.
 */
#include "event/value.h"

#define EXPORTED_TYPES SLICE("hinomi.types")
#define EXPORTED_OTHER SLICE("hinomi.other") /* fields whose names cannot be keys */

/* The type of a JSON string in a field when none is named. */
enum value_type exported_string_type(struct slice name, struct slice text);
/* True when the type need not be named. */
bool exported_is_plain(struct slice name, struct value v);
/* The value of that type which has this text; false when there is none or memory is out. */
MUST_USE bool exported_value(enum value_type type, struct slice text, struct arena *arena,
                             struct value *out);
/* VALUE_TYPE_COUNT when there is no such type. */
enum value_type exported_type_by_name(struct slice name);
/* The name cannot be a key: it is no UTF-8, or is one of the two above. */
bool exported_is_other(struct slice name);
