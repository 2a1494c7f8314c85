#pragma once
/*
 * search/redecoded: a backend's events as the decoders of today would have them.
 *
 *              ┌─ events of current decoders: the backend's own source, with all it can save
 *   request ───┤
 *              └─ events of older ones (by hinomi.decoder): read unfiltered, decoded again, filtered
 *
 * Without a redecoder, or where nothing in the range was taken by an older decoder, it is the backend's
 * source itself. What the filter asks of a stored event of an older decoder is never used to skip it.
 *
 * Threads  As search/source.h.
 */
#include "search/source.h"

/* A filter that all rows fulfil which are read for the request: those that pass its own, and those of older
 * decoders, which are asked when they are decoded again. NULL: all rows, or memory is out (*failed). */
const struct expr *redecoded_filter(const struct search_backend *backend,
                                    const struct search_request *request, struct arena *arena,
                                    bool *failed);
/* As backend->open. */
MUST_USE int redecoded_open(const struct search_backend *backend, const struct search_request *request,
                            struct arena *arena, struct search_source *out, struct err *err);
