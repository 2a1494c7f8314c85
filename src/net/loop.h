#pragma once
/*
 * net/loop: one thread with a libuv event loop. Everything about a connection
 * happens on its loop's thread; other threads post functions to it.
 *
 * Ownership  net_loop_start to net_loop_stop, which closes every listener and
 *            connection of the loop and joins the thread.
 * Threads    net_loop_post from any thread; the rest says so.
 */
#include "base/err.h"

#include <stdbool.h>

struct net_loop;
struct uv_loop_s;

/* name is a literal of at most 15 characters, shown by ps and gdb. */
MUST_USE int net_loop_start(const char *name, struct net_loop **out, struct err *err);
void net_loop_stop(struct net_loop *loop); /* NULL is fine; not from the loop's own thread */

/* Runs function(context) on the loop's thread soon, in order of posting. False when the loop is
 * stopping: then it will not run. */
bool net_loop_post(struct net_loop *loop, void (*function)(void *context), void *context);
/* As post, but returns when it has run. */
bool net_loop_call(struct net_loop *loop, void (*function)(void *context), void *context);

/* For the rest of this room. */
struct uv_loop_s *net_loop_uv(struct net_loop *loop);
