#pragma once
/* search/stats/state_extremes: least and greatest; min, max, range. */
#include "search/stat.h"

/* Numbers by value; as soon as some value is text, all by text. Of the numbers seen before that,
 * the least and greatest stand for all. */
struct extremes {
    struct value least, greatest; /* numbers */
    struct value text_least, text_greatest;
    bool numbers, texts;
};

void extremes_add(struct stat_scope *scope, void *state, struct value v, int64_t time_ns);
