#pragma once
/* state/migrations: the tables, as numbered steps. A step that was released is never edited; a change is
 * a further step. */
#include <stddef.h>

extern const char *const state_schema[];
extern const size_t state_schema_count;
