#include "app/offline.h"

#include "app/broken_note.h"
#include "base/file.h"
#include "base/time.h"
#include "collect/files/file_reader.h"
#include "decode/line_rule.h"

#include <stdio.h>

/* Small enough that events and their columns are still in the processor's second cache when the rules look
 * at them. */
enum { OFFLINE_BATCH_BYTES = 256 * 1024 };

struct run {
    struct offline *offline;
    const struct decoders *decoders;
    struct decode *decode;
    struct batch *batch;
    uint64_t records; /* of the current file */
    struct broken_note broken;
};

bool offline_parse_time(const char *text, int64_t *time_ns)
{
    bool zone;
    return time_parse_rfc3339(slice_text(text), time_ns, &zone) ||
           time_parse_epoch(slice_text(text), time_ns);
}

static int hand_over(struct run *run, const char *path, struct err *err)
{
    if (run->batch->row_count == 0)
        return 0;
    if (decode_finish(run->batch, err) < 0)
        return -1;
    broken_note_batch(&run->broken, run->batch);
    int result = run->offline->batch(run->offline->context, run->batch, path, run->records, err);
    run->records += run->batch->row_count;
    run->offline->events += run->batch->row_count;
    batch_reset(run->batch);
    return result;
}

static int take_delivery(struct run *run, struct delivery *delivery, const char *path,
                         struct err *err)
{
    struct decode_place place = {0};
    struct offline *offline = run->offline;
    delivery->origin.source = SLICE("file");
    delivery->origin.stream = SLICE("main");
    delivery->origin.dataset = slice_text(offline->source);
    delivery->origin.zone = slice_text(offline->zone);
    delivery->received_ns = offline->received_ns;
    delivery->first_seq = offline->events + 1;
    for (;;) {
        int more = decode_delivery(run->decode, delivery, &place, run->batch, err);
        if (more < 0)
            return -1;
        /* The delivery's bytes live in the reader: a batch does not outlast them. */
        if (hand_over(run, path, err) < 0)
            return -1;
        if (!more)
            return 0;
    }
}

static int run_file(void *context, const char *path, struct err *err)
{
    struct run *run = context;
    struct file_reader *reader;
    struct delivery delivery;
    struct err why;
    int more;
    run->records = 0;
    run->offline->files++;
    if (file_reader_open(path, run->offline->encoding, &reader, &why) < 0) {
        run->offline->files_failed++;
        cli_fail(&why);
        return 0;
    }
    struct line_join join;
    file_reader_portion(reader, OFFLINE_BATCH_BYTES);
    if (decoders_line_rule(run->decoders, slice_text(run->offline->source), file_reader_head(reader), &join))
        file_reader_join(reader, &join);
    int result = 0;
    while (result == 0 && (more = file_reader_next(reader, &delivery, &why)) > 0)
        result = take_delivery(run, &delivery, path, err);
    if (result == 0 && more < 0) {
        run->offline->files_failed++;
        cli_fail(&why);
    }
    broken_note_end(&run->broken);
    if (file_reader_report(reader)->problem[0]) {
        run->offline->files_failed++;
        fprintf(stderr, "hinomi: %s: %s; what could be read was read\n", path,
                file_reader_report(reader)->problem);
    }
    file_reader_close(reader);
    return result;
}

int offline_run(struct offline *offline, const struct decoders *decoders, char **paths, int count,
                struct err *err)
{
    struct run run = {.offline = offline, .decoders = decoders, .decode = decode_new(decoders),
                      .batch = batch_new(BATCH_ARENA_MAX)};
    int result = run.decode && run.batch ? 0 : err_nomem(err);
    if (run.batch)
        arena_use_huge_pages(run.batch->arena);
    if (result == 0 && offline->explain && decode_explain(run.decode, offline->explain) < 0)
        result = err_nomem(err);
    if (result == 0)
        decode_borrow(run.decode); /* a delivery lives until its batches are handed over */
    cli_note_source(decoders, offline->source);
    if (offline->received_ns == 0)
        offline->received_ns = clock_wall_ns(clock_real());
    for (int i = 0; result == 0 && i < count; i++)
        result = file_is_dir(paths[i]) ? file_walk(paths[i], NULL, run_file, &run, err)
                                       : run_file(&run, paths[i], err);
    batch_free(run.batch);
    decode_free(run.decode);
    return result;
}
