#pragma once
/*
 * search/wanted: which fields are still needed, collected from the end of the pipeline to its
 * start, so that a source reads no other columns.
 */
#include "expr/expr.h"
#include "search/command.h"

struct field_list; /* search/lexer.h */

struct wanted {
    struct arena *arena;
    bool all;
    bool failed; /* memory was out: all is true then */
    struct map names;
};

void wanted_init(struct wanted *wanted, struct arena *arena, bool all);
void wanted_add(struct wanted *wanted, struct slice name); /* a star wants all */
void wanted_add_expr(struct wanted *wanted, const struct expr *expr);
void wanted_drop(struct wanted *wanted, struct slice name); /* made here: not needed before */
/* Only these (names may have stars) and what internal says are there behind: of them, only what is
 * wanted. */
void wanted_only(struct wanted *wanted, const struct field_list *list,
                 bool (*internal)(struct slice name));
void wanted_reset(struct wanted *wanted);                   /* only what is added from now on */
bool wanted_has(const struct wanted *wanted, struct slice name);
/* The names, in no particular order, from number 0 on; how many. NULL: memory is out. */
MUST_USE struct slice *wanted_names(const struct wanted *wanted, size_t *count);
void wanted_add_list(struct wanted *wanted, const struct field_list *list);
/* What is wanted before these commands, of what is wanted behind the last of them. */
void wanted_collect(struct wanted *wanted, const struct spl_command *command);
