#pragma once
/*
 * search/commands/foreach_text: the commands of a foreach for one field or one member, with its marks
 * (<<FIELD>> and its kin) replaced.
 *
 *   body    eval copy_<<MATCHSTR>>=<<FIELD>>     of *name, first_name     eval copy_first_=first_name
 *   body    eval seen="no <<ITEM>>"              of a member              eval seen=("no ".'@item'."")
 *
 * A member is a value, so its mark becomes a field that holds it, not its text: no member can change
 * what is evaluated.
 *
 * Source   Splunk Search Reference, foreach: template values and their options.
 * Errors   SLICE_NONE: memory is out, or the text is longer than QUERY_BYTES_MAX.
 */
#include "base/arena.h"
#include "base/slice.h"

#define FOREACH_ITEM "@item" /* the field of the member; @ fields are never a user's */

enum { FOREACH_SEGMENTS = 3 };

struct foreach_marks {
    struct slice field, string, segments[FOREACH_SEGMENTS], item, iter;
};

struct foreach_at {
    struct slice pattern, name; /* the field as written, and the one it stands for */
    uint32_t iter;              /* number of the member, from 0 */
    bool items;                 /* marks of members count */
};

MUST_USE struct slice foreach_filled(struct slice body, const struct foreach_marks *marks,
                                     const struct foreach_at *at, struct arena *arena);
