#include "app/engine.h"

#include "app/rules.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

enum { PATH_ROOM = ENGINE_PATH_MAX, FINISH_WAIT_MS = 3600 * 1000, LOOK_S = 5 };

void engine_note(void *context, const char *text)
{
    (void)context;
    fprintf(stderr, "hinomi: %s\n", text);
}

/* One program at a time per folder: two writers would tear it apart. */
static int take_lock(struct engine *engine, struct err *err)
{
    char path[PATH_ROOM];
    snprintf(path, sizeof(path), "%.4000s/lock", engine->dir);
    engine->lock_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0640);
    if (engine->lock_fd < 0)
        return err_set_errno(err, errno, "cannot open %s", path);
    if (flock(engine->lock_fd, LOCK_EX | LOCK_NB) == 0)
        return 0;
    return err_set(err, ERR_CONFLICT,
                   "%s is in use by another hinomi; stop it, or send it the events over HTTP",
                   engine->dir);
}

static int load_rules(struct engine *engine, struct rulebook **out, struct err *err)
{
    engine->rules_seen = cli_stamp_server_rules(engine->dir);
    int result = cli_load_server_rules(engine->dir, out, err);
    if (result == 0)
        engine->lookups_seen = rulebook_lookups_stamp(*out);
    return result;
}

/* Whether a lookup changed that placeholders of the rules that run stand for; asked once of each change. */
static bool lookups_changed(struct engine *engine)
{
    struct rulebook *book = pipeline_hold_rules(engine->pipeline);
    uint64_t stamp = book ? rulebook_lookups_stamp(book) : engine->lookups_seen;
    bool changed = stamp != engine->lookups_seen;
    engine->lookups_seen = stamp;
    rulebook_release(book);
    return changed;
}

int engine_reload_rules(struct engine *engine, struct err *err)
{
    struct rulebook *book;
    if (load_rules(engine, &book, err) < 0)
        return -1;
    pipeline_change_rules(engine->pipeline, book);
    rulebook_release(book);
    return 0;
}

void engine_tick(struct engine *engine)
{
    struct err err;
    char text[ERR_TEXT_SIZE + 64];
    int64_t now = clock_mono_ns(clock_real());
    if (now - engine->looked_ns < LOOK_S * NS_PER_SECOND)
        return;
    engine->looked_ns = now;
    bool changed = lookups_changed(engine) || cli_stamp_server_rules(engine->dir) != engine->rules_seen;
    if (!changed || engine_reload_rules(engine, &err) == 0)
        return;
    snprintf(text, sizeof(text), "the changed rules are not taken: %s", err.text);
    engine_note(NULL, text);
}

static int open_sources(struct engine *engine, struct err *err)
{
    snprintf(engine->sources_path, sizeof(engine->sources_path), "%.4000s/memory/sources", engine->dir);
    struct sources_config config = {.clock = clock_real(), .path = engine->sources_path, .week = engine->week,
                                    .note = engine_note};
    return sources_open(&config, &engine->sources, err);
}

int engine_open(struct engine *engine, struct err *err)
{
    char path[PATH_ROOM];
    engine->lock_fd = -1;
    if (io_make_dirs(io_real(), engine->dir, err) < 0 || take_lock(engine, err) < 0)
        return -1;
    snprintf(path, sizeof(path), "%.4000s/store", engine->dir);
    struct store_config store = engine->store_config;
    store.dir = path;
    store.note = engine_note;
    if (store_open(&store, &engine->store, err) < 0)
        return -1;
    snprintf(path, sizeof(path), "%.4000s/journal", engine->dir);
    struct journal_config journal = {.dir = path,
                                     .note = engine_note,
                                     .commit_ms = JOURNAL_COMMIT_MS,
                                     .position_min = store_covered(engine->store),
                                     .seq_min = store_next_seq(engine->store)};
    if (journal_open(&journal, &engine->journal, err) < 0 ||
        cli_load_decoders(cli_own_decoders(engine->dir), &engine->decoders, err) < 0 ||
        redecode_new(engine->decoders, &engine->redecode, err) < 0)
        return -1;
    snprintf(path, sizeof(path), "%.4000s/memory", engine->dir);
    struct checkpoint_config checkpoint = {.dir = path, .note = engine_note};
    if (checkpoint_open(&checkpoint, &engine->checkpoint, err) < 0)
        return -1;
    if (engine->know_sources && open_sources(engine, err) < 0)
        return -1;
    return engine->detect ? load_rules(engine, &engine->book, err) : 0;
}

