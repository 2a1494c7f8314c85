#include "base/io.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#define RETRY(call)                         \
    __extension__({                         \
        __typeof__(call) result_;           \
        do                                  \
            result_ = (call);               \
        while (result_ < 0 && errno == EINTR); \
        result_;                            \
    })

static int real_open(void *context, const char *path, int flags, mode_t mode)
{
    (void)context;
    return RETRY(open(path, flags | O_CLOEXEC, mode));
}

static int real_close(void *context, int fd)
{
    (void)context;
    return close(fd);
}

static ssize_t real_pread(void *context, int fd, void *to, size_t len, off_t at)
{
    (void)context;
    return RETRY(pread(fd, to, len, at));
}

static ssize_t real_pwrite(void *context, int fd, const void *from, size_t len, off_t at)
{
    (void)context;
    return RETRY(pwrite(fd, from, len, at));
}

static int real_fdatasync(void *context, int fd)
{
    (void)context;
    return fdatasync(fd);
}

static int real_ftruncate(void *context, int fd, off_t size)
{
    (void)context;
    return RETRY(ftruncate(fd, size));
}

static int real_fallocate(void *context, int fd, off_t size)
{
    (void)context;
    return RETRY(fallocate(fd, FALLOC_FL_KEEP_SIZE, 0, size));
}

static int real_rename(void *context, const char *from, const char *to)
{
    (void)context;
    return rename(from, to);
}

static int real_unlink(void *context, const char *path)
{
    (void)context;
    return unlink(path);
}

static int real_mkdir(void *context, const char *path, mode_t mode)
{
    (void)context;
    return mkdir(path, mode);
}

static int real_fsync_dir(void *context, const char *path)
{
    (void)context;
    int fd = RETRY(open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (fd < 0)
        return -1;
    int result = fsync(fd);
    int saved = errno;
    close(fd);
    errno = saved;
    return result;
}

static off_t real_size(void *context, int fd)
{
    (void)context;
    struct stat info;
    return fstat(fd, &info) < 0 ? -1 : info.st_size;
}

static int real_space(void *context, const char *path, struct io_space *out)
{
    (void)context;
    struct statvfs space;
    struct stat info;
    if (statvfs(path, &space) < 0 || stat(path, &info) < 0)
        return -1;
    *out = (struct io_space){.total = (uint64_t)space.f_blocks * space.f_frsize,
                             .free = (uint64_t)space.f_bavail * space.f_frsize,
                             .device = (uint64_t)info.st_dev};
    return 0;
}

const struct hin_io *io_real(void)
{
    static const struct hin_io real = {
        .open = real_open,
        .close = real_close,
        .pread = real_pread,
        .pwrite = real_pwrite,
        .fdatasync = real_fdatasync,
        .ftruncate = real_ftruncate,
        .fallocate = real_fallocate,
        .rename = real_rename,
        .unlink = real_unlink,
        .mkdir = real_mkdir,
        .fsync_dir = real_fsync_dir,
        .size = real_size,
        .space = real_space,
    };
    return &real;
}

int io_write_all(const struct hin_io *io, int fd, struct slice bytes, off_t at, const char *what,
                 struct err *err)
{
    while (bytes.len) {
        ssize_t wrote = io->pwrite(io->context, fd, bytes.ptr, bytes.len, at);
        if (wrote < 0)
            return err_set_errno(err, errno, "cannot write %s", what);
        if (wrote == 0)
            return err_set_errno(err, ENOSPC, "cannot write %s", what);
        bytes = slice_from(bytes, (size_t)wrote);
        at += wrote;
    }
    return 0;
}

int io_read_all(const struct hin_io *io, int fd, void *to, size_t len, off_t at, const char *what,
                struct err *err)
{
    char *next = to;
    while (len) {
        ssize_t got = io->pread(io->context, fd, next, len, at);
        if (got < 0)
            return err_set_errno(err, errno, "cannot read %s", what);
        if (got == 0)
            return err_set(err, ERR_CORRUPT, "%s ends early at byte %lld", what, (long long)at);
        next += got;
        len -= (size_t)got;
        at += got;
    }
    return 0;
}

static void folder_of(const char *path, char *folder, size_t size)
{
    const char *slash = strrchr(path, '/');
    if (!slash)
        snprintf(folder, size, ".");
    else
        snprintf(folder, size, "%.*s", slash == path ? 1 : (int)(slash - path), path);
}

int io_replace_file(const struct hin_io *io, const char *path, struct slice content,
                    struct err *err)
{
    bool renamed;
    return io_replace_file_tell(io, path, content, &renamed, err);
}

int io_replace_file_tell(const struct hin_io *io, const char *path, struct slice content,
                         bool *renamed, struct err *err)
{
    *renamed = false;
    char temporary[PATH_MAX], folder[PATH_MAX];
    if (snprintf(temporary, sizeof(temporary), "%s.tmp", path) >= (int)sizeof(temporary))
        return err_set(err, ERR_LIMIT, "path %s is too long", path);
    folder_of(path, folder, sizeof(folder));
    int fd = io->open(io->context, temporary, O_WRONLY | O_CREAT | O_TRUNC, 0640);
    if (fd < 0)
        return err_set_errno(err, errno, "cannot create %s", temporary);
    int result = io_write_all(io, fd, content, 0, temporary, err);
    if (result == 0 && io->fdatasync(io->context, fd) < 0)
        result = err_set_errno(err, errno, "cannot make %s durable", temporary);
    if (io->close(io->context, fd) < 0 && result == 0)
        result = err_set_errno(err, errno, "cannot close %s", temporary);
    *renamed = result == 0; /* a rename that reports failure may have happened all the same */
    if (result == 0 && io->rename(io->context, temporary, path) < 0)
        result = err_set_errno(err, errno, "cannot rename %s to %s", temporary, path);
    if (result == 0 && io->fsync_dir(io->context, folder) < 0)
        result = err_set_errno(err, errno, "cannot make folder %s durable", folder);
    return result;
}

int io_make_dirs(const struct hin_io *io, const char *path, struct err *err)
{
    char part[PATH_MAX];
    size_t len = strlen(path);
    if (len == 0 || len >= sizeof(part))
        return err_set(err, ERR_CONFIG, "'%s' is not a usable folder name", path);
    for (size_t i = 1; i <= len; i++) {
        if (path[i] != '/' && path[i] != '\0')
            continue;
        memcpy(part, path, i);
        part[i] = '\0';
        if (io->mkdir(io->context, part, 0750) < 0 && errno != EEXIST && errno != EISDIR)
            return err_set_errno(err, errno, "cannot make folder %s", part);
    }
    return 0;
}
