#pragma once
/* base/file: whole files and folders, for configuration, rules and tools (not for the store). */
#include "base/arena.h"
#include "base/err.h"
#include "base/slice.h"

/* The whole file into the arena (a zero follows); larger than bytes_max is ERR_LIMIT.
 * Errors name the path. */
MUST_USE int file_read(const char *path, size_t bytes_max, struct arena *arena, struct slice *out,
                       struct err *err);

/* Called for each regular file, in name order, with its path. Not 0 stops the walk and is returned. */
typedef int (*file_visit)(void *context, const char *path, struct err *err);

/* Files below path whose name ends in suffix (or in any way when NULL), folders entered in name
 * order, hidden names and symbolic links left out; path may itself be a file (suffix not asked).
 * At most 16 folders deep. */
MUST_USE int file_walk(const char *path, const char *suffix, file_visit visit, void *context,
                       struct err *err);

/* Changes when a file below path is added, removed or written (by names, sizes and times; hidden ones left
 * out). A path that is not there is 0. */
uint64_t file_stamp(const char *path);

bool file_is_dir(const char *path);
