#pragma once
/*
 * search/commands/field_choice: which columns go on; what fields and table share.
 */
#include "search/stage.h"

struct field_choice {
    struct field_list list;
    bool minus;
};

int field_choice_parse(struct spl_parser *p, struct spl_command *command);
/* _time and _raw stay with fields unless they are named. */
bool field_is_internal(struct slice name);
/* The list's order; a star stands for the names as they were first seen. A listed name without a
 * column gets an empty one. There is room for two more. */
int field_choice_columns(struct stage *op, struct frame *frame, const struct field_list *list,
                         struct column ***out, uint32_t *count, struct err *err);
/* The frame with these columns only (NULL: none) to the stage behind. */
int field_choice_keep(struct stage *op, struct frame *frame, struct column **columns,
                      uint32_t count, struct err *err);
