#pragma once
/*
 * search/commands/search_text: rows as the text of a search, for format and return:
 *
 *   ( ( host="a" AND user="b" ) OR ( host="c" ) )
 *
 * Values are quoted so that no value can become more than a value. A field called search or query is
 * put in as it stands: that is what it is for.
 */
#include "search/stage.h"

bool search_text_field(struct slice name); /* search or query */
/* name="value", or the value alone where the field is search or query. */
void search_text_pair(struct buffer *to, struct slice name, struct slice value);
/* "value" with \" and \\ */
void search_text_quote(struct buffer *to, struct slice value);
/* One row with the field search. */
MUST_USE int search_text_emit(struct stage *op, struct buffer *text, struct err *err);
