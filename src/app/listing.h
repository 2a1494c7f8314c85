#pragma once
/*
 * app/listing: rows that a command prints, as table, JSON, JSON lines or CSV (search/output does the
 * writing). Columns come in the order in which they are first named.
 *
 * Ownership  listing_init to listing_close; texts are copied.
 * Limits     LISTING_ARENA_MAX, LISTING_ROWS_MAX; over either, listing_print says so and fails.
 * Threads    One.
 */
#include "base/err.h"
#include "base/limits.h"
#include "search/output.h"

enum { LISTING_ROWS_MAX = 4 * 1000 * 1000 };
#define LISTING_ARENA_MAX (1 * GIB)

struct listing {
    struct arena *arena;
    struct batch *rows;
    bool failed;
};

MUST_USE int listing_init(struct listing *listing, struct err *err);
void listing_close(struct listing *listing);

void listing_row(struct listing *listing); /* begins a row */
void listing_text(struct listing *listing, const char *column, struct slice text);
void listing_i64(struct listing *listing, const char *column, int64_t n);
void listing_time(struct listing *listing, const char *column, int64_t time_ns); /* 0: nothing */

/* To standard output. */
MUST_USE int listing_print(const struct listing *listing, enum output_format format, struct err *err);
