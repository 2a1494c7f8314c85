#pragma once
/*
 * flow/redecode: the decoders as event/redecode.h: what older versions of them took, and what they
 * correct (the key corrects of a decoder), is decoded again when it is read.
 *
 * The new result counts: fields that the decoders know and do not find any more are gone, others stay
 * (they may have been given beside the event). @timestamp, event.original, event.ingested, event.id and
 * hinomi.* stay except for hinomi.decoder. An event that its decoder, or the one that corrects it, does
 * not take now, or cannot finish though the older one could, is as stored.
 *
 * Ownership  The decoders outlive the redecode.
 * Threads    See event/redecode.h.
 */
#include "decode/registry.h"
#include "event/redecode.h"

struct redecode;

MUST_USE int redecode_new(const struct decoders *decoders, struct redecode **out, struct err *err);
void redecode_free(struct redecode *redecode); /* NULL is fine */
const struct redecoder *redecode_get(const struct redecode *redecode);

/* Whether some decoder below path (a folder or file, as decoders_load) may have a version above 1 or correct
 * others: false saves loading them. Looks at the text only, so true may be wrong. */
bool redecode_may_be_needed(const char *path);
