#pragma once
/* table/state_parts: a state from within; for table/state only. */
#include "table/state_cell.h"
#include "table/state_rows.h"

struct state {
    const struct state_definitions *definitions;
    struct rows *tables;
    struct buffer cells, cell; /* of the row that is being put together */
    uint64_t members_left;
};

/* Where the table or the field stands; -1: it is not there. */
ptrdiff_t state_table_index(const struct state_definitions *definitions, struct slice name);
ptrdiff_t state_field_index(const struct state_table_definition *table, struct slice name);

/* Appends a field's cell to a row's cells; nothing when it is empty. */
void state_put_cell(struct buffer *cells, uint32_t field, struct slice cell);
