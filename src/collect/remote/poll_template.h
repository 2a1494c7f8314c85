#pragma once
/*
 * collect/poll_template: URLs and bodies of requests with places for what changes between them.
 *
 *   https://api.example.com/events?since=${start}&until=${end:unix}&page=${page}
 *
 *   start end day   times: RFC 3339 to the second; :unix seconds, :ms, or a strftime(3) form (UTC) such as :%Y/%m/%d
 *   cursor page     of paging
 *   each            one of the values that requests are made for
 *   entry           what a list named; its '/' stay
 *
 * In a URL values are percent-encoded (RFC 3986: all but unreserved characters), in a body they are escaped as within a
 * JSON string.
 * Errors  A name that is not among these, or a form that is none, is said by poll_template_check().
 */
#include "base/buffer.h"
#include "base/err.h"

struct poll_values {
    int64_t start_ns, end_ns, day_ns;
    uint64_t page;
    struct slice cursor, each, entry;
};

enum poll_place { POLL_IN_URL, POLL_IN_BODY };

MUST_USE int poll_template_check(struct slice text, struct err *err);
/* Whether it has a place of that name. */
bool poll_template_has(struct slice text, const char *name);
/* The text must have passed poll_template_check(). */
void poll_template_fill(struct slice text, const struct poll_values *values, enum poll_place place, struct buffer *to);

/* Everything but unreserved characters as %XX; with slashes they stay. */
void poll_put_encoded(struct buffer *to, struct slice text, bool slashes);
