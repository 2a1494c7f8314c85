#pragma once
/*
 * app/hunt_output: what hinomi detect and replay print: a line a match or finding as JSON, a table to
 * read along, or a timeline (CSV in order of time, which is printed at the end).
 *
 * Threads  One. Limits  a timeline is held in memory: LISTING_ROWS_MAX, LISTING_ARENA_MAX; over either
 * it fails and says so.
 */
#include "app/listing.h"
#include "detect/rule.h"

enum hunt_format {
    HUNT_MATCHES,  /* JSON: rule, file, record */
    HUNT_FINDINGS, /* JSON: the finding as the rules raised it */
    HUNT_TABLE,
    HUNT_TIMELINE,
};

/* Where a match is. */
struct hunt_place {
    const char *path;  /* NULL: none */
    uint64_t record;   /* of the file, from 0 */
    bool has_record;   /* no: absence, silence */
    const struct batch *batch; /* with its row, where there is one */
    uint32_t row;
};

struct hunt_output {
    enum hunt_format format;
    struct buffer line;
    struct arena *arena; /* of the timeline */
    struct hunt_moment *moments;
    size_t moment_count, moment_size;
};

MUST_USE int hunt_output_init(struct hunt_output *output, enum hunt_format format, struct err *err);
void hunt_output_close(struct hunt_output *output);

/* ERR_CLOSED when nobody reads the output any more. */
MUST_USE int hunt_output_put(struct hunt_output *output, const struct finding *finding,
                             const struct rule *rule, const struct hunt_place *place, struct err *err);
/* What is left to print at the end. */
MUST_USE int hunt_output_end(struct hunt_output *output, struct err *err);

/* The machine that an event is of: host.name, or Windows' own name; empty when it has none. May be in
 * room. */
struct slice hunt_host(const struct hunt_place *place, char room[VALUE_TEXT_SIZE]);
