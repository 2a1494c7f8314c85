/* hinomi import: files into a store, durable when it returns. */
#include "app/broken_note.h"
#include "app/engine.h"
#include "collect/files/exported_reader.h"
#include "collect/files/file_reader.h"
#include "decode/line_rule.h"

#include <stdio.h>
#include <time.h>

struct import {
    const char *source, *zone, *encoding, *stream;
    bool exported; /* the files are hinomi export's */
    struct engine engine;
    uint64_t events, bytes;
    uint64_t position; /* of the journal, after the last delivery */
    int failed_files;
    struct broken_note broken; /* the pipeline's thread */
};

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
        if (journal_append(import->engine.journal, delivery, on_done, import, err) == 0)
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
    uint64_t done = pipeline_counts(import->engine.pipeline).position;
    if (position < done + 64 * MIB || pipeline_wait(import->engine.pipeline, position - 64 * MIB, 600000))
        return 0;
    return err_set(err, ERR_IO, "the store does not keep up; see the messages above");
}

static int pass(struct import *import, const struct delivery *delivery, const char *path,
                const struct file_reader_report *report, struct err *err)
{
    if (append(import, delivery, err) < 0 || keep_pace(import, err) < 0)
        return -1;
    cli_progress(false, "%s  %llu events  %llu of %llu MB", path,
                 (unsigned long long)(import->events + report->events),
                 (unsigned long long)(report->bytes / 1000000),
                 (unsigned long long)(report->bytes_total / 1000000));
    return 0;
}

static int import_file(struct import *import, const char *path, struct err *err)
{
    struct file_reader *reader;
    struct delivery delivery;
    int more, result = 0;
    if (file_reader_open(path, import->encoding, &reader, err) < 0)
        return -1;
    const struct file_reader_report *report = file_reader_report(reader);
    struct line_join join;
    if (decoders_line_rule(import->engine.decoders, slice_text(import->source), file_reader_head(reader), &join))
        file_reader_join(reader, &join);
    while (result == 0 && (more = file_reader_next(reader, &delivery, err)) > 0) {
        delivery.origin.source = SLICE("import");
        delivery.origin.stream = slice_text(import->stream);
        delivery.origin.dataset = slice_text(import->source);
        delivery.origin.zone = slice_text(import->zone);
        delivery.received_ns = clock_wall_ns(clock_real());
        result = pass(import, &delivery, path, report, err);
    }
    if (result == 0 && more < 0)
        result = -1;
    import->events += report->events;
    import->bytes += report->bytes;
    if (report->problem[0]) {
        import->failed_files++;
        fprintf(stderr, "hinomi: %s: %s; what could be read was read\n", path, report->problem);
    }
    file_reader_close(reader);
    return result;
}

/* Each event keeps its stream, input, time of receipt and all fields. */
static int import_exported(struct import *import, const char *path, struct err *err)
{
    struct exported_reader *reader;
    struct delivery delivery;
    int more, result = 0;
    if (exported_reader_open(path, &reader, err) < 0)
        return -1;
    const struct file_reader_report *report = exported_reader_report(reader);
    const struct exported_report *refused = exported_reader_refused(reader);
    while (result == 0 && (more = exported_reader_next(reader, &delivery, err)) > 0) {
        if (!delivery.origin.source.len)
            delivery.origin.source = SLICE("import");
        if (!delivery.origin.stream.len)
            delivery.origin.stream = SLICE("main");
        if (!delivery.received_ns)
            delivery.received_ns = clock_wall_ns(clock_real());
        result = pass(import, &delivery, path, report, err);
    }
    if (result == 0 && more < 0)
        result = -1;
    import->events += report->events - refused->refused;
    import->bytes += report->bytes;
    if (refused->refused) {
        import->failed_files++;
        fprintf(stderr, "hinomi: %s: %llu lines were left out; the first is line %llu: %s\n", path,
                (unsigned long long)refused->refused, (unsigned long long)refused->first_refused,
                refused->problem);
    }
    exported_reader_close(reader);
    return result;
}

static void on_passed(void *context, const struct batch *batch)
{
    struct import *import = context;
    broken_note_batch(&import->broken, batch);
}

static int run_import(struct import *import, const struct cli_words *words, struct err *err)
{
    for (int i = 0; i < words->count; i++) {
        struct err why;
        const char *path = words->words[i];
        if ((import->exported ? import_exported : import_file)(import, path, &why) == 0)
            continue;
        cli_fail(&why);
        import->failed_files++;
        if (why.code == ERR_IO && pipeline_counts(import->engine.pipeline).failed)
            break;
    }
    int result = engine_finish(&import->engine, err);
    if (result == 0) /* the pipeline's thread is gone */
        broken_note_end(&import->broken);
    return result;
}

int app_import(int argc, char **argv)
{
    struct import import = {0};
    const struct cli_option options[] = {
        {"--dir", &import.engine.dir, NULL},       {"--source", &import.source, NULL},
        {"--tz", &import.zone, NULL},       {"--stream", &import.stream, NULL},
        {"--encoding", &import.encoding, NULL},
        {"--detect", NULL, &import.engine.detect}, {"--exported", NULL, &import.exported},
    };
    struct cli_words words;
    struct err err;
    int status = cli_parse("import", argc, argv, options, ARRAY_COUNT(options), &words);
    if (status)
        return status;
    if (!import.engine.dir)
        return cli_usage("import", "--dir needs the folder of the store");
    if (words.count == 0)
        return cli_usage("import", "name a file, or - for standard input");
    if (import.exported && (import.source || import.zone || import.encoding || import.stream))
        return cli_usage("import", "--exported events bring their stream and fields with them; leave out "
                                   "--source, --tz, --encoding and --stream");
    if (!import.stream)
        import.stream = "main";
    status = cli_check_text("import", import.zone, import.encoding);
    if (status)
        return status;
    import.engine.passed = on_passed;
    import.engine.context = &import;
    int64_t start = clock_mono_ns(clock_real());
    int result = engine_open(&import.engine, &err);
    if (result == 0)
        cli_note_source(import.engine.decoders, import.source);
    if (result == 0)
        result = engine_start(&import.engine, &err);
    if (result == 0)
        result = run_import(&import, &words, &err);
    double seconds = (double)(clock_mono_ns(clock_real()) - start) / 1e9;
    engine_close(&import.engine);
    cli_progress(true, "done");
    if (result < 0)
        return cli_fail(&err);
    printf("%llu events, %llu bytes, %.2f s\n", (unsigned long long)import.events,
           (unsigned long long)import.bytes, seconds);
    return import.failed_files ? EXIT_FAILED : EXIT_DONE;
}
