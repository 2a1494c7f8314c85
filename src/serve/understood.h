#pragma once
/*
 * serve/understood: of what each source sent, how much is understood, and which zone its stamps seem to be in where
 * they name none.
 *
 *   understood      a decoder of its own took the event
 *   in_part         a general one did: the header around a text is understood, or names and values
 *   not_understood  nobody took it: it is kept, and can be searched by its words
 *   quarantined     it was never looked into
 *
 * Ownership  Everything lives in the arena of the looking.
 * Limits     UNDERSTOOD_SOURCES_MAX sources, those with most that is not understood; ZONES_LOOKED_MAX of them are
 *            asked for their zone.
 */
#include "base/limits.h"
#include "serve/row_visit.h"

struct taker {
    struct slice name; /* of the decoder */
    uint64_t events;
};

struct zone_evidence {
    struct slice decoder;
    int32_t offset_s; /* ahead of UTC */
    uint32_t looked_at, without_zone, agree; /* events; that have a stamp without a zone; which that zone explains */
};

struct understood_source {
    struct slice source, sender, path; /* hinomi.source, log.source.address, log.file.path; empty: none */
    uint64_t events, understood, in_part, not_understood, quarantined;
    uint64_t not_finished;   /* of all: a decoder stopped half way, or it looked like JSON and is none */
    int64_t first_ns, last_ns;
    struct taker takers[UNDERSTOOD_TAKERS_MAX]; /* most events first; unused: none */
    struct slice apart; /* the decoder whose events are a zone's offset away from when they came; SLICE_NONE: none */
    uint64_t apart_events;
    bool zone_known;
    struct zone_evidence zone;
};

struct understood {
    struct understood_source *list; /* least understood first */
    size_t count;
    size_t more; /* sources that are not in the list */
};

/* looking->late says whether it is of a part of the events only. */
MUST_USE int understood_look(struct looking *looking, struct understood *out, struct err *err);
