#pragma once
/*
 * cut/winjson: a Windows event's XML tree written as JSON, as evtx_dump and python-evtx print it.
 * It gives the fields that the same event's XML gives (cut/winxml.h).
 *
 *   {"Event":{"System":{"Provider":{"#attributes":{"Name":"P"}},"EventID":7},
 *             "EventData":{"LogonType":"3"}}}
 *
 * A member is an element; "#attributes" (an object), "@Name" and NAME_attributes beside NAME are
 * attributes, "#text" is text, a list repeats its element, null is an empty element.
 *
 * Ownership  Values borrow from the tokens' text unless they have escapes.
 * Limits     As winxml; *left is set.
 * Errors     -1: there is no "Event" object, or memory is out; what came before stays in the row.
 * Source     Of the spellings: the evtx crate's JSON output and xmltodict's conventions.
 */
#include "base/err.h"
#include "cut/columns.h"
#include "cut/json_scan.h"

MUST_USE int cut_winjson(struct columns *columns, const struct json_tokens *tokens,
                         struct batch *batch, uint32_t row, bool *left, struct err *err);
