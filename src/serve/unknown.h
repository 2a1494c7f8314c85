#pragma once
/*
 * serve/unknown: events that are not understood, as templates (search/templates.h) with who sent them, when, some
 * of them whole, and what the decoders of today make of them.
 *
 * Ownership  Everything lives in the arena of the looking.
 * Limits     base/limits.h, UNKNOWN_*.
 */
#include "base/limits.h"
#include "decode/recognition.h"
#include "search/templates.h"
#include "serve/row_visit.h"

struct unknown_place {
    struct slice source, sender, path; /* empty: none */
    uint64_t events;
};

struct unknown_sample {
    struct slice raw; /* as it was sent, at most UNKNOWN_SAMPLE_BYTES_MAX of it */
    bool cut;
    int64_t time_ns;
    struct slice id; /* event.id, or empty */
};

/* What is known of a template beside its words: its more. */
struct unknown_group {
    int64_t first_ns, last_ns;
    struct unknown_place places[UNKNOWN_PLACES_SEEN_MAX]; /* in the order they were met */
    size_t place_count;
    bool more_places;
    struct unknown_sample samples[UNKNOWN_SAMPLES_MAX];
    size_t sample_count;
    struct slice dataset; /* what the source is called, of the newest event that says so; or none */
    struct slice decoder; /* the general one that took the newest event; none: nobody */
    bool inner;           /* the template is of a text within the event, which that decoder read the header of */
    struct slice error;   /* why the newest event was not finished, or none */
};

struct unknown_request {
    bool in_part;                      /* not those that nobody took, but those that a general decoder did */
    struct slice source, sender, path; /* as row_filter_source() */
};

struct unknown {
    struct templates templates; /* most events first */
};

/* looking->late says whether it is of a part of the events only. */
MUST_USE int unknown_look(struct looking *looking, const struct unknown_request *request, struct unknown *out,
                          struct err *err);
