#pragma once
/*
 * search/group_cells: groups of rows whose fields come with dictionaries. The codes of a row's
 * fields make one small number, its cell, and a cell's group is looked up once a frame:
 *
 *   event.dataset  code 3 of 10   }  cell = (3 + 1) * (2 + 1) + (1 + 1), 0 standing for no value
 *   event.outcome  code 1 of 2    }
 *
 * Ownership  Everything lives in the frame's arena.
 * Errors     -1: memory is out.
 */
#include "search/group.h"

#define GROUP_UNKNOWN (GROUP_NONE - 1) /* in cells.groups: not asked for yet */

struct cells {
    const struct column *columns[64]; /* NULL: no row has the field */
    uint32_t sizes[64];               /* codes and one for "none" */
    uint32_t count;                   /* the product of the sizes */
    uint32_t *of_row;
    uint32_t *groups;    /* by cell, as far as they have been asked for */
    struct value *tuple; /* of the cell at hand; here because clearing it for each costs more than
                            the rest */
};

/* 1, or 0: the fields have no dictionaries, several values a row, or too many cells. */
MUST_USE int cells_init(struct cells *cells, const struct grouper *grouper,
                        const struct frame *frame);
/* GROUP_NONE where a field is missing; *failed is set when memory is out. */
uint32_t cells_group(struct cells *cells, struct grouper *grouper, uint32_t cell, bool *failed);
