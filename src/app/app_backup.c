/*
 * hinomi backup: a data folder as it is now, while a server may write to it. The order makes it one
 * consistent state (docs/format/backup.md):
 *
 *   1. gate, memory, tls, other files    what they remember is not newer than the journal
 *   2. keep, then the journal's files    every event acknowledged before now that no segment has, and all
 *                                        from the checkpoints in memory/ on
 *   3. the manifest and its segments     read after the journal: what was trimmed meanwhile is in them
 *   4. state.db                          SQLite's own backup
 *   5. BACKUP.json                       last: without it, it is no backup
 */
#include "app/admin.h"
#include "app/copying.h"
#include "base/file.h"
#include "base/io.h"
#include "store/manifest.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { ROUNDS_MAX = 32 };
#define LIST_ARENA_MAX (1 * GIB)
#define MANIFEST_ARENA_MAX (2 * GIB)

struct backup {
    const char *dir, *target;
    struct backup_list list;
    struct copying copying;
    struct arena *arena;
    const char *last_journal; /* the only one that is still written to */
};

static const char *name_in(const struct backup *backup, const char *path)
{
    return path + strlen(backup->dir) + 1;
}

/* ---- 1: what is small ---- */

static bool has_own_way(const char *name)
{
    static const char *const own[] = {"journal/", "store/", "state.db", "lock"};
    for (size_t i = 0; i < ARRAY_COUNT(own); i++)
        if (slice_starts(slice_text(name), slice_text(own[i])))
            return true;
    return slice_ends(slice_text(name), SLICE(".tmp")) ||
           slice_ends(slice_text(name), SLICE(".segment")); /* cold_dir may be within */
}

static int copy_other(void *context, const char *path, struct err *err)
{
    struct backup *backup = context;
    const char *name = name_in(backup, path);
    if (has_own_way(name))
        return 0;
    copying_undo(&backup->copying, name);
    int result = copying_file(&backup->copying, name, true, err);
    return result < 0 && err->code == ERR_NOT_FOUND ? 0 : result;
}

static struct stat look_at(const struct backup *backup, const char *name)
{
    char path[ADMIN_PATH_MAX];
    struct stat info;
    if (stat(admin_path(backup->dir, name, path), &info) < 0)
        memset(&info, 0, sizeof(info));
    return info;
}

/* ---- 2: the journal ---- */

static int find_last(void *context, const char *path, struct err *err)
{
    struct backup *backup = context;
    backup->last_journal = arena_string(backup->arena, slice_text(path));
    return backup->last_journal ? 0 : err_nomem(err);
}

/* Files that are trimmed meanwhile are in segments of the manifest that is read later; files that are
 * begun meanwhile hold what was acknowledged later. */
static int copy_journal_file(void *context, const char *path, struct err *err)
{
    struct backup *backup = context;
    const char *name = name_in(backup, path);
    int order = strcmp(path, backup->last_journal);
    if (order > 0)
        return 0;
    copying_undo(&backup->copying, name);
    int result = copying_file(&backup->copying, name, order == 0, err);
    return result < 0 && err->code == ERR_NOT_FOUND ? 0 : result;
}

static bool same_file(const struct stat *a, const struct stat *b)
{
    return a->st_ino == b->st_ino && a->st_size == b->st_size &&
           a->st_mtim.tv_sec == b->st_mtim.tv_sec && a->st_mtim.tv_nsec == b->st_mtim.tv_nsec;
}

static int copy_journal(struct backup *backup, bool has_keep, struct err *err)
{
    char path[ADMIN_PATH_MAX];
    if (!file_is_dir(admin_path(backup->dir, "journal", path)))
        return 0;
    copying_undo(&backup->copying, "journal/keep");
    if (has_keep && copying_file(&backup->copying, "journal/keep", true, err) < 0)
        return -1;
    backup->last_journal = "";
    if (file_walk(path, ".journal", find_last, backup, err) < 0)
        return -1;
    return file_walk(path, ".journal", copy_journal_file, backup, err);
}

/* keep is written before the journal is trimmed: when it is the same before and after, the journal's
 * files reach back to what the checkpoints and keep itself need. The gate begins a new journal file
 * now and then: both must be of one moment. */
