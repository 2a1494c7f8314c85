#pragma once
/*
 * cut/winxml: the XML of one Windows event as columns.
 *
 *   System         winlog.event_id, .channel, .computer_name, .provider_name, ... (the table in
 *                  winxml.c); what it does not know is winlog.system.ELEMENT[_ATTRIBUTE]
 *   EventData      winlog.event_data.NAME; unnamed <Data> are winlog.event_data.Data with several
 *                  values; other elements under their own name
 *   UserData etc.  the innermost elements' names, also under winlog.event_data
 *   RenderingInfo  winlog.rendering.ELEMENT
 *
 * Names keep their spelling but lose spaces. Values are text as Windows renders
 * it, nothing is trimmed; an empty one is an empty text.
 *
 * Ownership  Values borrow from the text unless they have references.
 * Limits     EVENT_FIELDS_MAX, FIELD_VALUES_MAX, FIELD_NAME_MAX: *left is set.
 * Errors     -1; what came before stays in the row.
 */
#include "base/err.h"
#include "cut/columns.h"

MUST_USE int cut_winxml(struct columns *columns, struct slice text, struct batch *batch,
                        uint32_t row, bool *left, struct err *err);
