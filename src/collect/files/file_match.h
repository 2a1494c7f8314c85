#pragma once
/*
 * collect/file_match: the files that patterns mean now (file_names.h has their form), symbolic links followed; hidden
 * ones only where the pattern says "/.".
 *
 * Threads  Any. Limits  FILE_MATCH_DEPTH_MAX folders deep, COLLECT_FILES_MAX files in all: more are counted in left_out.
 */
#include "base/err.h"
#include "base/slice.h"

#include <sys/stat.h>

struct file_match {
    const struct slice *patterns, *exclude; /* exclude: of whole paths, or of names when there is no slash */
    size_t pattern_count, exclude_count;
    /* Not 0 ends the walk. A file that several patterns mean comes several times. */
    int (*file)(void *context, const char *path, const struct stat *info);
    void (*folder)(void *context, const char *path); /* each one that was looked into; may be NULL */
    /* A file that is not there, whose name is what a rotated one was called, or that a pattern names; may be NULL. */
    void (*absent)(void *context, const char *path);
    void *context;
    /* set by the walk */
    size_t files, left_out;
    char problem[200]; /* a folder that may not be read; "" for none */
};

/* What file() returned, or 0. */
int file_match_walk(struct file_match *match);
