#include "search/search_cli.h"

#include "search/output.h"
#include "search/parser.h"
#include "search/table_source.h"

#include "base/time_modifier.h"

#include <stdio.h>
#include <unistd.h>

struct cli {
    const char *data, *data_dir, *from, *to, *zone, *spl;
    int64_t limit;
    enum output_format format;
    bool explain, parse_only;
};

static int usage(const char *problem)
{
    fprintf(
        stderr,
        "%s\nusage: hinomi search [--data FILE [--data-dir DIR]] [--format table|json|jsonl|csv]\n"
        "                     [--from T] [--to T] [--tz ZONE] [--limit N] [--explain] 'SPL'\n"
        "       hinomi search --parse-only < SPL\n",
        problem);
    return 2;
}

static int read_option(struct cli *cli, const char *name, const char *value)
{
    struct slice text = slice_text(value);
    if (slice_is(slice_text(name), "--data"))
        cli->data = value;
    else if (slice_is(slice_text(name), "--data-dir"))
        cli->data_dir = value;
    else if (slice_is(slice_text(name), "--from"))
        cli->from = value;
    else if (slice_is(slice_text(name), "--to"))
        cli->to = value;
    else if (slice_is(slice_text(name), "--tz"))
        cli->zone = value;
    else if (slice_is(slice_text(name), "--limit"))
        return slice_to_i64(text, &cli->limit) && cli->limit >= 0 ? 0 : -1;
    else if (slice_is(slice_text(name), "--format"))
        return output_format_by_name(text, &cli->format) ? 0 : -1;
    else
        return -1;
    return 0;
}

static int read_options(struct cli *cli, int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        struct slice arg = slice_text(argv[i]);
        if (slice_is(arg, "--explain"))
            cli->explain = true;
        else if (slice_is(arg, "--parse-only"))
            cli->parse_only = true;
        else if (slice_starts(arg, SLICE("--"))) {
            if (i + 1 >= argc || read_option(cli, argv[i], argv[i + 1]) < 0)
                return -1;
            i++;
        } else if (!cli->spl)
            cli->spl = argv[i];
        else
            return -1;
    }
    return 0;
}

/* A caret under what the sentence is about, when the query is a line. */
static void print_error(const struct err *err, struct slice spl)
{
    fprintf(stderr, "hinomi search: %s", err->text);
    if (err->suggestion[0])
        fprintf(stderr, " (did you mean %s?)", err->suggestion);
    fputc('\n', stderr);
    if (err->start >= 0 && spl.len < 200 && slice_find_char(spl, '\n') < 0 &&
        (size_t)err->start <= spl.len) {
        fprintf(stderr, "  %.*s\n  %*s", SLICE_ARG(spl), err->start, "");
        for (int i = err->start; i < err->end || i == err->start; i++)
            fputc('^', stderr);
        fputc('\n', stderr);
    }
}

static int read_stdin(struct buffer *text)
{
    for (;;) {
        char *to = buffer_reserve(text, 65536);
        ssize_t got = to ? read(STDIN_FILENO, to, 65536) : -1;
        if (got <= 0)
            return got < 0 ? -1 : 0;
        buffer_commit(text, (size_t)got);
    }
}

static int parse_only(struct arena *arena)
{
    static const struct spl_options options = {.keep_macros = true};
    struct buffer text;
    struct err err;
    struct spl_query *query;
    buffer_init(&text, QUERY_BYTES_MAX + 65536);
    err_clear(&err);
    int result = read_stdin(&text);
    if (result < 0)
        fprintf(stderr, "hinomi search: standard input cannot be read or is too long\n");
    else if ((result = spl_parse_with(slice_trim(buffer_slice(&text)), arena, &options, &query,
                                      &err)) < 0)
        print_error(&err, slice_trim(buffer_slice(&text)));
    buffer_close(&text);
    return result < 0 ? 1 : 0;
}

static int print_result(struct search *search, const struct cli *cli)
{
    struct buffer out;
    buffer_init(&out, 2 * GIB);
    const struct search_result *result = search_result(search);
    output_put(result, cli->format, &out);
    bool failed =
        buffer_failed(&out) || fwrite(buffer_slice(&out).ptr, 1, out.len, stdout) != out.len;
    buffer_close(&out);
    for (const struct search_message *m = result->messages; m; m = m->next)
        fprintf(stderr, "note: %.*s\n", SLICE_ARG(m->text));
    if (cli->explain) {
        buffer_init(&out, MIB);
        search_explain(search, &out);
        fprintf(stderr, "%.*s", SLICE_ARG(buffer_slice(&out)));
        buffer_close(&out);
    }
    if (failed)
        fprintf(stderr, "hinomi search: the result cannot be written\n");
    return failed ? 1 : 0;
}

static int read_range(const struct cli *cli, struct search_options *options, struct err *err)
{
    int64_t now = clock_wall_ns(clock_real());
    if (cli->zone && !(options->zone = zone_find(slice_text(cli->zone))))
        return err_set(err, ERR_CONFIG, "there is no time zone %s", cli->zone);
    if (cli->from &&
        time_modifier_read(slice_text(cli->from), now, options->zone, &options->from_ns, err) < 0)
        return -1;
    if (cli->to &&
        time_modifier_read(slice_text(cli->to), now, options->zone, &options->to_ns, err) < 0)
        return -1;
    return 0;
}

static int run_one(const struct cli *cli, const struct search_backend *backend, struct arena *arena)
{
    struct err err;
    struct slice spl = slice_text(cli->spl);
    struct search_options options = {.backend = backend, .rows_max = cli->limit};
    struct spl_query *query;
    struct search *search = NULL;
    err_clear(&err);
    int result = read_range(cli, &options, &err);
    if (result == 0)
        result = spl_parse(spl, arena, &query, &err);
    if (result == 0)
        result = search_new(query, &options, &search, &err);
    if (result == 0)
        result = search_run(search, &err);
    if (result < 0)
        print_error(&err, spl);
    else
        result = print_result(search, cli);
    search_free(search);
    return result == 0 ? 0 : 1;
}

int search_main_with(int argc, char **argv, const struct search_backend *backend)
{
    struct cli cli = {.format = OUTPUT_TABLE};
    struct err err;
    if (read_options(&cli, argc, argv) < 0)
        return usage("hinomi search: an option is unknown or lacks its value");
    struct arena *arena = arena_new(64 * MIB);
    if (!arena)
        return 1;
    int result = 1;
    struct table_backend *table = NULL;
    err_clear(&err);
    if (cli.parse_only)
        result = parse_only(arena);
    else if (!cli.spl)
        result = usage("hinomi search: the search itself is missing");
    else if (!backend && table_backend_new(cli.data, cli.data_dir, &table, &err) < 0)
        print_error(&err, SLICE(""));
    else
        result = run_one(&cli, backend ? backend : table_backend_get(table), arena);
    table_backend_free(table);
    arena_free(arena);
    return result;
}

int search_main(int argc, char **argv)
{
    return search_main_with(argc, argv, NULL);
}
