#pragma once
/*
 * app/pinned: a data folder's segments held open, so that a long read beside a running server is not disturbed
 * when the server merges segments and removes their files.
 *
 *   struct pinned *pinned; pinned_open(dir, &pinned, &err);
 *   store_open(&(struct store_config){.io = pinned_io(pinned), .read_only = true, ...})
 *
 * Ownership  The io table is the pin's; close the store first.
 * Threads    pinned_io() may be used from any.
 * Limits     A file descriptor a segment; the soft limit is raised as far as the system allows.
 * Errors     -1 when there is no store or too many segments for the system's limit.
 */
#include "base/io.h"
#include "store/store.h"

struct pinned;

MUST_USE int pinned_open(const char *dir, struct pinned **out, struct err *err);
const struct hin_io *pinned_io(const struct pinned *pinned);
/* The folder's store, read only, through a pin; close the store first. ERR_NOT_FOUND when there is none; both may be
 * set after a failure. */
MUST_USE int pinned_store_open(const char *dir, struct pinned **out, struct store **store, struct err *err);
void pinned_close(struct pinned *pinned); /* NULL is fine */
