#pragma once
/*
 * table/risk: how suspicious entities are: what findings of different rules said of each adds up and decays.
 *
 *   points(entity, now) = sum over rules of points(rule) * 2^-((now - its newest finding) / half-life)
 *
 * A rule counts once, with its newest finding: findings of the same rule make its points fresh again and are
 * counted, but do not add up. So a noisy rule alone stays at its own points, and a total is bounded by what all
 * rules have together. Order of arrival does not matter: of two findings the later one counts, whichever came first.
 *
 * All of it is whole numbers (millionths of a point, powers of two by a table), so that a total is the same on every
 * machine and what is saved is the same bytes for the same findings.
 *
 * Ownership  Texts are copied.
 * Threads    One at a time.
 * Limits     RISK_ENTITIES_MAX and RISK_BYTES_MAX: the tenth whose newest finding is oldest goes, counted;
 *            RISK_PARTS_MAX rules of an entity: the one with the fewest points left goes, counted.
 */
#include "base/arena.h"
#include "base/buffer.h"
#include "base/err.h"
#include "event/finding.h"

#include <stdint.h>

#define RISK_POINT UINT64_C(1000000) /* a point in what totals are counted in */
#define RISK_NEWEST INT64_MAX        /* now: the time of the entity's newest finding */
#define RISK_RECENT_NS (24 * NS_PER_HOUR)

struct risk;

/* What a rule says of an entity. */
struct risk_source {
    struct slice rule, title;
    struct slice tactics; /* of ATT&CK, a space between */
    uint32_t points;      /* at most RISK_POINTS_MAX */
};

struct risk_part {
    struct risk_source source; /* as its newest finding had it */
    int64_t last_ns;
    uint64_t count;           /* findings */
    struct slice finding;     /* id of the newest */
    struct evidence evidence; /* its newest event */
    uint64_t left;            /* of its points, now */
};

/* An entity now. */
struct risk_total {
    struct entity entity;
    uint64_t points;
    uint64_t recent;  /* of them, by findings of the last 24 hours */
    uint32_t tactics; /* different ones, of parts that have a point left */
    int64_t now_ns, newest_ns;
    int64_t raised_ns; /* risk_set_raised(); INT64_MIN: never */
    const struct risk_part *parts; /* most points first */
    size_t part_count;
};

struct risk_stats {
    uint64_t entities, bytes;
    uint64_t evicted; /* entities that were forgotten because there were too many */
    uint64_t cut;     /* rules of an entity, likewise */
    uint64_t late;    /* findings so old that nothing was left of them */
};

MUST_USE struct risk *risk_new(int64_t half_life_ns);
void risk_free(struct risk *risk); /* NULL is fine */

/* A finding of a rule on an entity; one that is its newest already changes nothing. -1 when memory is out. */
MUST_USE int risk_add(struct risk *risk, const struct entity *entity, const struct risk_source *source,
                      const struct finding *finding, struct arena *moment);
/* A finding was taken back: the rule's points on the entity go if that is its newest. */
MUST_USE int risk_take_back(struct risk *risk, const struct entity *entity, struct slice rule, struct slice finding,
                            struct arena *moment);
/* 1, 0: nothing is known of it, -1: memory is out. Texts live until the table changes, the rest in the arena. */
MUST_USE int risk_read(const struct risk *risk, const struct entity *entity, int64_t now_ns, struct arena *arena,
                       struct risk_total *out);
MUST_USE int risk_set_raised(struct risk *risk, const struct entity *entity, int64_t time_ns, struct arena *moment);
/* The entities with most points, most first. *count: the most that are wanted, then how many there are here. */
MUST_USE int risk_top(const struct risk *risk, int64_t now_ns, struct arena *arena, struct risk_total **out, size_t *count);

bool risk_shrink(struct risk *risk); /* the tenth whose newest finding is oldest goes; false: none is left */
struct risk_stats risk_stats(const struct risk *risk);

/* With the half-life; risk_load() takes what it reads there, into a table that is empty. */
void risk_save(const struct risk *risk, struct buffer *to);
MUST_USE int risk_load(struct risk *risk, struct slice *from, struct err *err);
