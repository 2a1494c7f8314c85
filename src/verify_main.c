/*
 * hinomi-verify: proves evidence on another machine: an audit trail that `hinomi audit --export` wrote,
 * or a backup against its BACKUP.json. Small on purpose, and without any network library: it can be
 * read, built and run by whoever has to believe it.
 */
#include "base/file.h"
#include "base/limits.h"
#include "proof/audit_file.h"
#include "proof/backup_list.h"

#include <sodium.h>
#include <stdio.h>

enum { PROVED = 0, DISPROVED = 1, WRONG_USAGE = 2 };

static int usage(void)
{
    fputs("hinomi-verify " HINOMI_VERSION "\n"
          "  hinomi-verify [--head HASH] FILE       an audit trail written by: hinomi audit --export FILE\n"
          "  hinomi-verify [--sha256 HEX] FOLDER    a backup made by: hinomi backup\n"
          "HASH and HEX are what those commands printed; with them nobody can have exchanged the whole.\n"
          "Exit status: 0 proved, 1 not, 2 wrong usage.\n", stderr);
    return WRONG_USAGE;
}

static int fail(const struct err *err)
{
    fprintf(stderr, "hinomi-verify: %s\n", err->text);
    return DISPROVED;
}

static int verify_audit(const char *path, const char *head)
{
    struct err err;
    struct audit_walk walk = {.wanted = head};
    if (audit_file_check(path, &walk, &err) < 0)
        return fail(&err);
    printf("%lld rows, unbroken; head %s\n", (long long)walk.rows, walk.rows ? walk.hash : "none");
    return PROVED;
}

/* Every file is looked at, so that all that is wrong is named. */
static int verify_files(const char *dir, const struct backup_list *list)
{
    struct err err;
    size_t wrong = 0;
    uint64_t bytes = 0;
    for (size_t i = 0; i < list->file_count; i++) {
        bytes += list->files[i].size;
        if (backup_file_check(dir, &list->files[i], &err) < 0) {
            fail(&err);
            wrong++;
        }
    }
    if (wrong) {
        fprintf(stderr, "hinomi-verify: %zu of %zu files are not what was backed up\n", wrong,
                list->file_count);
        return DISPROVED;
    }
    printf("%zu files, %llu bytes, each what was backed up\n", list->file_count,
           (unsigned long long)bytes);
    return PROVED;
}

static int verify_backup(const char *dir, const char *sha256)
{
    struct err err;
    struct backup_list list;
    char path[4400], found[SHA256_TEXT_SIZE];
    uint64_t size;
    struct arena *arena = arena_new(1 * GIB);
    if (!arena) {
        err_nomem(&err);
        return fail(&err);
    }
    snprintf(path, sizeof(path), "%.4000s/" BACKUP_LIST_NAME, dir);
    int result = backup_list_read(dir, arena, &list, &err);
    if (result == 0 && sha256)
        result = backup_digest_path(path, &size, found, &err);
    if (result == 0 && sha256 && strcmp(found, sha256) != 0)
        result = err_set(&err, ERR_CORRUPT, "%s is another than the one noted: its SHA-256 is %s", path,
                         found);
    int status = result < 0 ? fail(&err) : verify_files(dir, &list);
    arena_free(arena);
    return status;
}

int main(int argc, char **argv)
{
    const char *head = NULL, *sha256 = NULL, *path = NULL;
    for (int i = 1; i < argc; i++) {
        bool more = i + 1 < argc;
        if (strcmp(argv[i], "--head") == 0 && more)
            head = argv[++i];
        else if (strcmp(argv[i], "--sha256") == 0 && more)
            sha256 = argv[++i];
        else if (argv[i][0] == '-' || path)
            return usage();
        else
            path = argv[i];
    }
    if (!path || sodium_init() < 0)
        return usage();
    if (file_is_dir(path))
        return head ? usage() : verify_backup(path, sha256);
    return sha256 ? usage() : verify_audit(path, head);
}
