#pragma once
/* app/approve_say: lines for a person who is about to sign. Only plain letters reach the terminal: nothing can hide, look alike or
 * move the cursor. On standard error. */
#include "base/buffer.h"

#include <stdint.h>

void approve_say(const char *name, struct slice text);
/* time_ns 0: otherwise. */
void approve_say_time(const char *name, int64_t time_ns, const char *otherwise);
/* A line that nobody may miss: DANGER, and red on a terminal. */
void approve_say_danger(const char *name, struct slice text);
/* In groups of four, from the left or from the right. */
void approve_say_groups(const char *name, struct slice text, bool from_right);
/* What approve_say shows of a text. */
void approve_plain(struct buffer *to, struct slice text);
/* Two texts, one below the other, with marks under what differs. */
void approve_say_pair(const char *name, struct slice text, const char *other_name, struct slice other);
