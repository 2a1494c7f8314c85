/* hinomi search --dir D: the store read where it lies; --data FILE: a table file (search/cli.h). */
#include "app/cli.h"

#include "search/search_cli.h"
#include "search/search_files.h"
#include "search/store_backend.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* Takes "--dir D" out of the words; the rest is for the search room. */
static const char *take_dir(int *argc, char **argv)
{
    const char *dir = NULL;
    int kept = 0;
    for (int i = 0; i < *argc; i++) {
        if (strcmp(argv[i], "--dir") == 0 && i + 1 < *argc)
            dir = argv[++i];
        else if (strncmp(argv[i], "--dir=", 6) == 0)
            dir = argv[i] + 6;
        else
            argv[kept++] = argv[i];
    }
    *argc = kept;
    return dir;
}

static void print_note(void *context, const char *text)
{
    (void)context;
    fprintf(stderr, "hinomi: %s\n", text);
}

int app_search(int argc, char **argv)
{
    const char *dir = take_dir(&argc, argv);
    struct err err;
    char path[4400];
    if (!dir)
        return search_main_with(argc + 1, argv - 1, NULL); /* it expects its own name first */
    snprintf(path, sizeof(path), "%.4000s/store", dir);
    if (access(path, R_OK) != 0) {
        err_set(&err, ERR_NOT_FOUND, "there is no store in %s; hinomi import makes one", dir);
        return cli_fail(&err);
    }
    struct store *store;
    struct store_config config = {.dir = path, .read_only = true, .note = print_note};
    if (store_open(&config, &store, &err) < 0)
        return cli_fail(&err);
    struct store_backend backend;
    store_backend_init(&backend, store, clock_real(), NULL);
    struct arena *arena = arena_new(MIB);
    struct search_files files;
    err_nomem(&err);
    if (!arena || search_files_find(dir, arena, &files, &err) < 0) {
        arena_free(arena);
        store_close(store);
        return cli_fail(&err);
    }
    backend.backend.files = &files;
    int status = search_main_with(argc + 1, argv - 1, &backend.backend);
    arena_free(arena);
    store_close(store);
    return status == EXIT_DONE && backend.damage_count ? EXIT_FAILED : status;
}
