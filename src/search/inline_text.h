#pragma once
/*
 * search/inline_text: subsearches in commands that have no meaning of their own for brackets. They become text
 * before the command is parsed, as in
 *
 *   where amount > [search rule=limit | head 1 | return $value]        where amount > 500
 *
 * The text is that of return or format, else what format would make of the rows. No rows are null() in
 * an expression. What stands in the text cannot become another command, nor a subsearch.
 *
 * Ownership  Everything lives in the parser's or the run's arena.
 */
#include "search/lexer.h"
#include "search/stage.h"

struct spl_inline {
    struct slice text; /* that the command stands in */
    size_t start, end; /* of the brackets, bytes of it */
    size_t text_start, text_end; /* of the command */
    const struct spl_query *query;
    struct spl_inline *next; /* further on in the command */
};

/* The parser stands behind the command's name. If there are brackets: parses what is in them, sets
 * command->inlines and *found; the command itself can only be parsed with the text. */
MUST_USE int inline_take(struct spl_parser *p, struct spl_command *command, bool *found);

/* Runs the subsearches of one command; *out is the command that came of it, with the place of the first one
 * and what follows it. */
MUST_USE int inline_replace(struct run *run, const struct spl_command *command,
                            const struct spl_command **out, struct err *err);
/* All commands of a query; *out may be query itself. */
MUST_USE int query_replace_inlines(struct run *run, const struct spl_query *query,
                                   const struct spl_query **out, struct err *err);