static int copy_moving(struct backup *backup, struct err *err)
{
    for (int round = 0; round < ROUNDS_MAX; round++) {
        struct stat keep = look_at(backup, "journal/keep");
        struct stat gate = look_at(backup, "gate/gate.journal");
        if (file_walk(backup->dir, NULL, copy_other, backup, err) < 0 ||
            copy_journal(backup, keep.st_ino != 0, err) < 0)
            return -1;
        struct stat keep_now = look_at(backup, "journal/keep");
        struct stat gate_now = look_at(backup, "gate/gate.journal");
        if (same_file(&keep, &keep_now) && gate.st_ino == gate_now.st_ino)
            return 0;
    }
    return err_set(err, ERR_CONFLICT, "the journal was trimmed too often meanwhile; try again");
}

/* ---- 3: the store ---- */

static bool is_copied(const struct backup *backup, const char *name)
{
    for (size_t i = 0; i < backup->list.file_count; i++)
        if (slice_is(backup->list.files[i].path, name))
            return true;
    return false;
}

/* 1 when a segment was merged or dropped meanwhile. */
static int copy_segments(struct backup *backup, const struct manifest *manifest, struct err *err)
{
    char name[64], dir[ADMIN_PATH_MAX], from[2 * ADMIN_PATH_MAX];
    admin_path(backup->dir, "store/segments", dir);
    for (size_t i = 0; i < manifest->segment_count; i++) {
        snprintf(name, sizeof(name), "store/segments/%016llx.segment",
                 (unsigned long long)manifest->segments[i].number);
        if (is_copied(backup, name))
            continue;
        cli_progress(false, "segment %zu of %zu", i + 1, manifest->segment_count);
        if (!manifest_segment_path(manifest, dir, &manifest->segments[i], from, sizeof(from)))
            return err_set(err, ERR_CORRUPT, "%s lies in no folder", name);
        if (copying_file_from(&backup->copying, from, name, false, err) < 0)
            return err->code == ERR_NOT_FOUND ? 1 : -1;
        backup->list.events += manifest->segments[i].rows;
    }
    return 0;
}

/* What an earlier manifest named and this one does not. */
static void drop_strangers(struct backup *backup, const struct manifest *manifest)
{
    struct backup_list *list = &backup->list;
    char path[BACKUP_PATH_MAX + 1];
    list->events = 0;
    for (size_t i = list->file_count; i-- > 0;) {
        struct slice name = list->files[i].path;
        if (!slice_starts(name, SLICE("store/segments/")))
            continue;
        snprintf(path, sizeof(path), "%.*s", SLICE_ARG(name));
        uint64_t number = strtoull(path + strlen("store/segments/"), NULL, 16);
        bool named = false;
        for (size_t k = 0; k < manifest->segment_count && !named; k++) {
            named = manifest->segments[k].number == number;
            list->events += named ? manifest->segments[k].rows : 0;
        }
        if (!named)
            copying_undo(&backup->copying, path);
    }
}

/* A backup has all segments in one folder, wherever they lie now. */
static int copy_manifest(struct backup *backup, struct manifest *manifest, struct slice bytes,
                         struct err *err)
{
    struct buffer all;
    if (!manifest->place_count)
        return copying_bytes(&backup->copying, "store/manifest", bytes, err);
    manifest->place_count = 0;
    for (size_t i = 0; i < manifest->segment_count; i++)
        manifest->segments[i].place = 0;
    buffer_init(&all, GIB);
    int result = manifest_encode(manifest, &all, err);
    if (result == 0)
        result = copying_bytes(&backup->copying, "store/manifest", buffer_slice(&all), err);
    buffer_close(&all);
    return result;
}

static int copy_store_once(struct backup *backup, struct err *err)
{
    char path[ADMIN_PATH_MAX];
    struct slice bytes;
    struct ledger ledger = {0};
    struct manifest manifest = {.ledger = &ledger};
    struct arena *arena = arena_new(MANIFEST_ARENA_MAX);
    int result = arena ? ledger_init(&ledger, err) : err_nomem(err);
    if (result == 0)
        result = file_read(admin_path(backup->dir, "store/manifest", path), GIB, arena, &bytes, err);
    if (result == 0 && manifest_decode(bytes, arena, &manifest, err) < 0)
        result = err_within(err, err->code == ERR_CORRUPT ? "%s is damaged (hinomi verify tells more)" : "%s",
                            path);
    if (result == 0) {
        drop_strangers(backup, &manifest);
        result = copy_segments(backup, &manifest, err);
    }
    if (result == 0) {
        backup->list.covered = manifest.covered_position;
        result = copy_manifest(backup, &manifest, bytes, err);
    }
    ledger_close(&ledger);
    arena_free(arena);
    return result;
}

