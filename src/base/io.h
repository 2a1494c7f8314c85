#pragma once
/*
 * base/io: files as a parameter (the hin_io seam). The store and everything
 * durable goes through one of these tables, so tests can fail any call.
 *
 * Every function answers like the system call of its name: -1 and errno.
 * EINTR is handled inside, short writes are not (io_write_all does).
 * Threads  The real table may be used from any thread.
 */
#include "base/attr.h"
#include "base/err.h"
#include "base/slice.h"

#include <stdint.h>
#include <sys/types.h>

/* Of the file system that a path lies on. */
struct io_space {
    uint64_t total, free; /* bytes; free for the likes of us */
    uint64_t device;      /* the same for all paths of one file system */
};

struct hin_io {
    int (*open)(void *context, const char *path, int flags, mode_t mode);
    int (*close)(void *context, int fd);
    ssize_t (*pread)(void *context, int fd, void *to, size_t len, off_t at);
    ssize_t (*pwrite)(void *context, int fd, const void *from, size_t len, off_t at);
    int (*fdatasync)(void *context, int fd);
    int (*ftruncate)(void *context, int fd, off_t size);
    int (*fallocate)(void *context, int fd, off_t size); /* keeps the visible size */
    int (*rename)(void *context, const char *from, const char *to);
    int (*unlink)(void *context, const char *path);
    int (*mkdir)(void *context, const char *path, mode_t mode);
    int (*fsync_dir)(void *context, const char *path);
    off_t (*size)(void *context, int fd);
    int (*space)(void *context, const char *path, struct io_space *out); /* statvfs */
    void *context;
};

const struct hin_io *io_real(void);

/* All bytes at the offset, or an error that names what (a path). */
MUST_USE int io_write_all(const struct hin_io *io, int fd, struct slice bytes, off_t at,
                          const char *what, struct err *err);
/* Exactly len bytes, or an error; an early end of file is ERR_CORRUPT. */
MUST_USE int io_read_all(const struct hin_io *io, int fd, void *to, size_t len, off_t at,
                         const char *what, struct err *err);

/* Writes path.tmp, fdatasync, rename, fsync of the folder: after it returns 0 the content is
 * durable under path, and whatever happens either the old or the new file is there. */
MUST_USE int io_replace_file(const struct hin_io *io, const char *path, struct slice content,
                             struct err *err);
/* As io_replace_file; *renamed says after a failure whether the new content may be there. */
MUST_USE int io_replace_file_tell(const struct hin_io *io, const char *path, struct slice content,
                                  bool *renamed, struct err *err);
/* Folder and its parents; one that is there is fine. */
MUST_USE int io_make_dirs(const struct hin_io *io, const char *path, struct err *err);
