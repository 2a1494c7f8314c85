#pragma once
/*
 * event/event_id: the id of an event whose sender gave none: 32 hexadecimal digits, the store's
 * id and hinomi.seq. The same event has the same id for ever; ids sort by arrival.
 */
#include "base/slice.h"

#include <stdint.h>

enum { EVENT_ID_SIZE = 32 };

void event_id_from_seq(uint64_t store_id, uint64_t seq, char to[EVENT_ID_SIZE]);
/* False when the text is no such id. */
bool event_id_parse(struct slice text, uint64_t *store_id, uint64_t *seq);
