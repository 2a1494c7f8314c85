/* hinomi import: files into a store, durable when it returns. */
#include "app/cli.h"

#include "collect/file_reader.h"
#include "flow/pipeline.h"

#include <stdio.h>
#include <time.h>

struct import {
    const char *dir, *source, *zone, *stream;
    struct journal *journal;
    struct store *store;
    struct pipeline *pipeline;
    struct decoders *decoders;
    struct arena *arena;
    const struct state_definitions *state;
    struct rule_set *rules;
    uint64_t events, bytes;
    uint64_t position; /* of the journal, after the last delivery */
    int failed_files;
};

static void print_note(void *context, const char *text)
{
    (void)context;
    fprintf(stderr, "hinomi: %s\n", text);
}

static int open_all(struct import *import, bool detect, struct err *err)
{
    char path[4400];
    if (io_make_dirs(io_real(), import->dir, err) < 0)
        return -1;
    snprintf(path, sizeof(path), "%.4000s/journal", import->dir);
    struct journal_config journal = {.dir = path, .note = print_note};
    if (journal_open(&journal, &import->journal, err) < 0)
        return -1;
    snprintf(path, sizeof(path), "%.4000s/store", import->dir);
    struct store_config store = {.dir = path, .note = print_note};
    if (store_open(&store, &import->store, err) < 0 ||
        cli_load_decoders(&import->decoders, err) < 0)
        return -1;
    struct pipeline_config config = {.journal = import->journal,
                                     .store = import->store,
                                     .decoders = import->decoders,
                                     .clock = clock_real(),
                                     .note = print_note};
    if (detect) {
        char logsources[4400];
        snprintf(logsources, sizeof(logsources), "%s", cli_content("logsources"));
        struct rule_options options = {.logsource_path = logsources};
        import->arena = arena_new(64 * MIB);
        if (!import->arena ||
            state_definitions_load(cli_content("state"), import->arena, &import->state, err) < 0 ||
            rule_set_load(cli_content("rules"), &options, &import->rules, err) < 0)
            return -1;
        config.rules = import->rules;
        config.state = import->state;
    }
    return pipeline_start(&config, &import->pipeline, err);
}

static void close_all(struct import *import)
{
    pipeline_stop(import->pipeline);
    store_close(import->store);
    journal_close(import->journal);
    decoders_free(import->decoders);
    rule_set_free(import->rules);
    arena_free(import->arena);
}

static void on_done(void *context, const struct journal_ack *ack)
{
    struct import *import = context;
    if (ack->result == JOURNAL_STORED)
        __atomic_store_n(&import->position, ack->end, __ATOMIC_RELEASE);
}

/* Waits a little when the journal has enough outstanding. */
static int append(struct import *import, const struct delivery *delivery, struct err *err)
{
    for (;;) {
        if (journal_append(import->journal, delivery, on_done, import, err) == 0)
            return 0;
        if (err->code != ERR_LIMIT)
            return -1;
        struct timespec pause = {.tv_nsec = 2 * NS_PER_MS};
        nanosleep(&pause, NULL);
    }
}

/* The pipeline must not fall so far behind that the journal grows without bound. */
static int keep_pace(struct import *import, struct err *err)
{
    uint64_t position = __atomic_load_n(&import->position, __ATOMIC_ACQUIRE);
    uint64_t done = pipeline_counts(import->pipeline).position;
    if (position < done + 64 * MIB || pipeline_wait(import->pipeline, position - 64 * MIB, 600000))
        return 0;
    return err_set(err, ERR_IO, "the store does not keep up; see the messages above");
}

static int import_file(struct import *import, const char *path, struct err *err)
{
    struct file_reader *reader;
    struct delivery delivery;
    int more, result = 0;
    if (file_reader_open(path, &reader, err) < 0)
        return -1;
    const struct file_reader_report *report = file_reader_report(reader);
    while (result == 0 && (more = file_reader_next(reader, &delivery, err)) > 0) {
        delivery.origin.source = SLICE("import");
        delivery.origin.stream = slice_text(import->stream);
        delivery.origin.dataset = slice_text(import->source);
        delivery.origin.zone = slice_text(import->zone);
        delivery.received_ns = clock_wall_ns(clock_real());
        result = append(import, &delivery, err);
        if (result == 0)
            result = keep_pace(import, err);
        cli_progress(false, "%s  %llu events  %llu of %llu MB", path,
                     (unsigned long long)(import->events + report->events),
                     (unsigned long long)(report->bytes / 1000000),
                     (unsigned long long)(report->bytes_total / 1000000));
    }
    if (result == 0 && more < 0)
        result = -1;
    import->events += report->events;
    import->bytes += report->bytes;
    if (report->problem[0])
        fprintf(stderr, "hinomi: %s: %s\n", path, report->problem);
    file_reader_close(reader);
    return result;
}

/* Everything is acknowledged by the journal, has passed the pipeline and is in segments. */
static int finish(struct import *import, struct err *err)
{
    struct journal_stats stats;
    do {
        struct timespec pause = {.tv_nsec = NS_PER_MS};
        nanosleep(&pause, NULL);
        journal_stats(import->journal, &stats);
    } while (stats.outstanding_bytes && !stats.failed);
    if (stats.failed)
        return err_set(err, ERR_IO, "the journal could not be written; nothing after the last "
                       "message is stored");
    if (!pipeline_wait(import->pipeline, stats.position, 3600000))
        return err_set(err, ERR_IO, "the pipeline stopped before everything was stored");
    pipeline_stop(import->pipeline); /* the store's writer is now this thread */
    import->pipeline = NULL;
    if (store_flush(import->store, err) < 0)
        return -1;
    return journal_trim(import->journal, store_covered(import->store), err);
}

static int run_import(struct import *import, const struct cli_words *words, struct err *err)
{
    for (int i = 0; i < words->count; i++) {
        struct err why;
        if (import_file(import, words->words[i], &why) == 0)
            continue;
        cli_fail(&why);
        import->failed_files++;
        if (why.code == ERR_IO && pipeline_counts(import->pipeline).failed)
            break;
    }
    return finish(import, err);
}

int app_import(int argc, char **argv)
{
    struct import import = {.stream = "main"};
    bool detect = false;
    const struct cli_option options[] = {
        {"--dir", &import.dir, NULL},       {"--source", &import.source, NULL},
        {"--tz", &import.zone, NULL},       {"--stream", &import.stream, NULL},
        {"--detect", NULL, &detect},
    };
    struct cli_words words;
    struct err err;
    int status = cli_parse("import", argc, argv, options, ARRAY_COUNT(options), &words);
    if (status)
        return status;
    if (!import.dir)
        return cli_usage("import", "--dir needs the folder of the store");
    if (words.count == 0)
        return cli_usage("import", "name a file, or - for standard input");
    int64_t start = clock_mono_ns(clock_real());
    int result = open_all(&import, detect, &err);
    if (result == 0)
        result = run_import(&import, &words, &err);
    double seconds = (double)(clock_mono_ns(clock_real()) - start) / 1e9;
    close_all(&import);
    cli_progress(true, "done");
    if (result < 0)
        return cli_fail(&err);
    printf("%llu events, %llu bytes, %.2f s\n", (unsigned long long)import.events,
           (unsigned long long)import.bytes, seconds);
    return import.failed_files ? EXIT_FAILED : EXIT_DONE;
}
