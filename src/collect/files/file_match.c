#include "collect/files/file_match.h"

#include "base/limits.h"
#include "collect/files/file_names.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <unistd.h>

static bool is_excluded(const struct file_match *match, struct slice path)
{
    for (size_t i = 0; i < match->exclude_count; i++) {
        struct slice pattern = match->exclude[i];
        if (path_fits(slice_find_char(pattern, '/') < 0 ? path_name(path) : path, pattern))
            return true;
    }
    return false;
}

static int visit_file(struct file_match *match, const char *path, const struct stat *info)
{
    if (!S_ISREG(info->st_mode) || is_excluded(match, slice_text(path)))
        return 0;
    if (match->files >= COLLECT_FILES_MAX) {
        match->left_out++;
        return 0;
    }
    match->files++;
    return match->file(match->context, path, info);
}

/* Whose rotated file it may be. */
static void visit_rotated(struct file_match *match, const char *path, struct slice pattern)
{
    char base[PATH_MAX];
    struct slice folder_and = slice_sub(slice_text(path), 0, strlen(path) - path_name(slice_text(path)).len);
    struct slice name = path_name(slice_text(path));
    while (strip_rotation(&name)) {
        snprintf(base, sizeof(base), "%.*s%.*s", SLICE_ARG(folder_and), SLICE_ARG(name));
        if (path_fits(slice_text(base), pattern) && access(base, F_OK) < 0)
            match->absent(match->context, base);
    }
}

static int walk_folder(struct file_match *match, const char *folder, struct slice pattern, int depth);

static int visit_entry(struct file_match *match, int folder_fd, const char *folder, const char *name,
                       struct slice pattern, int depth)
{
    char path[PATH_MAX];
    struct stat info;
    const char *slash = strcmp(folder, "/") == 0 ? "" : "/";
    if (snprintf(path, sizeof(path), "%s%s%s", folder, slash, name) >= (int)sizeof(path) ||
        fstatat(folder_fd, name, &info, 0) < 0)
        return 0;
    if (S_ISDIR(info.st_mode))
        return folder_fits(slice_text(path), pattern) ? walk_folder(match, path, pattern, depth + 1) : 0;
    if (match->absent)
        visit_rotated(match, path, pattern);
    return path_fits(slice_text(path), pattern) ? visit_file(match, path, &info) : 0;
}

static int walk_folder(struct file_match *match, const char *folder, struct slice pattern, int depth)
{
    DIR *stream = depth < FILE_MATCH_DEPTH_MAX ? opendir(folder) : NULL;
    bool hidden = slice_find(pattern, SLICE("/.")) >= 0;
    int result = 0;
    if (!stream) {
        if (depth < FILE_MATCH_DEPTH_MAX && errno != ENOENT)
            snprintf(match->problem, sizeof(match->problem), "the folder %.120s cannot be read: %s", folder,
                     strerror(errno));
        return 0;
    }
    if (match->folder)
        match->folder(match->context, folder);
    for (const struct dirent *entry; result == 0 && (entry = readdir(stream));) {
        bool dots = strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0;
        if (!dots && (hidden || entry->d_name[0] != '.'))
            result = visit_entry(match, dirfd(stream), folder, entry->d_name, pattern, depth);
    }
    closedir(stream);
    return result;
}

/* The folders in front of the first wildcard. */
static struct slice fixed_part(struct slice pattern)
{
    struct slice rest = pattern, part;
    size_t fixed = 0;
    while (slice_next_part(&rest, '/', &part) && !has_wildcard(part))
        fixed = (size_t)(part.ptr - pattern.ptr) + part.len;
    return fixed ? slice_sub(pattern, 0, fixed) : slice_starts(pattern, SLICE("/")) ? SLICE("/") : SLICE(".");
}

static int walk_pattern(struct file_match *match, struct slice pattern)
{
    char path[PATH_MAX], below[PATH_MAX + 4];
    struct slice fixed = has_wildcard(pattern) ? fixed_part(pattern) : pattern;
    struct stat info;
    while (fixed.len > 1 && fixed.ptr[fixed.len - 1] == '/')
        fixed.len--;
    if (snprintf(path, sizeof(path), "%.*s", SLICE_ARG(fixed)) >= (int)sizeof(path))
        return 0;
    if (has_wildcard(pattern))
        return walk_folder(match, path, pattern, 0);
    if (stat(path, &info) == 0 && S_ISDIR(info.st_mode)) {
        snprintf(below, sizeof(below), "%s/*", path);
        return walk_folder(match, path, slice_text(below), 0);
    }
    struct slice folder = path_folder(fixed);
    snprintf(below, sizeof(below), "%.*s", SLICE_ARG(folder));
    if (match->folder)
        match->folder(match->context, below);
    if (stat(path, &info) == 0)
        return visit_file(match, path, &info);
    if (match->absent)
        match->absent(match->context, path);
    return 0;
}

int file_match_walk(struct file_match *match)
{
    int result = 0;
    match->files = match->left_out = 0;
    match->problem[0] = '\0';
    for (size_t i = 0; result == 0 && i < match->pattern_count; i++)
        result = walk_pattern(match, match->patterns[i]);
    return result;
}
