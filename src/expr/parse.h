#pragma once
/*
 * expr/parse: the expression language of where, eval, decoder conditions and
 * gate policies (docs/expressions.md).
 *
 *   precedence, high to low: function () ; unary - ; * / % ; + - ; . ; comparison IN LIKE ; NOT ; AND ; OR ; XOR
 *   "text"  'field name'  field  123  1.5  true() null()
 *
 * A dotted name without spaces (source.ip) is one field; "a . b" concatenates.
 * Errors carry start and end in text, and a suggestion for misspelt functions.
 */
#include "expr/expr.h"

MUST_USE int expr_parse(struct slice text, struct arena *arena, const struct expr **out,
                        struct err *err);

/* The same for an expression of a search, but stops at the first token that cannot continue the expression (a comma, "as",
 * "by", "|" ...) and says in *used how many bytes were read. base is added to error positions. */
MUST_USE int expr_parse_prefix(struct slice text, int base, struct arena *arena,
                               const struct expr **out, size_t *used, struct err *err);
