#include "proof/backup_list.h"

#include "base/file.h"
#include "base/io.h"
#include "base/json.h"
#include "base/limits.h"
#include "base/mem.h"
#include "base/time.h"
#include "cut/json_tree.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sodium.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#define LIST_BYTES_MAX (256 * MIB)
enum { DIGEST_WINDOW = 1024 * 1024, MODE_MAX = 0777 };

/* ---- paths: a list from elsewhere must not be able to name files outside its folder ---- */

static bool part_allowed(struct slice part)
{
    if (part.len == 0 || slice_is(part, ".") || slice_is(part, ".."))
        return false;
    for (size_t i = 0; i < part.len; i++) {
        char c = part.ptr[i];
        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
              c == '-' || c == '_' || c == ':'))
            return false;
    }
    return true;
}

static bool path_allowed(struct slice path)
{
    struct slice part;
    if (path.len == 0 || path.len > BACKUP_PATH_MAX || slice_is(path, BACKUP_LIST_NAME))
        return false;
    while (slice_next_part(&path, '/', &part))
        if (!part_allowed(part))
            return false;
    return true;
}

int backup_list_add(struct backup_list *list, struct arena *arena, const struct backup_file *file,
                    struct err *err)
{
    if (!path_allowed(file->path))
        return err_set(err, ERR_CONFIG, "'%.*s' is no name for a file of a backup", SLICE_ARG(file->path));
    if (list->file_count == list->file_size) {
        size_t size = list->file_size ? 2 * list->file_size : 64;
        void *grown = arena_grow(arena, list->files, list->file_size * sizeof(*list->files),
                                 size * sizeof(*list->files));
        if (!grown)
            return err_nomem(err);
        list->files = grown;
        list->file_size = size;
    }
    struct slice path = arena_copy(arena, file->path);
    if (!path.ptr)
        return err_nomem(err);
    list->files[list->file_count] = *file;
    list->files[list->file_count++].path = path;
    return 0;
}

/* ---- writing ---- */

int backup_list_write(const struct backup_list *list, const char *dir, char sha256[SHA256_TEXT_SIZE],
                      struct err *err)
{
    struct buffer text;
    struct json json;
    char path[PATH_MAX];
    uint64_t size;
    buffer_init(&text, LIST_BYTES_MAX);
    json_init(&json, &text);
    json_open(&json, '{');
    json_put_i64(&json, "hinomi_backup", 1);
    json_put_text(&json, "version", list->version);
    json_put_time(&json, "created", list->created_ns);
    json_put_i64(&json, "events", (int64_t)list->events);
    json_put_i64(&json, "covered", (int64_t)list->covered);
    json_key(&json, "files");
    json_open(&json, '[');
    for (size_t i = 0; i < list->file_count; i++) {
        const struct backup_file *file = &list->files[i];
        buffer_put_text(&text, i ? "" : "\n");
        json_open(&json, '{');
        json_put_text(&json, "path", file->path);
        json_put_i64(&json, "size", (int64_t)file->size);
        json_put_i64(&json, "mode", file->mode);
        json_put_text(&json, "sha256", slice_text(file->sha256));
        json_close(&json, '}');
        buffer_put_text(&text, "\n");
    }
    json_close(&json, ']');
    json_close(&json, '}');
    buffer_put_text(&text, "\n");
    snprintf(path, sizeof(path), "%.4000s/" BACKUP_LIST_NAME, dir);
    int result = buffer_failed(&text) ? err_nomem(err)
                                      : io_replace_file(io_real(), path, buffer_slice(&text), err);
    buffer_close(&text);
    return result < 0 ? -1 : backup_digest_path(path, &size, sha256, err);
}

/* ---- reading ---- */

static int read_file(const struct json_node *node, struct backup_list *list, struct arena *arena,
                     struct err *err)
{
    struct backup_file file = {0};
    struct slice sha256;
    int64_t size, mode;
    if (json_want_text(node, "path", &file.path, err) < 0 ||
        json_want_i64(node, "size", &size, err) < 0 || json_want_i64(node, "mode", &mode, err) < 0 ||
        json_want_text(node, "sha256", &sha256, err) < 0)
        return -1;
    if (size < 0 || mode < 0 || mode > MODE_MAX || sha256.len != SHA256_TEXT_SIZE - 1)
        return err_set(err, ERR_INPUT, "the line of %.*s is none", SLICE_ARG(file.path));
    file.size = (uint64_t)size;
    file.mode = (uint32_t)mode;
    memcpy(file.sha256, sha256.ptr, sha256.len);
    return backup_list_add(list, arena, &file, err);
}

