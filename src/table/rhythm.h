#pragma once
/*
 * table/rhythm: when something usually sends, and whether it has been silent for longer than its own pauses allow.
 *
 * What counts is minutes in which at least one event came (beats). Each hour of the week has a usual number of them.
 * A pause is measured in the beats that were to be expected in it, so that a night or a weekend without work is no pause
 * at all, and a missing batch is one as soon as its hour has passed:
 *
 *   beats expected   __/~~~~~~~~\________________/~~~~~~~~\______     (usual, by hour of the week)
 *   beats            . . .. .. . .                 . . ..
 *   pause in beats    1 1 1                  ^ 2          the night adds nothing
 *
 * The limit is half as much again as the longest pause of the last weeks (more while few are known), not more than 2.8
 * times the pause that 99 of 100 stay below, but never less than the longest, and SILENCE_LEAST_S at least.
 * Holidays are like Sundays and teach nothing. What a watched time teaches is forgotten by and by.
 * A rhythm is known when it was watched for two weeks, and for four times the longest time without anything: a weekly
 * batch after four weeks, a monthly one after four months.
 *
 * Time      Of receipt. The time during which nobody watched (the program was down) is left out: rhythm_resume().
 * Threads   One at a time. Ownership  A plain struct; may be copied.
 * Limits    Fixed size.
 */
#include "base/buffer.h"
#include "base/limits.h"
#include "table/calendar.h"

enum { RHYTHM_HOURS = 168, RHYTHM_BINS = 144 };

/* Whose hours these are. */
struct rhythm_week {
    const struct zone *zone;         /* NULL: UTC */
    const struct calendar *calendar; /* NULL: no holidays */
};

/* An hour of the week: 0 is Monday's first. */
struct rhythm_hour {
    unsigned slot;
    bool holiday;
    int64_t end_ns;
};
struct rhythm_hour rhythm_hour_at(const struct rhythm_week *week, int64_t time_ns);

struct rhythm {
    float usual[RHYTHM_HOURS]; /* beats in an hour */
    float events[RHYTHM_HOURS]; /* events in an hour */
    uint8_t seen[RHYTHM_HOURS]; /* times that the hour was watched from end to end; stays at 255 */
    uint16_t pauses[RHYTHM_BINS]; /* how many, by their length in beats */
    uint32_t pause_count;
    float longest[2];       /* pause in beats: of this period, and of the one before */
    int64_t period_ns;      /* when it began */
    int64_t first_ns;       /* the first event */
    int64_t last_ns;        /* the last event */
    int64_t beat_ns;        /* begin of the last minute with one */
    int64_t advanced_ns;    /* up to here time is accounted for */
    int64_t watched_ns;     /* of all time since the first event */
    int64_t quiet_ns;       /* watched since the last event */
    int64_t longest_quiet_ns;
    double expected;        /* beats since the last event */
    uint32_t hour_beats, hour_events; /* in the hour that is going on */
    bool whole;             /* it was watched from its beginning */
    bool silent;            /* it was found to be: until it is heard again nothing is learned */
};

/* The first event. */
void rhythm_begin(struct rhythm *rhythm, int64_t now_ns);
/* count events at once. now_ns may be a little older than what was there before. */
void rhythm_take(struct rhythm *rhythm, const struct rhythm_week *week, int64_t now_ns, uint32_t count);
/* Time passes. */
void rhythm_advance(struct rhythm *rhythm, const struct rhythm_week *week, int64_t now_ns);
/* Nobody watched until now. A pause that was longer than any goes on, as far as that leaves room for a whole usual
 * one; any other begins anew: when the next event comes does not depend on when the watching began. */
void rhythm_resume(struct rhythm *rhythm, int64_t now_ns);
/* It was silent for a reason outside of it, which is over: as if it had just been heard. */
void rhythm_excuse(struct rhythm *rhythm);

/* Enough is known to miss it. */
bool rhythm_is_known(const struct rhythm *rhythm);
/* As of the last advance. False while it is not known, and when it was found silent already. */
bool rhythm_is_broken(const struct rhythm *rhythm);
/* The pause, in beats, that is too long; for those that are known for two weeks. */
double rhythm_limit(const struct rhythm *rhythm);
/* What is usual in the hour of now: beats, and events. */
double rhythm_usual_beats(const struct rhythm *rhythm, unsigned slot);
double rhythm_usual_events(const struct rhythm *rhythm, unsigned slot);

void rhythm_save(const struct rhythm *rhythm, struct buffer *to);
/* False when it is too short or says what cannot be. */
MUST_USE bool rhythm_load(struct rhythm *rhythm, struct slice *from);
