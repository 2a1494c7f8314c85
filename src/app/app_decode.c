/* hinomi decode: events as ECS JSON, one a line, in order; with --explain, what each step did stands before it. */
#include "app/offline.h"

#include "base/json.h"
#include "event/schema.h"

#include <stdio.h>

enum { EXPLAIN_MIB_MAX = 1024 };

struct printing {
    struct buffer line;
    bool explain;
    struct buffer steps; /* of the batch's events */
};

/* The explanation of the next event. */
static bool print_steps(struct slice *rest)
{
    struct slice one = SLICE_NONE;
    if (!slice_cut(*rest, '\0', &one, rest))
        return true;
    return cli_write(one);
}

/* An event that says no time of its own has none here: the time of receipt, which stored events get in its place,
 * would be that of this command. */
static void forget_guessed_times(struct batch *batch)
{
    struct column *column = batch_find(batch, FIELD_TIMESTAMP);
    for (uint32_t i = 0; column && i < column->count; i++)
        if (batch->rows[column->rows[i]].flags & EVENT_TIME_GUESSED)
            column->values[i] = value_null();
}

static int print_batch(void *context, struct batch *batch, const char *path, uint64_t first_record,
                       struct err *err)
{
    struct printing *printing = context;
    struct slice steps = buffer_slice(&printing->steps);
    (void)path;
    (void)first_record;
    forget_guessed_times(batch);
    if (buffer_failed(&printing->steps))
        return err_set(err, ERR_LIMIT, "the explanation is longer than %d MiB; give fewer events", EXPLAIN_MIB_MAX);
    for (uint32_t row = 0; row < batch->row_count; row++) {
        struct json json;
        buffer_clear(&printing->line);
        json_init(&json, &printing->line);
        batch_row_to_json(batch, row, &json);
        buffer_put_char(&printing->line, '\n');
        if (buffer_failed(&printing->line))
            return err_nomem(err);
        if (!print_steps(&steps) || !cli_write(buffer_slice(&printing->line)))
            return err_set(err, ERR_CLOSED, "the reader of the output is gone");
    }
    buffer_clear(&printing->steps);
    return 0;
}

int app_decode(int argc, char **argv)
{
    struct printing printing = {0};
    struct offline offline = {.batch = print_batch, .context = &printing};
    const char *received = NULL;
    const struct cli_option options[] = {
        {"--source", &offline.source, NULL},
        {"--tz", &offline.zone, NULL},
        {"--encoding", &offline.encoding, NULL},
        {"--decoders", &offline.decoders, NULL},
        {"--received", &received, NULL},
        {"--explain", NULL, &printing.explain},
    };
    struct cli_words words;
    struct decoders *decoders;
    struct err err;
    int status = cli_parse("decode", argc, argv, options, ARRAY_COUNT(options), &words);
    if (status)
        return status;
    if (words.count == 0)
        return cli_usage("decode", "name a file, or - for standard input");
    if (received && !offline_parse_time(received, &offline.received_ns))
        return cli_usage("decode", "--received needs a time such as 2026-01-26T00:00:00Z");
    status = cli_check_text("decode", offline.zone, offline.encoding);
    if (status)
        return status;
    if (cli_load_decoders(offline.decoders, &decoders, &err) < 0)
        return cli_fail(&err);
    buffer_init(&printing.line, 256 * MIB);
    buffer_init(&printing.steps, EXPLAIN_MIB_MAX * MIB);
    if (printing.explain)
        offline.explain = &printing.steps;
    int result = offline_run(&offline, decoders, words.words, words.count, &err);
    buffer_close(&printing.line);
    buffer_close(&printing.steps);
    decoders_free(decoders);
    cli_flush();
    if (printing.explain)
        fprintf(stderr, "%llu events from %llu files\n", (unsigned long long)offline.events,
                (unsigned long long)offline.files);
    if (result < 0 && err.code != ERR_CLOSED)
        return cli_fail(&err);
    return offline.files_failed ? EXIT_FAILED : EXIT_DONE;
}