static int copy_store(struct backup *backup, struct err *err)
{
    char path[ADMIN_PATH_MAX];
    int result = 1;
    if (!file_is_dir(admin_path(backup->dir, "store", path)))
        return 0;
    for (int round = 0; result > 0 && round < ROUNDS_MAX; round++)
        result = copy_store_once(backup, err);
    cli_progress(true, "segments are there");
    return result > 0 ? err_set(err, ERR_CONFLICT, "a segment is not where the manifest says it is, again and again; is "
                                           "the disk of cold_dir there? hinomi verify names it")
                      : result;
}

/* ---- 4 and all ---- */

static int copy_database(struct backup *backup, struct err *err)
{
    char from[ADMIN_PATH_MAX], to[ADMIN_PATH_MAX];
    if (access(admin_path(backup->dir, "state.db", from), F_OK) != 0)
        return 0;
    if (database_copy(from, admin_path(backup->target, "state.db", to), err) < 0)
        return -1;
    return copying_note(&backup->copying, "state.db", err);
}

static bool is_inside(const char *path, const char *folder)
{
    char real_path[PATH_MAX], real_folder[PATH_MAX];
    if (!realpath(path, real_path) || !realpath(folder, real_folder))
        return false;
    size_t len = strlen(real_folder);
    return strncmp(real_path, real_folder, len) == 0 &&
           (real_path[len] == '/' || real_path[len] == '\0');
}

static int prepare(struct backup *backup, struct err *err)
{
    if (!file_is_dir(backup->dir))
        return err_set(err, ERR_NOT_FOUND, "there is no folder %s", backup->dir);
    if (!copying_is_empty(backup->target))
        return err_set(err, ERR_CONFLICT, "%s is not empty; a backup needs a folder of its own",
                       backup->target);
    if (io_make_dirs(io_real(), backup->target, err) < 0)
        return -1;
    if (is_inside(backup->target, backup->dir))
        return err_set(err, ERR_CONFLICT, "%s lies within %s; a backup belongs elsewhere", backup->target,
                       backup->dir);
    if (chmod(backup->target, 0700) < 0) /* keys are inside */
        return err_set_errno(err, errno, "cannot set the mode of %s", backup->target);
    return 0;
}

static int run(struct backup *backup, struct err *err)
{
    char sha256[SHA256_TEXT_SIZE];
    backup->list.created_ns = clock_wall_ns(clock_real());
    backup->list.version = SLICE(HINOMI_VERSION);
    backup->copying.from = backup->dir;
    backup->copying.to = backup->target;
    backup->copying.list = &backup->list;
    backup->copying.arena = backup->arena;
    if (prepare(backup, err) < 0 || copy_moving(backup, err) < 0 ||
        copy_store(backup, err) < 0 || copy_database(backup, err) < 0 ||
        copying_sync(backup->target, err) < 0 ||
        backup_list_write(&backup->list, backup->target, sha256, err) < 0)
        return -1;
    printf("%zu files, %llu bytes (%llu files as links), %llu events in segments\n"
           "SHA-256 of " BACKUP_LIST_NAME ": %s\n",
           backup->list.file_count, (unsigned long long)backup->copying.bytes,
           (unsigned long long)backup->copying.linked, (unsigned long long)backup->list.events, sha256);
    return 0;
}

int app_backup(int argc, char **argv)
{
    struct backup backup = {0};
    const struct cli_option options[] = {{"--dir", &backup.dir, NULL},
                                         {"--copy", NULL, &backup.copying.always_copy}};
    struct cli_words words;
    struct err err;
    int status = cli_parse("backup", argc, argv, options, ARRAY_COUNT(options), &words);
    if (status)
        return status;
    if (!backup.dir)
        return cli_usage("backup", "--dir needs the data folder");
    if (words.count != 1)
        return cli_usage("backup", "name one TARGET, a folder that is empty or not there yet");
    backup.target = words.words[0];
    backup.arena = arena_new(LIST_ARENA_MAX);
    int result = backup.arena ? run(&backup, &err) : err_nomem(&err);
    arena_free(backup.arena);
    return result < 0 ? cli_fail(&err) : EXIT_DONE;
}
