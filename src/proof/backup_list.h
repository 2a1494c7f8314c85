#pragma once
/*
 * proof/backup_list: BACKUP.json, the list of a backup's files with their SHA-256
 * (docs/format/backup.md). It is written last: a folder without it is no backup.
 *
 * Ownership  Everything lives in the arena given.
 * Threads    One.
 * Errors     ERR_CORRUPT names the file that is not what the list says.
 */
#include "base/arena.h"
#include "base/err.h"

#include <stdint.h>
#include <sys/types.h>

enum { SHA256_TEXT_SIZE = 65, BACKUP_PATH_MAX = 512 };
#define BACKUP_LIST_NAME "BACKUP.json"

struct backup_file {
    struct slice path; /* relative, parts of letters, digits, '.', '-', '_', ':'; never ".." */
    uint64_t size;
    uint32_t mode;     /* 0600 ... */
    char sha256[SHA256_TEXT_SIZE];
};

struct backup_list {
    int64_t created_ns;
    struct slice version; /* of the program */
    uint64_t events;      /* in segments */
    uint64_t covered;     /* journal position up to which they are in segments */
    struct backup_file *files;
    size_t file_count, file_size;
};

/* Copies the path. ERR_CONFIG for one that may not be in a backup. */
MUST_USE int backup_list_add(struct backup_list *list, struct arena *arena,
                             const struct backup_file *file, struct err *err);
/* DIR/BACKUP.json, durable. sha256: of that file, to be noted elsewhere. */
MUST_USE int backup_list_write(const struct backup_list *list, const char *dir,
                               char sha256[SHA256_TEXT_SIZE], struct err *err);
MUST_USE int backup_list_read(const char *dir, struct arena *arena, struct backup_list *out,
                              struct err *err);
/* The text of such a file, which must live as long as the list. */
MUST_USE int backup_list_parse(struct slice text, struct arena *arena, struct backup_list *out,
                               struct err *err);
/* One file below dir against its line. */
MUST_USE int backup_file_check(const char *dir, const struct backup_file *file, struct err *err);

/* Bytes from offset 0 up to size, of a file that may grow; to: a descriptor that gets them, or -1. */
MUST_USE int backup_digest(int fd, uint64_t size, int to, const char *path,
                           char sha256[SHA256_TEXT_SIZE], struct err *err);
/* As backup_digest, for a whole file by name. */
MUST_USE int backup_digest_path(const char *path, uint64_t *size, char sha256[SHA256_TEXT_SIZE],
                                struct err *err);
