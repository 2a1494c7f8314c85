#include "app/copying.h"

#include "base/io.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FOLDERS_OPEN = 16 };

static int make_parents(const char *path, struct err *err)
{
    char folder[PATH_MAX];
    snprintf(folder, sizeof(folder), "%s", path);
    char *slash = strrchr(folder, '/');
    if (!slash || slash == folder)
        return 0;
    *slash = '\0';
    return io_make_dirs(io_real(), folder, err);
}

static int note(struct copying *copying, const char *name, uint64_t size, mode_t mode,
                const char *sha256, struct err *err)
{
    struct backup_file file = {.path = slice_text(name), .size = size, .mode = mode & 0777};
    memcpy(file.sha256, sha256, sizeof(file.sha256));
    copying->bytes += size;
    return backup_list_add(copying->list, copying->arena, &file, err);
}

static int copy_bytes(int from, const char *to, const struct stat *info, char *sha256, struct err *err)
{
    int fd = open(to, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, info->st_mode & 0777);
    if (fd < 0)
        return err_set_errno(err, errno, "cannot create %s", to);
    int result = backup_digest(from, (uint64_t)info->st_size, fd, to, sha256, err);
    if (result == 0 && (fchmod(fd, info->st_mode & 0777) < 0 || fdatasync(fd) < 0))
        result = err_set_errno(err, errno, "cannot make %s durable", to);
    close(fd);
    return result;
}

/* A second name for the file costs no room and no time; on another file system it is copied. */
static int link_or_copy(struct copying *copying, int fd, const char *from, const char *to,
                        const struct stat *info, bool changes, char *sha256, struct err *err)
{
    if (!changes && !copying->always_copy && link(from, to) == 0) {
        copying->linked++;
        return backup_digest(fd, (uint64_t)info->st_size, -1, from, sha256, err);
    }
    return copy_bytes(fd, to, info, sha256, err);
}

int copying_file(struct copying *copying, const char *name, bool changes, struct err *err)
{
    char from[PATH_MAX];
    snprintf(from, sizeof(from), "%.3000s/%.1000s", copying->from, name);
    return copying_file_from(copying, from, name, changes, err);
}

int copying_file_from(struct copying *copying, const char *from, const char *name, bool changes,
                      struct err *err)
{
    char to[PATH_MAX], sha256[SHA256_TEXT_SIZE];
    struct stat info;
    snprintf(to, sizeof(to), "%.3000s/%.1000s", copying->to, name);
    int fd = open(from, O_RDONLY | O_CLOEXEC);
    if (fd < 0 && errno == ENOENT)
        return err_set(err, ERR_NOT_FOUND, "%s is gone", from);
    if (fd < 0)
        return err_set_errno(err, errno, "cannot open %s", from);
    int result = fstat(fd, &info) < 0 ? err_set_errno(err, errno, "cannot read %s", from)
                                      : make_parents(to, err);
    if (result == 0)
        result = link_or_copy(copying, fd, from, to, &info, changes, sha256, err);
    close(fd);
    return result < 0 ? -1 : note(copying, name, (uint64_t)info.st_size, info.st_mode, sha256, err);
}

int copying_note(struct copying *copying, const char *name, struct err *err)
{
    char path[PATH_MAX], sha256[SHA256_TEXT_SIZE];
    struct stat info;
    uint64_t size;
    snprintf(path, sizeof(path), "%.3000s/%.1000s", copying->to, name);
    if (stat(path, &info) < 0)
        return err_set_errno(err, errno, "cannot read %s", path);
    if (backup_digest_path(path, &size, sha256, err) < 0)
        return -1;
    return note(copying, name, size, info.st_mode, sha256, err);
}

int copying_bytes(struct copying *copying, const char *name, struct slice bytes, struct err *err)
{
    char to[PATH_MAX];
    snprintf(to, sizeof(to), "%.3000s/%.1000s", copying->to, name);
    if (make_parents(to, err) < 0 || io_replace_file(io_real(), to, bytes, err) < 0)
        return -1;
    return copying_note(copying, name, err);
}

void copying_undo(struct copying *copying, const char *name)
{
    char to[PATH_MAX];
    struct backup_list *list = copying->list;
    for (size_t i = 0; i < list->file_count; i++) {
        if (!slice_is(list->files[i].path, name))
            continue;
        snprintf(to, sizeof(to), "%.3000s/%.1000s", copying->to, name);
        unlink(to);
        copying->bytes -= list->files[i].size;
        list->files[i] = list->files[--list->file_count];
        return;
    }
}

/* ---- folders ---- */

bool copying_is_empty(const char *dir)
{
    DIR *open = opendir(dir);
    int count = 0;
    if (!open)
        return errno == ENOENT;
    while (readdir(open))
        count++;
    closedir(open);
    return count <= 2; /* "." and ".." */
}

static int remove_one(const char *path, const struct stat *info, int kind, struct FTW *walk)
{
    (void)info;
    (void)kind;
    (void)walk;
    return remove(path);
}

int copying_remove(const char *dir, struct err *err)
{
    if (nftw(dir, remove_one, FOLDERS_OPEN, FTW_DEPTH | FTW_PHYS) == 0 || errno == ENOENT)
        return 0;
    return err_set_errno(err, errno, "cannot remove %s", dir);
}

static int sync_one(const char *path, const struct stat *info, int kind, struct FTW *walk)
{
    (void)info;
    (void)walk;
    return kind == FTW_DP ? io_real()->fsync_dir(NULL, path) : 0;
}

int copying_sync(const char *dir, struct err *err)
{
    if (nftw(dir, sync_one, FOLDERS_OPEN, FTW_DEPTH | FTW_PHYS) == 0)
        return 0;
    return err_set_errno(err, errno, "cannot make folder %s durable", dir);
}
