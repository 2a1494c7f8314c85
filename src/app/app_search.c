/* hinomi search --dir D: the store read where it lies; --data FILE: a table file (search/cli.h). */
#include "app/admin.h"
#include "app/app_tail.h"
#include "app/definitions.h"
#include "app/engine.h"
#include "app/state_copy.h"

#include "search/search_cli.h"
#include "search/search_files.h"
#include "search/store_backend.h"
#include "search/table_source.h"

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

/* Where the folder has a state.db, its audit trail has the write. */
static int write_lookup(void *context, struct slice name, struct slice csv, struct err *err)
{
    const char *dir = context;
    char lookups[ADMIN_PATH_MAX], state[ADMIN_PATH_MAX], detail[64];
    struct database *database;
    int result = table_write((void *)(uintptr_t)admin_path(dir, "lookups", lookups), name, csv, err);
    if (access(admin_path(dir, "state.db", state), F_OK) != 0)
        return result;
    if (admin_open(dir, false, &database, err) < 0)
        return -1;
    int len = snprintf(detail, sizeof(detail), "%zu bytes", csv.len);
    result = admin_record(database, "lookup.write", name, slice_of(detail, (size_t)len), result, err);
    database_close(database);
    return result;
}

/* As import: with the folder's lock, through journal and pipeline into the store. */
static int collect(void *context, struct slice stream, struct slice source, struct slice lines,
                   uint32_t count, struct err *err)
{
    struct engine engine = {.dir = context};
    struct journal_ack ack;
    char room[ADMIN_PERSON_MAX];
    struct delivery delivery = {.origin = {.source = SLICE("collect"), .stream = stream, .path = source,
                                           .dataset = SLICE("json"), .identity = admin_person(room)},
                                .received_ns = clock_wall_ns(clock_real()),
                                .framing = FRAMING_LINES,
                                .event_count = count,
                                .body = lines};
    int result = engine_open(&engine, err);
    if (result == 0)
        result = engine_start(&engine, err);
    if (result == 0)
        result = journal_append_wait(engine.journal, &delivery, &ack, err);
    if (result == 0)
        result = engine_finish(&engine, err);
    engine_close(&engine);
    return result;
}

/* Only where some decoder is newer than an event may be: reading them all takes longer than most searches. */
static int load_redecode(const char *dir, struct decoders **decoders, struct redecode **out, struct err *err)
{
    *decoders = NULL;
    *out = NULL;
    const char *own = cli_own_decoders(dir);
    if (!redecode_may_be_needed(cli_content("decoders")) && !(own && redecode_may_be_needed(own)))
        return 0;
    return cli_load_decoders(own, decoders, err) < 0 ? -1 : redecode_new(*decoders, out, err);
}

static int search_store(const char *dir, int argc, char **argv, struct search_setting *setting)
{
    struct err err;
    char path[4400];
    snprintf(path, sizeof(path), "%.4000s/store", dir);
    struct store *store;
    struct store_config config = {.dir = path, .read_only = true, .note = print_note};
    if (access(path, R_OK) != 0)
        err_set(&err, ERR_NOT_FOUND, "there is no store in %s; hinomi import makes one", dir);
    if (access(path, R_OK) != 0 || store_open(&config, &store, &err) < 0) {
        know_builder_free(setting->knowledge);
        return cli_fail(&err);
    }
    struct store_backend backend;
    struct table_backend *tables = NULL;
    int status;
    struct search_files files;
    struct decoders *decoders;
    struct redecode *redecode;
    struct arena *arena = arena_new(MIB); /* for their names */
    char lookups[ADMIN_PATH_MAX];
    struct search_writer writer = {.table = write_lookup, .collect = collect, .context = (void *)(uintptr_t)dir};
    store_backend_init(&backend, store, clock_real(), NULL);
    setting->backend = &backend.backend;
    setting->writer = &writer;
    backend.backend.files = &files;
    err_nomem(&err);
    if (load_redecode(dir, &decoders, &redecode, &err) < 0 || !arena || search_files_find(dir, arena, &files, &err) < 0 ||
        table_backend_new(NULL, admin_path(dir, "lookups", lookups), &tables, &err) < 0) {
        know_builder_free(setting->knowledge);
        status = cli_fail(&err);
    } else {
        files.states = setting->states;
        setting->tables = table_backend_get(tables);
        backend.backend.redecoder = redecode ? redecode_get(redecode) : NULL;
        status = search_main(argc, argv, setting);
    }
    table_backend_free(tables);
    redecode_free(redecode);
    decoders_free(decoders);
    arena_free(arena);
    store_close(store);
    return status == EXIT_DONE && backend.damaged ? EXIT_FAILED : status;
}

int app_search(int argc, char **argv)
{
    for (int i = 0; i < argc; i++)
        if (strcmp(argv[i], "--tail") == 0)
            return app_tail(argc, argv);
    const char *dir = take_dir(&argc, argv);
    struct err err;
    struct search_setting setting = {0};
    struct search_states states;
    struct arena *arena = arena_new(16 * MIB); /* for their definitions */
    err_nomem(&err);
    if (!arena || state_copy_init(&states, NULL, arena, &err) < 0 ||
        definitions_begin(dir, &setting.knowledge, &err) < 0) {
        arena_free(arena);
        return cli_fail(&err);
    }
    setting.states = &states;
    /* the search room expects the command's name first */
    int status = dir ? search_store(dir, argc + 1, argv - 1, &setting)
                     : search_main(argc + 1, argv - 1, &setting);
    arena_free(arena);
    return status;
}
