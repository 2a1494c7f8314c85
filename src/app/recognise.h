#pragma once
/*
 * app/recognise: what a file seems to be, told from its first events: who decodes them and how surely, in which
 * encoding and time zone they are, how they make records, and those that nobody understands.
 *
 * Ownership  recognise_file() to recognise_close().
 * Threads    One at a time.
 */
#include "base/buffer.h"
#include "decode/registry.h"

enum { RECOGNISE_EVENTS_MAX = 5000, RECOGNISE_NAMES_MAX = 8, RECOGNISE_SHAPES_MAX = 5 };

struct name_count {
    struct slice name;
    uint64_t count;
};

/* Lines that are alike but for their numbers. */
struct line_shape {
    struct slice shape, sample;
    uint64_t count;
};

struct recognised {
    struct arena *arena;
    uint64_t events;
    struct name_count decoders[RECOGNISE_NAMES_MAX]; /* that took events, most first */
    struct name_count others[RECOGNISE_NAMES_MAX];   /* that would have taken some of them, most first */
    struct name_count encodings[RECOGNISE_NAMES_MAX];
    uint64_t errors;         /* events that a decoder could not finish */
    uint64_t not_understood;
    struct line_shape shapes[RECOGNISE_SHAPES_MAX]; /* of those, most first */
    const char *records;     /* how lines make records, or NULL: each is one */
    struct slice columns;    /* the line that names them, or none */
    uint64_t stamps;         /* events with a time of their own */
    uint64_t zoneless;       /* of which the time says no zone */
    int64_t last_ns;         /* the last of those, taken as UTC */
    bool offset_known;       /* the file was last written just when that was, in a zone with this offset */
    int32_t offset_s;
};

/* source: as for hinomi decode, or NULL. */
MUST_USE int recognise_file(const struct decoders *decoders, const char *source, const char *path,
                            struct recognised *out, struct err *err);
void recognise_close(struct recognised *recognised);
