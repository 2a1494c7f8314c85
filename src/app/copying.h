#pragma once
/*
 * app/copying: the files of one folder into another, each noted with its digest; for backup and restore.
 *
 * Threads  One.
 */
#include "proof/backup_list.h"

struct copying {
    const char *from, *to; /* folders */
    struct backup_list *list;
    struct arena *arena;   /* of the list */
    bool always_copy;      /* else what does not change any more may become a hard link */
    uint64_t bytes, linked;
};

/* FROM/NAME as TO/NAME, durable, folders made. changes: the file is still written to, so it is copied up
 * to its size as of now. ERR_NOT_FOUND when it is gone. */
MUST_USE int copying_file(struct copying *copying, const char *name, bool changes, struct err *err);
/* As copying_file, of a file that lies elsewhere. */
MUST_USE int copying_file_from(struct copying *copying, const char *from, const char *name,
                               bool changes, struct err *err);
/* A file that stands in TO already. */
MUST_USE int copying_note(struct copying *copying, const char *name, struct err *err);
/* Bytes as TO/NAME. */
MUST_USE int copying_bytes(struct copying *copying, const char *name, struct slice bytes,
                           struct err *err);
/* Takes TO/NAME back. */
void copying_undo(struct copying *copying, const char *name);

/* The folder is missing or empty. */
bool copying_is_empty(const char *dir);
/* All files below, then the folders. */
MUST_USE int copying_remove(const char *dir, struct err *err);
/* fsync of the folder and all below. */
MUST_USE int copying_sync(const char *dir, struct err *err);
