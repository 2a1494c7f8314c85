#pragma once
/*
 * app/offline: files through decode, batch by batch, for the commands that need no server:
 * decode, detect, replay. One pipeline for all of them, so that they cannot disagree.
 */
#include "app/cli.h"

struct offline {
    const char *source; /* decoder by --source, or NULL */
    const char *zone;   /* --tz, or NULL */
    const char *encoding; /* --encoding, or NULL */
    const char *decoders; /* --decoders: own ones, or NULL */
    int64_t received_ns; /* --received or now */
    struct buffer *explain; /* decode_explain(), or NULL */
    /* Each finished batch; rows belong to one file. first_record: the file's record number of row 0. */
    int (*batch)(void *context, struct batch *batch, const char *path, uint64_t first_record,
                 struct err *err);
    void *context;
    uint64_t events, files, files_failed;
};

/* Runs every file; one that cannot be read is a sentence on standard error and counted. -1 only
 * when memory is out or batch() failed. Folders are walked when walk is set. */
MUST_USE int offline_run(struct offline *offline, const struct decoders *decoders, char **paths,
                         int count, struct err *err);
/* "2026-01-26T00:00:00Z" or epoch seconds. */
bool offline_parse_time(const char *text, int64_t *time_ns);
