#include "base/file.h"

#include "base/hash.h"
#include "base/mem.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { WALK_DEPTH_MAX = 16 };

static int read_fd(int fd, const char *path, size_t bytes_max, struct arena *arena,
                   struct slice *out, struct err *err)
{
    struct stat info;
    if (fstat(fd, &info) < 0)
        return err_set_errno(err, errno, "cannot read %s", path);
    if (S_ISDIR(info.st_mode))
        return err_set(err, ERR_CONFIG, "%s is a folder, not a file", path);
    size_t size = info.st_size > 0 ? (size_t)info.st_size : 0;
    if (size > bytes_max)
        return err_set(err, ERR_LIMIT, "%s has %zu bytes, more than the %zu allowed", path, size,
                       bytes_max);
    char *text = arena_alloc(arena, size + 1);
    if (!text)
        return err_nomem(err);
    size_t len = 0;
    while (len < size) {
        ssize_t got = read(fd, text + len, size - len);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return err_set_errno(err, errno, "cannot read %s", path);
        if (got == 0)
            break;
        len += (size_t)got;
    }
    text[len] = '\0';
    *out = slice_of(text, len);
    return 0;
}

int file_read(const char *path, size_t bytes_max, struct arena *arena, struct slice *out,
              struct err *err)
{
    *out = SLICE_NONE;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return err_set_errno(err, errno, "cannot open %s", path);
    int result = read_fd(fd, path, bytes_max, arena, out, err);
    close(fd);
    return result;
}

bool file_is_dir(const char *path)
{
    struct stat info;
    return stat(path, &info) == 0 && S_ISDIR(info.st_mode);
}

static bool has_suffix(const char *name, const char *suffix)
{
    return !suffix || slice_ends(slice_text(name), slice_text(suffix));
}

static int walk(const char *path, const char *suffix, file_visit visit, void *context, int depth,
                struct err *err)
{
    if (depth > WALK_DEPTH_MAX)
        return err_set(err, ERR_LIMIT, "%s is more than %d folders deep", path, WALK_DEPTH_MAX);
    struct dirent **names;
    int count = scandir(path, &names, NULL, alphasort);
    if (count < 0)
        return err_set_errno(err, errno, "cannot list %s", path);
    int result = 0;
    for (int i = 0; i < count; i++) {
        char inner[PATH_MAX];
        struct stat info;
        bool fits = snprintf(inner, sizeof(inner), "%s/%s", path, names[i]->d_name) <
                    (int)sizeof(inner);
        if (result == 0 && names[i]->d_name[0] != '.' && fits && lstat(inner, &info) == 0) {
            if (S_ISDIR(info.st_mode))
                result = walk(inner, suffix, visit, context, depth + 1, err);
            else if (S_ISREG(info.st_mode) && has_suffix(inner, suffix))
                result = visit(context, inner, err);
        }
        free(names[i]);
    }
    free(names);
    return result;
}

int file_walk(const char *path, const char *suffix, file_visit visit, void *context,
              struct err *err)
{
    struct stat info;
    if (stat(path, &info) < 0)
        return err_set_errno(err, errno, "cannot open %s", path);
    if (!S_ISDIR(info.st_mode))
        return visit(context, path, err);
    return walk(path, suffix, visit, context, 0, err);
}

static int add_to_stamp(void *context, const char *path, struct err *err)
{
    uint64_t *sum = context;
    struct stat info;
    (void)err;
    if (stat(path, &info) == 0)
        *sum += hash_bytes(slice_text(path)) ^ (uint64_t)info.st_mtim.tv_sec * 1000003U ^
                (uint64_t)info.st_mtim.tv_nsec * 31U ^ (uint64_t)info.st_size;
    return 0;
}

uint64_t file_stamp(const char *path)
{
    uint64_t sum = 0;
    struct err err;
    if (access(path, F_OK) == 0 && file_walk(path, NULL, add_to_stamp, &sum, &err) < 0)
        sum++; /* reading it says why */
    return sum;
}