struct slice engine_state(const struct engine *engine)
{
    uint64_t position;
    struct slice content;
    return checkpoint_content(engine->checkpoint, &position, &content)
               ? detector_snapshot_state(content)
               : SLICE_NONE;
}

int engine_start(struct engine *engine, struct err *err)
{
    struct journal_stats stats;
    snprintf(engine->crash_path, sizeof(engine->crash_path), "%.4000s/memory/walk", engine->dir);
    struct pipeline_config config = {.journal = engine->journal,
                                     .store = engine->store,
                                     .decoders = engine->decoders,
                                     .book = engine->book,
                                     .checkpoint = engine->checkpoint,
                                     .crash_path = engine->crash_path,
                                     .clock = clock_real(),
                                     .found = engine->found,
                                     .passed = engine->passed,
                                     .note = engine_note,
                                     .context = engine->context};
    config.sources = engine->sources;
    journal_stats(engine->journal, &stats);
    engine->caught_up_at = stats.position;
    if (pipeline_start(&config, &engine->pipeline, err) < 0)
        return -1;
    checkpoint_forget(engine->checkpoint);
    return 0;
}

const char *engine_doubt(struct engine *engine)
{
    if (checkpoint_lost(engine->checkpoint))
        return "what was remembered is lost; see DATA/memory/lost";
    if (pipeline_counts(engine->pipeline).position < engine->caught_up_at)
        return "the journal is still being read after the start";
    return NULL;
}

/* Findings go back into the journal, so its end may move while the walk comes near. */
static int walk_to_the_end(struct engine *engine, struct err *err)
{
    struct journal_stats stats;
    for (;;) {
        journal_stats(engine->journal, &stats);
        if (stats.failed)
            return err_set(err, ERR_IO, "the journal could not be written; what was not "
                                        "acknowledged is not stored");
        if (!stats.outstanding_bytes &&
            pipeline_counts(engine->pipeline).position >= stats.position)
            return 0;
        if (!pipeline_wait(engine->pipeline, stats.position, FINISH_WAIT_MS))
            return err_set(err, ERR_IO,
                           "the pipeline stopped before everything was stored; what is in the "
                           "journal is kept and read at the next start");
        struct timespec pause = {.tv_nsec = NS_PER_MS};
        nanosleep(&pause, NULL);
    }
}

int engine_finish(struct engine *engine, struct err *err)
{
    if (walk_to_the_end(engine, err) < 0)
        return -1;
    pipeline_stop(engine->pipeline); /* the store's one writer is now this thread */
    engine->pipeline = NULL;
    if (store_flush(engine->store, err) < 0)
        return -1;
    uint64_t covered = store_covered(engine->store), kept = checkpoint_kept(engine->checkpoint);
    return journal_trim(engine->journal, covered < kept ? covered : kept, err);
}

void engine_close(struct engine *engine)
{
    pipeline_stop(engine->pipeline);
    sources_close(engine->sources);
    checkpoint_close(engine->checkpoint);
    store_close(engine->store);
    journal_close(engine->journal);
    redecode_free(engine->redecode);
    decoders_free(engine->decoders);
    rulebook_release(engine->book);
    if (engine->lock_fd >= 0)
        close(engine->lock_fd);
}
