#pragma once
/*
 * cut/kv: key=value pairs, one after the other. Values may be in double quotes
 * (with \" and \\ inside) or run to the next separator.
 *
 *   a=1 b="two words" c=          a = 1, b = two words, c = ""
 *
 * Words without '=' are passed over.
 */
#include "base/arena.h"
#include "base/slice.h"

struct kv {
    struct slice rest;
    char separator; /* between pairs; runs of it are one */
    char equals;    /* between key and value */
};

struct kv_pair {
    struct slice key, value;
    bool escaped; /* value has backslashes: kv_unescape() */
};

/* Takes the next pair. False at the end. */
bool kv_next(struct kv *kv, struct kv_pair *out);
MUST_USE struct slice kv_unescape(struct slice value, struct arena *arena);
