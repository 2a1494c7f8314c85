#pragma once
/*
 * flow/sources: what is known of who sends: when it usually does, how far its clock is ahead, how much, how late it can
 * be searched.
 *
 *   everything ─ input (hinomi.source) ─ sender (address or token, or a file) ─ host (host.name, of senders that send for
 *                                                                                     several)
 *
 * Who is silent against its rhythm (table/rhythm) is a finding, once, and so is its return. When none of the others that
 * were to be heard from by now is heard either, it is what they have in common that is silent: one finding for the input
 * or for everything, not one for each. Heartbeats say how often somebody must be heard, or that nobody waits for it.
 *
 * Kept in a file of its own, with the number of the last event in it, so that events that are read again are not counted
 * twice; the time during which the program was down is nobody's silence.
 *
 * Threads    sources_each and sources_kept: any. sources_heartbeats: any. The rest: the pipeline's.
 * Limits     SOURCES_KEPT_MAX; beyond, those that were silent longest are forgotten.
 */
#include "base/arena.h"
#include "base/clock.h"
#include "collect/gap.h"
#include "detect/rule.h"
#include "event/batch.h"
#include "event/finding.h"
#include "flow/source_profile.h"
#include "table/clock_skew.h"
#include "table/rhythm.h"

struct sources;

/* Who must be heard how often. */
struct heartbeat {
    struct slice source;       /* hinomi.source; of an HTTP port, which has one for each dialect, its name */
    struct slice sender, host; /* each or none; sender: an address, or a token's id */
    int64_t every_ns;          /* 0: nobody waits for it */
    const struct slice *any;   /* of an HTTP port: the sources that are its */
    size_t any_count;
};

/* What is done about the clocks of those who send to an input; of inputs that are not named they are shown. */
enum clock_use { CLOCK_SHOWN, CLOCK_IGNORED, CLOCK_CORRECTED };
struct source_clock {
    struct slice source;
    enum clock_use use;
};

typedef int (*sources_found)(void *context, const struct finding *finding, const struct rule *rule, struct err *err);
/* stream: where the messages are filed that are not missing. */
typedef int (*sources_gap_found)(void *context, const struct gap *gap, struct slice stream, struct err *err);

struct sources_config {
    const struct hin_clock *clock;
    const char *path; /* of its file; NULL: ends with the program. Lives as long */
    int64_t save_ns;  /* so often; 0: every minute */
    struct rhythm_week week;
    void (*note)(void *context, const char *text);
    void *context;
};

/* A file that cannot be used is noted, and everything is learned anew. */
MUST_USE int sources_open(const struct sources_config *config, struct sources **out, struct err *err);
void sources_close(struct sources *sources); /* saves; NULL is fine */

/* These, and no others, from now on. Copied. */
MUST_USE int sources_heartbeats(struct sources *sources, const struct heartbeat *list, size_t count, struct err *err);
/* Likewise. */
MUST_USE int sources_clocks(struct sources *sources, const struct source_clock *list, size_t count, struct err *err);
/* Call it before a delivery is decoded: true when its stamps are to be corrected. */
bool sources_clock_begin(struct sources *sources, const struct origin *origin);
/* Then, of each event of it: how far its stamp is ahead. Of a sender that sends for several, by their hosts' clocks. */
int64_t sources_clock_ahead(void *sources, struct slice host);
/* Whom findings and gaps are given to, from sources_take and sources_tick; nobody at first. */
void sources_tell(struct sources *sources, sources_found found, sources_gap_found gap_found, void *context);
/* A collector found it (collect/gap.h), and told it in the event with this hinomi.seq: for the books of its input. Call it
 * before the event is taken. */
MUST_USE int sources_gap(struct sources *sources, const struct gap *gap, int64_t received_ns, uint64_t seq, struct err *err);
/* A batch that can be searched now. What memory is out for is not counted. */
MUST_USE int sources_take(struct sources *sources, const struct batch *batch, struct err *err);
/* So far is everything known that was received: call it every second or so. */
MUST_USE int sources_tick(struct sources *sources, int64_t now_ns, struct err *err);

enum source_kind { SOURCE_EVERYTHING, SOURCE_INPUT, SOURCE_SENDER, SOURCE_HOST };
enum source_state {
    SOURCE_LEARNING,  /* its rhythm is not known yet */
    SOURCE_AS_USUAL,
    SOURCE_SILENT,    /* longer than its rhythm, or its heartbeat, allows; or its input is */
    SOURCE_NOT_AWAITED, /* by heartbeats: every: never */
};
const char *source_state_name(enum source_state state);

enum { SOURCE_DELAY_BINS = 40, SOURCE_RATE_MINUTES = 10 };

struct source_counts {
    uint64_t events, bytes; /* bytes: event.original */
    uint64_t not_understood, quarantined, decode_errors;
    uint64_t gaps;      /* messages that are missing by their numbers */
    uint64_t gap_count; /* holes that they left */
    uint64_t restarts;  /* numbers that began again */
};

/* As of the last event; texts live while it is visited. */
struct source_view {
    enum source_kind kind;
    enum source_state state;
    struct slice source, sender, path, host, stream, dataset; /* each or empty */
    struct source_counts counts;
    int64_t since_ns, last_ns; /* first and last receipt */
    int64_t silent_since_ns;   /* 0: it is not */
    int64_t every_ns;          /* its heartbeat; 0: none */
    double per_second;         /* in the last SOURCE_RATE_MINUTES */
    double usual_per_second;   /* in this hour of the week; below 0: not known yet */
    int64_t delay_p50_ns, delay_p99_ns; /* receipt to searchable */
    int64_t lag_ns;            /* receipt less @timestamp, of the last event */
    struct clock_skew_found clock;
    int64_t watched_ns;
    uint64_t gap_from, gap_to; /* the last gap; 0: none, or without numbers */
    int64_t last_gap_ns;       /* 0: none */
    uint64_t numbered_again;   /* messages whose numbers were there already: sent twice, or too late */
    uint32_t numberings;       /* that are watched */
};

/* Everything first, then inputs, senders and hosts in the order in which they were first heard. */
typedef void (*source_visit)(void *context, const struct source_view *view);
void sources_each(struct sources *sources, source_visit visit, void *context);
/* What its events are like, for who reads it (serve/readers); looked is 0 when there is no such source, or none of its events
 * was looked at. Texts live as long as the sources. -1 when memory is out. */
MUST_USE int sources_facts(struct sources *sources, const struct source_view *view, struct arena *arena,
                           struct source_facts *out);
/* How many were forgotten for want of room. */
uint64_t sources_forgotten(struct sources *sources);
