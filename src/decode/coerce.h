#pragma once
/*
 * decode/coerce: fields that ECS declares become their declared type, if the
 * value prints the same afterwards (CONTRACTS 9): "1.2.3.4" an address, "22" a
 * port; "1.02.3.4" and "022" stay text. Vendor fields stay as they are.
 */
#include "event/batch.h"

/* -1 when memory is out. */
MUST_USE int coerce_batch(struct batch *batch);
