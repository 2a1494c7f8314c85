#pragma once
/*
 * collect/watched_logs: the logs of one collector: found by its patterns, looked at again when something changed.
 *
 * Threads  One: the collector's.
 */
#include "collect/files/file_match.h"
#include "collect/files/watched_log.h"
#include "collect/files/watched_start.h"

struct watched_logs {
    struct log_watch watch;
    struct watched_log **list;
    size_t count, size;
    struct arena *arena;  /* of the last scan */
    struct map by_path;   /* to the log; keys are the logs' */
    struct map by_inode;  /* to the log that has the file; as of the last scan */
    struct file_match match;
    void (*folder)(struct watched_logs *logs, const char *path); /* each folder that a scan looks into */
    struct watched_start start;
    bool scanned;
    bool holds;           /* nothing new is given, so that a scan can begin */
    const struct map *matched; /* during a scan: paths that the patterns mean */
};

/* watch and match are filled in by the caller; the rest zero. */
MUST_USE int watched_logs_open(struct watched_logs *logs, struct err *err);
void watched_logs_close(struct watched_logs *logs); /* all deliveries were answered */

/* Finds files, and gives them to the logs that they belong to; nothing may be under way. Problems are told. */
void watched_logs_scan(struct watched_logs *logs);
/* Bytes were added to the file at path. */
void watched_logs_written(struct watched_logs *logs, const char *path);
/* Takes answers and gives the next deliveries; true when something moved. */
bool watched_logs_round(struct watched_logs *logs);
/* Every second or so. */
void watched_logs_tick(struct watched_logs *logs);
/* A scan may find what is missing. */
bool watched_logs_are_searching(const struct watched_logs *logs);
/* Names moved during the last one, or something was found where it should not be: one is to follow at once. */
bool watched_logs_look_again(const struct watched_logs *logs);
/* Some delivery was not answered yet. */
bool watched_logs_are_waiting(const struct watched_logs *logs);
