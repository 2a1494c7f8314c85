#pragma once
/*
 * detect/watch: what a rule of absence or silence remembers.
 *
 * Absence   trigger ──► pending(key) ──deadline──► finding ──late partner──► retraction
 *           partner ──► seen(key)      before or after the trigger, both are in order
 * Silence   a key that was heard at least SILENCE_HEARD_MIN times and not for "after"
 *
 * Threads  One at a time. All times are event times.
 */
#include "detect/rule.h"

enum { WATCH_KEYS_MAX = 200000, SILENCE_HEARD_MIN = 3, PARTNER_REMEMBER_HOURS = 24 };

struct watch;

/* Takes the finding; what it points to lives until the call returns. */
typedef int (*watch_raise)(void *context, const struct rule *rule, struct finding *finding,
                           struct err *err);

MUST_USE struct watch *watch_new(const struct rule *rule, watch_raise raise, void *context);
void watch_free(struct watch *watch);

/* ABSENT: a trigger with its finding made out; the partner. */
MUST_USE int watch_trigger(struct watch *watch, struct slice key, int64_t time_ns,
                           const struct finding *finding, struct err *err);
MUST_USE int watch_partner(struct watch *watch, struct slice key, int64_t time_ns,
                           struct arena *scratch, struct err *err);
/* SILENCE: the key was heard. */
MUST_USE int watch_heard(struct watch *watch, struct slice key, int64_t time_ns,
                         struct arena *scratch, struct err *err);

/* When something is due next; INT64_MAX when nothing is. */
int64_t watch_due_ns(const struct watch *watch);
MUST_USE int watch_advance(struct watch *watch, int64_t now_ns, struct arena *scratch,
                           struct err *err);

void watch_save(const struct watch *watch, struct buffer *to);
MUST_USE int watch_load(struct watch *watch, struct slice *from, struct err *err);
