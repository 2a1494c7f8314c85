#pragma once
/*
 * net/loop: one thread with a libuv event loop. Everything about a connection
 * happens on its loop's thread; other threads post functions to it.
 *
 * Ownership  net_loop_start to net_loop_stop, which closes every listener and
 *            connection of the loop and joins the thread. Who may still post afterwards has a
 *            hold: posting to a loop that has stopped is refused, as long as somebody holds it.
 * Threads    net_loop_post from any thread; the rest says so.
 */
#include "base/err.h"

#include <stdbool.h>
#include <stdint.h>

struct net_loop;
struct uv_loop_s;

/* name is a literal of at most 15 characters, shown by ps and gdb. */
MUST_USE int net_loop_start(const char *name, struct net_loop **out, struct err *err);
void net_loop_stop(struct net_loop *loop); /* NULL is fine; not from the loop's own thread */

void net_loop_hold(struct net_loop *loop);
void net_loop_drop(struct net_loop *loop);
/* Runs function(context) on the loop's thread soon, in order of posting. False when the loop has
 * ended: then it will not run, and nothing else of the loop does. */
bool net_loop_post(struct net_loop *loop, void (*function)(void *context), void *context);
/* As post, but returns when it has run. */
bool net_loop_call(struct net_loop *loop, void (*function)(void *context), void *context);

/* Calls function(context) on the loop's thread when the time has come. Belongs to its loop, and lives until nobody holds that. */
struct net_timer;
/* From any thread. NULL: memory, or the loop is stopping. */
MUST_USE struct net_timer *net_timer_new(struct net_loop *loop, void (*function)(void *context), void *context);
/* On the loop's thread: once after so many ms, then every repeat_ms (0: only once). Started again it begins anew. */
void net_timer_start(struct net_timer *timer, int64_t after_ms, int64_t repeat_ms);
bool net_timer_is_set(const struct net_timer *timer);

/* For the rest of this room. */
struct uv_loop_s *net_loop_uv(struct net_loop *loop);
