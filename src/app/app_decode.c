/* hinomi decode: events as ECS JSON, one a line, in order. */
#include "app/offline.h"

#include "base/json.h"

#include <stdio.h>

struct printing {
    struct buffer line;
    bool explain;
};

static int print_batch(void *context, struct batch *batch, const char *path, uint64_t first_record,
                       struct err *err)
{
    struct printing *printing = context;
    (void)path;
    (void)first_record;
    for (uint32_t row = 0; row < batch->row_count; row++) {
        struct json json;
        buffer_clear(&printing->line);
        json_init(&json, &printing->line);
        batch_row_to_json(batch, row, &json);
        buffer_put_char(&printing->line, '\n');
        if (buffer_failed(&printing->line))
            return err_nomem(err);
        if (!cli_write(buffer_slice(&printing->line)))
            return err_set(err, ERR_CLOSED, "the reader of the output is gone");
    }
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
    if (cli_load_decoders(&decoders, &err) < 0)
        return cli_fail(&err);
    buffer_init(&printing.line, 256 * MIB);
    int result = offline_run(&offline, decoders, words.words, words.count, &err);
    buffer_close(&printing.line);
    decoders_free(decoders);
    cli_flush();
    if (printing.explain)
        fprintf(stderr, "%llu events from %llu files\n", (unsigned long long)offline.events,
                (unsigned long long)offline.files);
    if (result < 0 && err.code != ERR_CLOSED)
        return cli_fail(&err);
    return offline.files_failed ? EXIT_FAILED : EXIT_DONE;
}
