/*
 * hinomi restore: a backup becomes a data folder. Everything is copied beside it and checked against
 * BACKUP.json while it is; only what is right as a whole gets the folder's name, by one rename.
 */
#include "app/admin.h"
#include "app/copying.h"
#include "base/io.h"

#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#define LIST_ARENA_MAX (1 * GIB)

struct restore {
    const char *source, *dir;
    char beside[ADMIN_PATH_MAX]; /* DIR.restoring */
    struct arena *arena;
    struct backup_list wanted, got;
};

static int check_copy(const struct backup_file *wanted, const struct backup_file *got, const char *source,
                      struct err *err)
{
    if (wanted->size == got->size && strcmp(wanted->sha256, got->sha256) == 0)
        return 0;
    return err_set(err, ERR_CORRUPT, "%s/%.*s is not what was backed up: its SHA-256 is another; nothing was "
                   "restored", source, SLICE_ARG(wanted->path));
}

/* The gate of a restored folder is another one: it makes a key of its own, so that neither tokens nor signatures from before count
 * (gate/gate_identity). */
static int leave_key_out(const struct restore *restore, struct err *err)
{
    char path[ADMIN_PATH_MAX];
    if (unlink(admin_path(restore->beside, "gate/gate.key", path)) < 0 && errno != ENOENT)
        return err_set_errno(err, errno, "cannot remove %s", path);
    return 0;
}

static int copy_all(struct restore *restore, struct err *err)
{
    struct copying copying = {.from = restore->source, .to = restore->beside, .list = &restore->got,
                              .arena = restore->arena, .always_copy = true};
    for (size_t i = 0; i < restore->wanted.file_count; i++) {
        const struct backup_file *wanted = &restore->wanted.files[i];
        char name[BACKUP_PATH_MAX + 1], path[ADMIN_PATH_MAX];
        snprintf(name, sizeof(name), "%.*s", SLICE_ARG(wanted->path));
        cli_progress(false, "file %zu of %zu", i + 1, restore->wanted.file_count);
        if (copying_file(&copying, name, true, err) < 0)
            return err_within(err, "nothing was restored");
        if (check_copy(wanted, &restore->got.files[i], restore->source, err) < 0)
            return -1;
        if (chmod(admin_path(restore->beside, name, path), wanted->mode) < 0)
            return err_set_errno(err, errno, "cannot set the mode of %s", path);
    }
    cli_progress(true, "%zu files are right", restore->wanted.file_count);
    return leave_key_out(restore, err) < 0 ? -1 : copying_sync(restore->beside, err);
}

/* An empty folder makes room; rename() does the rest in one step. */
static int put_in_place(const struct restore *restore, struct err *err)
{
    char folder[ADMIN_PATH_MAX];
    if (rmdir(restore->dir) < 0 && errno != ENOENT)
        return err_set_errno(err, errno, "cannot replace the empty folder %s", restore->dir);
    if (rename(restore->beside, restore->dir) < 0)
        return err_set_errno(err, errno, "cannot rename %s to %s", restore->beside, restore->dir);
    admin_path(restore->dir, "..", folder);
    if (io_real()->fsync_dir(NULL, folder) < 0)
        return err_set_errno(err, errno, "cannot make %s durable", restore->dir);
    return 0;
}

static int run(struct restore *restore, struct err *err)
{
    struct err ignored;
    size_t len = strlen(restore->dir);
    while (len > 1 && restore->dir[len - 1] == '/')
        len--;
    snprintf(restore->beside, sizeof(restore->beside), "%.*s.restoring", (int)len, restore->dir);
    if (backup_list_read(restore->source, restore->arena, &restore->wanted, err) < 0)
        return -1;
    if (!copying_is_empty(restore->dir))
        return err_set(err, ERR_CONFLICT, "%s is not empty; restore into a new folder", restore->dir);
    if (copying_remove(restore->beside, err) < 0 || io_make_dirs(io_real(), restore->beside, err) < 0)
        return -1;
    if (copy_all(restore, err) < 0 || put_in_place(restore, err) < 0) {
        (void)!copying_remove(restore->beside, &ignored);
        return -1;
    }
    printf("%zu files, %llu events in segments; start the server to continue\n",
           restore->wanted.file_count, (unsigned long long)restore->wanted.events);
    return 0;
}

int app_restore(int argc, char **argv)
{
    struct restore restore = {0};
    const struct cli_option options[] = {{"--dir", &restore.dir, NULL}};
    struct cli_words words;
    struct err err;
    int status = cli_parse("restore", argc, argv, options, ARRAY_COUNT(options), &words);
    if (status)
        return status;
    if (!restore.dir)
        return cli_usage("restore", "--dir names the data folder to make");
    if (words.count != 1)
        return cli_usage("restore", "name one SOURCE, the folder of a backup");
    restore.source = words.words[0];
    restore.arena = arena_new(LIST_ARENA_MAX);
    int result = restore.arena ? run(&restore, &err) : err_nomem(&err);
    arena_free(restore.arena);
    return result < 0 ? cli_fail(&err) : EXIT_DONE;
}
