#pragma once
/*
 * flow/source_entry: what flow/sources keeps of each source, for its files source_silence.c (who is silent) and
 * source_numbers.c (what is missing) and source_file.c (what is kept over a restart). Under the lock of the sources, all of it.
 */
#include "base/map.h"
#include "event/delivery.h"
#include "flow/source_profile.h"
#include "flow/sources.h"
#include "table/sequence.h"

#include <pthread.h>

enum number_kind { NUMBERS_SYSLOG, NUMBERS_WINLOG, NUMBERS_KINDS };
struct source_sequence {
    enum number_kind kind;
    struct slice name; /* which numbers: a channel of Windows ...; its own memory */
    struct sequence sequence;
};

struct source_entry {
    enum source_kind kind;
    struct source_entry *group; /* what it is part of; NULL: everything */
    size_t members;             /* of which it is the group */
    struct slice key, source, sender, path, host; /* in key's memory: see source_key() */
    struct slice stream, dataset; /* as of the last event */
    struct rhythm rhythm;
    struct clock_skew clock;
    enum clock_use clock_use;
    int64_t ahead_ns; /* was taken off its stamps of the present delivery */
    struct source_counts counts;
    uint64_t gap_from, gap_to; /* of the last gap; 0: the protocol says no numbers */
    int64_t last_gap_ns;
    struct source_sequence *sequences;
    uint32_t sequence_count;
    struct source_profile profile;
    uint32_t minutes[SOURCE_RATE_MINUTES]; /* events, in a ring */
    int64_t newest_minute;
    uint16_t delays[SOURCE_DELAY_BINS]; /* milliseconds, by powers of the square root of 2 */
    int64_t lag_ns;
    int64_t every_ns; /* of its heartbeat, -1: nobody waits, 0: none */
    struct source_entry *silent_with; /* itself, or the group that was found silent; NULL: it is not silent */
    int64_t silent_since_ns;
    char finding[33];  /* that said so; "" when its group's did */
    bool relays;       /* hosts behind it are told apart */
    struct slice only_host; /* of a sender that has sent for one host so far */
    bool turn_out;          /* it is being forgotten */
    bool held;              /* it must not be now */
};

struct sources {
    struct sources_config config;
    sources_found found;
    sources_gap_found gap_found;
    void *context; /* of both */
    pthread_mutex_t lock;
    struct arena *names;   /* of the map */
    struct map by_key;
    struct source_entry **list;
    size_t count, size;
    struct source_words words;
    struct arena *scratch; /* of a call */
    struct arena *beats;   /* of the heartbeats */
    struct heartbeat *heartbeats;
    size_t heartbeat_count;
    struct arena *clock_names;
    struct source_clock *clocks;
    size_t clock_count;
    struct origin decoding; /* of the delivery that is decoded now */
    bool host_heartbeats;  /* some heartbeats are of a host, whoever sends for it */
    uint64_t forgotten;
    uint64_t seen_seq;     /* of the last event counted */
    int64_t ticked_ns, saved_ns;
    bool changed;          /* since it was saved */
};

/* source_entries.c */
/* NULL: there is none, or memory is out. */
struct source_entry *source_entry_find(struct sources *sources, const struct source_entry *like);
/* Found or made; NULL when memory is out. Names are copied. */
struct source_entry *source_entry_get(struct sources *sources, const struct source_entry *like, int64_t now_ns);
struct source_entry *source_entry_add(struct sources *sources, const struct source_entry *like);
void source_entry_free(struct source_entry *entry);
/* A text of its own, if it is another than before; the one before stays when memory is out. */
void source_entry_keep(struct slice *to, struct slice text);
/* Heartbeats that are about it. */
void source_entry_settle(const struct sources *sources, struct source_entry *entry);

/* For people: the input, and who it is in it. */
struct slice source_entry_name(const struct source_entry *entry, bool japanese, struct arena *arena);
/* Whom the finding is about. False when memory is out. */
bool source_entry_entities(const struct source_entry *entry, struct finding *finding, struct arena *arena);
/* Names the rule in it, and gives it to whom findings are told. */
MUST_USE int source_entry_give(struct sources *sources, const struct rule *rule, struct finding *finding, struct err *err);

/* source_numbers.c */
struct number_columns {
    const struct column *sequence_id, *record_id, *channel;
};
struct number_columns number_columns_of(const struct batch *batch);
/* Rows from begin to, not with, end are its. */
MUST_USE int source_numbers_take(struct sources *sources, struct source_entry *entry, const struct batch *batch,
                                 const struct number_columns *columns, uint32_t begin, uint32_t end, struct err *err);
/* What has not come by now is missing. */
MUST_USE int source_numbers_look(struct sources *sources, int64_t now_ns, struct err *err);
/* NULL when there are too many, or memory is out. */
struct source_sequence *source_numbers_add(struct source_entry *entry, enum number_kind kind, struct slice name);

/* source_silence.c */
MUST_USE int source_silence_look(struct sources *sources, int64_t now_ns, struct err *err);
/* It was heard, and so its groups were. */
MUST_USE int source_silence_heard(struct sources *sources, struct source_entry *entry, int64_t now_ns, struct err *err);

/* source_file.c */
void source_file_write(const struct sources *sources, struct buffer *to);
MUST_USE int source_file_read(struct sources *sources, struct slice bytes, struct err *err);
