#pragma once
/*
 * serve/readers: who reads a source: which rules and saved searches can see any of its events, by what they ask for and what
 * its events are known to be like (flow/source_profile.h, expr/chance.h). Event types and data models are told along: they
 * name events, and whoever uses them reads.
 *
 *   rule          its log source and condition can hold for some event of it
 *   saved search  one of the searches of events in it, subsearches too, asks for some
 *
 * In doubt it is a reader. What takes every event, whatever it is (counts by source, the rules on events that are not
 * understood), is told apart: it would read anything.
 *
 * Threads  The caller's alone. Memory is the arena's of the request.
 */
#include "flow/sources.h"
#include "serve/api.h"

enum reader_kind { READER_RULE, READER_SEARCH, READER_SCHEDULE, READER_EVENT_TYPE, READER_DATA_MODEL, READER_DASHBOARD };
enum { READER_KINDS = READER_DASHBOARD + 1 };

struct reader {
    enum reader_kind kind; /* SCHEDULE: a saved search that runs by itself */
    struct slice id, title; /* of what is not a rule: its name, both */
    struct slice owner;    /* of what people made; "" otherwise */
    bool hidden;           /* it is another person's own: its name is nobody else's business */
    bool everything;       /* it takes any event of any source */
};

/* A source that is asked about. */
struct read_source {
    const struct source_view *view;
    bool known; /* enough was seen of its events */
    struct source_facts facts;
    uint64_t readers[READER_KINDS]; /* without those that take everything */
    uint64_t everything;
};

/* May be called for each pair; texts live while it is called. NULL: only counted. */
typedef void (*reader_found)(void *context, const struct read_source *source, const struct reader *reader);

/* Fills known, facts and readers. *unclear: saved searches of which nothing can be said, since they do not parse (they
 * wait for values). */
MUST_USE int readers_look(struct api *api, struct read_source *list, size_t count, reader_found found, void *context,
                          uint64_t *unclear, struct err *err);
