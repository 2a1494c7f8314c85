#pragma once
/* search/stats/state_extremes: least and greatest; min, max, range. */
#include "search/stat.h"

/* Numbers by value; when some value is text, all by text, whatever the order they came in. So both are
 * kept: a number is compared as text only where its first eight bytes do not tell. */
struct extremes {
    struct value least, greatest; /* numbers */
    struct value text_least, text_greatest;
    uint64_t least_word, greatest_word; /* their first bytes, the first one highest */
    bool numbers, texts, some;
};

void extremes_add(struct stat_scope *scope, void *state, struct value v, int64_t time_ns);
/* stat.merge */
void extremes_merge(struct stat_scope *scope, void *state, const void *part);