int backup_list_parse(struct slice text, struct arena *arena, struct backup_list *out, struct err *err)
{
    *out = (struct backup_list){0};
    const struct json_node *node;
    struct slice created;
    int64_t kind, events, covered;
    bool zone;
    if (json_tree_parse(text, arena, &node, err) < 0)
        return -1;
    if (json_want_i64(node, "hinomi_backup", &kind, err) < 0 || kind != 1)
        return err_set(err, ERR_INPUT, "it is no list of a backup that this version reads");
    if (json_want_text(node, "version", &out->version, err) < 0 ||
        json_want_text(node, "created", &created, err) < 0 ||
        json_want_i64(node, "events", &events, err) < 0 ||
        json_want_i64(node, "covered", &covered, err) < 0)
        return -1;
    if (!time_parse_rfc3339(created, &out->created_ns, &zone))
        return err_set(err, ERR_INPUT, "\"created\" is no time");
    out->events = (uint64_t)events;
    out->covered = (uint64_t)covered;
    const struct json_node *files = json_get(node, "files");
    if (!files || files->kind != JSON_ARRAY)
        return err_set(err, ERR_INPUT, "\"files\" is missing");
    for (const struct json_node *file = files->first; file; file = file->next)
        if (read_file(file, out, arena, err) < 0)
            return -1;
    return 0;
}

int backup_list_read(const char *dir, struct arena *arena, struct backup_list *out, struct err *err)
{
    char path[PATH_MAX];
    struct slice text;
    snprintf(path, sizeof(path), "%.4000s/" BACKUP_LIST_NAME, dir);
    if (access(path, F_OK) != 0)
        return err_set(err, ERR_NOT_FOUND, "%s is no finished backup: it has no " BACKUP_LIST_NAME, dir);
    if (file_read(path, LIST_BYTES_MAX, arena, &text, err) < 0)
        return -1;
    return backup_list_parse(text, arena, out, err) < 0 ? err_within(err, "%s", path) : 0;
}

/* ---- digests ---- */

int backup_digest(int fd, uint64_t size, int to, const char *path, char sha256[SHA256_TEXT_SIZE],
                  struct err *err)
{
    unsigned char hash[crypto_hash_sha256_BYTES];
    crypto_hash_sha256_state state;
    char *window = mem_alloc(DIGEST_WINDOW);
    int result = window ? 0 : err_nomem(err);
    crypto_hash_sha256_init(&state);
    for (uint64_t at = 0; result == 0 && at < size;) {
        size_t len = size - at < DIGEST_WINDOW ? (size_t)(size - at) : DIGEST_WINDOW;
        result = io_read_all(io_real(), fd, window, len, (off_t)at, path, err);
        if (result == 0 && to >= 0)
            result = io_write_all(io_real(), to, slice_of(window, len), (off_t)at, path, err);
        if (result == 0)
            crypto_hash_sha256_update(&state, (const unsigned char *)window, len);
        at += len;
    }
    crypto_hash_sha256_final(&state, hash);
    sodium_bin2hex(sha256, SHA256_TEXT_SIZE, hash, sizeof(hash));
    mem_free(window);
    return result;
}

int backup_digest_path(const char *path, uint64_t *size, char sha256[SHA256_TEXT_SIZE],
                       struct err *err)
{
    struct stat info;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return err_set_errno(err, errno, "cannot open %s", path);
    int result = fstat(fd, &info) < 0 ? err_set_errno(err, errno, "cannot read %s", path) : 0;
    *size = result == 0 ? (uint64_t)info.st_size : 0;
    if (result == 0)
        result = backup_digest(fd, *size, -1, path, sha256, err);
    close(fd);
    return result;
}

int backup_file_check(const char *dir, const struct backup_file *file, struct err *err)
{
    char path[PATH_MAX], sha256[SHA256_TEXT_SIZE];
    uint64_t size;
    snprintf(path, sizeof(path), "%.3000s/%.*s", dir, SLICE_ARG(file->path));
    if (access(path, F_OK) != 0)
        return err_set(err, ERR_CORRUPT, "%s is missing", path);
    if (backup_digest_path(path, &size, sha256, err) < 0)
        return -1;
    if (size != file->size)
        return err_set(err, ERR_CORRUPT, "%s has %llu bytes instead of %llu", path,
                       (unsigned long long)size, (unsigned long long)file->size);
    return strcmp(sha256, file->sha256) == 0
               ? 0
               : err_set(err, ERR_CORRUPT, "%s is not what was backed up: its SHA-256 is another", path);
}
