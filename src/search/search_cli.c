#include "search/search_cli.h"

#include "search/cost.h"
#include "search/estimate.h"
#include "search/output.h"
#include "search/parser.h"
#include "search/table_source.h"

#include "base/byte_size.h"
#include "base/duration.h"
#include "base/time_modifier.h"

#include <stdio.h>
#include <unistd.h>

struct cli {
    const char *data, *data_dir, *from, *to, *zone, *content, *macros, *spl;
    int64_t limit, time_ns, threads;
    uint64_t memory;
    enum output_format format;
    bool explain, estimate, parse_only, plan_only, naive;
    struct knowledge *knowledge;
};

static int usage(const char *problem)
{
    fprintf(
        stderr,
        "%s\nusage: hinomi search [--data FILE [--data-dir DIR]] [--format table|json|jsonl|csv]\n"
        "                     [--from T] [--to T] [--tz ZONE] [--limit N] [--memory SIZE] [--time-limit T]\n"
        "                     [--threads N] [--content DIR] [--macros FILE] [--explain | --estimate] 'SPL'\n"
        "       hinomi search --parse-only < SPL\n"
        "       hinomi search --plan-only [--content DIR] [--macros FILE] < SPL\n",
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
    else if (slice_is(slice_text(name), "--content"))
        cli->content = value;
    else if (slice_is(slice_text(name), "--macros"))
        cli->macros = value;
    else if (slice_is(slice_text(name), "--limit"))
        return slice_to_i64(text, &cli->limit) && cli->limit >= 0 ? 0 : -1;
    else if (slice_is(slice_text(name), "--memory"))
        return byte_size_parse(text, &cli->memory) && cli->memory >= MIB && cli->memory <= 64 * GIB ? 0 : -1;
    else if (slice_is(slice_text(name), "--time-limit"))
        return duration_parse(text, &cli->time_ns) && cli->time_ns > 0 ? 0 : -1;
    else if (slice_is(slice_text(name), "--threads"))
        return slice_to_i64(text, &cli->threads) && cli->threads >= 1 &&
                       cli->threads <= SCAN_THREADS_MAX
                   ? 0
                   : -1;
    else if (slice_is(slice_text(name), "--plan")) {
        cli->naive = slice_is(text, "naive");
        return cli->naive || slice_is(text, "fast") ? 0 : -1;
    } else if (slice_is(slice_text(name), "--format"))
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
        else if (slice_is(arg, "--estimate"))
            cli->estimate = true;
        else if (slice_is(arg, "--parse-only"))
            cli->parse_only = true;
        else if (slice_is(arg, "--plan-only"))
            cli->plan_only = true;
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

/* ---- definitions ---- */

/* DIR may be a data folder, a folder such as our content/, or the definitions themselves. */
static int add_content(struct know_builder *builder, const char *dir, struct err *err)
{
    static const char *const below[] = {"content/search", "search"};
    char path[4200];
    for (size_t i = 0; i < ARRAY_COUNT(below); i++) {
        snprintf(path, sizeof(path), "%.4000s/%s", dir, below[i]);
        if (access(path, R_OK) == 0)
            return know_builder_folder(builder, path, KNOW_FOLDER, err);
    }
    return know_builder_folder(builder, dir, KNOW_FOLDER, err);
}

static int check_path(const char *option, const char *path, struct err *err)
{
    if (!path || access(path, R_OK) == 0)
        return 0;
    return err_set(err, ERR_NOT_FOUND, "%s: there is no %s", option, path);
}

/* Takes the builder over. */
static int load_knowledge(struct cli *cli, struct know_builder *builder, struct err *err)
{
    if (!builder && !(builder = know_builder_new()))
        return err_nomem(err);
    if (check_path("--content", cli->content, err) < 0 ||
        check_path("--macros", cli->macros, err) < 0 ||
        (cli->content && add_content(builder, cli->content, err) < 0) ||
        (cli->macros && know_builder_folder(builder, cli->macros, KNOW_FOLDER, err) < 0)) {
        know_builder_free(builder);
        return -1;
    }
    cli->knowledge = know_builder_done(builder);
    for (const struct know_note *n = know_notes(cli->knowledge); n; n = n->next)
        if (n->wrong)
            fprintf(stderr, "note: %.*s\n", SLICE_ARG(n->text));
    return cli->knowledge ? 0 : err_nomem(err);
}

/* ---- checking ---- */

static int plan_query(const struct cli *cli, const struct spl_query *query, struct err *err)
{
    struct search_options options = {.knowledge = cli->knowledge, .plan_only = true};
    struct search *search;
    if (search_new(query, &options, &search, err) < 0)
        return -1;
    search_free(search);
    return 0;
}

/* --parse-only and --plan-only. */
static int check_only(const struct cli *cli, struct arena *arena)
{
    struct spl_options options = {.keep_macros = cli->parse_only, .knowledge = cli->knowledge};
    struct buffer text;
    struct err err;
    struct spl_query *query;
    buffer_init(&text, QUERY_BYTES_MAX + 65536);
    err_clear(&err);
    int result = read_stdin(&text);
    struct slice spl = slice_trim(buffer_slice(&text));
    if (result < 0)
        err_set(&err, ERR_IO, "standard input cannot be read or is too long");
    if (result == 0)
        result = spl_parse_with(spl, arena, &options, &query, &err);
    if (result == 0 && cli->plan_only)
        result = plan_query(cli, query, &err);
    if (result < 0)
        print_error(&err, cli->plan_only ? SLICE("") : spl);
    buffer_close(&text);
    return result < 0 ? 1 : 0;
}

enum { WRITE_AT_ONCE = 1 << 20 };

struct printer {
    struct output output;
    struct buffer out;
};

static int flush_printed(struct printer *printer, size_t least, struct err *err)
{
    struct slice text = buffer_slice(&printer->out);
    if (text.len < least)
        return 0;
    if (buffer_failed(&printer->out) || fwrite(text.ptr, 1, text.len, stdout) != text.len)
        return err_set(err, ERR_IO, "the result cannot be written");
    buffer_clear(&printer->out);
    return 0;
}

static int measure_part(void *context, const struct search_result *part, struct err *err)
{
    struct printer *printer = context;
    (void)err;
    output_measure(&printer->output, part);
    return 0;
}

static int print_part(void *context, const struct search_result *part, struct err *err)
{
    struct printer *printer = context;
    output_part(&printer->output, part);
    return flush_printed(printer, WRITE_AT_ONCE, err);
}

/* Lines need no other line: they go out while the search runs. */
static int print_at_once(void *context, const struct search_result *part, struct err *err)
{
    struct printer *printer = context;
    output_part(&printer->output, part);
    return flush_printed(printer, 0, err) < 0 || fflush(stdout) != 0 ? -1 : 0;
}

static int print_rows(struct search *search, struct printer *printer, enum output_format format,
                      struct err *err)
{
    if (output_open(&printer->output, search_result(search), format, &printer->out) < 0)
        return err_nomem(err);
    if (output_measures(&printer->output) &&
        search_rows(search, measure_part, printer, err) < 0)
        return -1;
    output_head(&printer->output);
    if (search_rows(search, print_part, printer, err) < 0)
        return -1;
    output_tail(&printer->output);
    return flush_printed(printer, 0, err);
}

static void print_notes(struct search *search, const struct cli *cli,
                        const struct search_estimate *estimate)
{
    struct buffer out;
    for (const struct search_message *m = search_result(search)->messages; m; m = m->next)
        fprintf(stderr, "note: %.*s\n", SLICE_ARG(m->text));
    if (!cli->explain)
        return;
    buffer_init(&out, MIB);
    search_explain(search, &out);
    if (estimate->took_ns)
        cost_print_estimate(estimate, &search_result(search)->progress, &out);
    fprintf(stderr, "%.*s", SLICE_ARG(buffer_slice(&out)));
    buffer_close(&out);
}

static int print_estimate(const struct cli *cli, const struct search_estimate *estimate)
{
    struct buffer out;
    struct json json;
    buffer_init(&out, MIB);
    json_init(&json, &out);
    if (cli->format == OUTPUT_TABLE)
        cost_print_estimate(estimate, NULL, &out);
    else {
        json_open(&json, '{');
        cost_put_estimate(estimate, &json);
        json_close(&json, '}');
        buffer_put_char(&out, '\n');
    }
    bool written = fwrite(buffer_slice(&out).ptr, 1, buffer_slice(&out).len, stdout) > 0;
    buffer_close(&out);
    return written ? 0 : 1;
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

static int run_search(const struct cli *cli, struct search *search, struct printer *printer,
                      const struct search_estimate *estimate, struct err *err)
{
    if (search_run(search, err) < 0)
        return -1;
    if (cli->format != OUTPUT_JSONL && print_rows(search, printer, cli->format, err) < 0)
        return -1;
    print_notes(search, cli, estimate);
    return 0;
}

static int run_one(const struct cli *cli, const struct search_backend *backend,
                   const struct search_setting *setting, struct arena *arena)
{
    struct search_writer folder = {.table = table_write,
                                   .context = (void *)(uintptr_t)cli->data_dir};
    static const struct batch no_columns;
    const struct search_result lines = {.rows = &no_columns};
    struct err err;
    struct slice spl = slice_text(cli->spl);
    struct printer printer = {0};
    struct search_options options = {.backend = backend,
                                     .rows_max = cli->limit,
                                     .knowledge = cli->knowledge,
                                     .tables = setting->tables,
                                     .writer = setting->writer  ? setting->writer
                                               : cli->data_dir ? &folder
                                                               : NULL,
                                     .memory_max = (int64_t)cli->memory,
                                     .time_max_ms = cli->time_ns / NS_PER_MS,
                                     .naive = cli->naive,
                                     .threads = (uint32_t)cli->threads,
                                     .rows_on_disk = true,
                                     .take = cli->format == OUTPUT_JSONL ? print_at_once : NULL,
                                     .take_context = &printer};
    struct spl_options reading = {.knowledge = cli->knowledge};
    struct spl_query *query;
    struct search *search = NULL;
    err_clear(&err);
    buffer_init(&printer.out, GIB);
    int result = read_range(cli, &options, &err);
    if (result == 0)
        result = spl_parse_with(spl, arena, &reading, &query, &err);
    struct search_estimate estimate = {0};
    if (result == 0 && cli->estimate)
        result = search_estimate(query, &options, &estimate, &err);
    if (result == 0 && cli->estimate)
        return print_estimate(cli, &estimate);
    if (result == 0 && cli->explain && search_estimate(query, &options, &estimate, &err) < 0) {
        /* of a search that reads what it writes, say; what is wrong with it, it says itself */
        fprintf(stderr, "note: what it costs cannot be told before: %s\n", err.text);
        err_clear(&err);
    }
    if (result == 0)
        result = search_new(query, &options, &search, &err);
    if (result == 0 && options.take &&
        output_open(&printer.output, &lines, cli->format, &printer.out) < 0)
        result = err_nomem(&err);
    if (result == 0)
        result = run_search(cli, search, &printer, &estimate, &err);
    if (result < 0)
        print_error(&err, spl);
    output_close(&printer.output);
    buffer_close(&printer.out);
    search_free(search);
    return result == 0 ? 0 : 1;
}

static int run_over(const struct cli *cli, const struct search_setting *setting, struct arena *arena)
{
    const struct search_backend *backend = setting->backend;
    struct table_backend *table = NULL;
    struct err err;
    if (cli->parse_only || cli->plan_only)
        return check_only(cli, arena);
    if (!cli->spl)
        return usage("hinomi search: the search itself is missing");
    if (!backend && table_backend_new(cli->data, cli->data_dir, &table, &err) < 0) {
        print_error(&err, SLICE(""));
        return 1;
    }
    if (table)
        table_backend_set_states(table, setting->states);
    int result = run_one(cli, backend ? backend : table_backend_get(table), setting, arena);
    table_backend_free(table);
    return result;
}

int search_main(int argc, char **argv, const struct search_setting *setting)
{
    struct cli cli = {.format = OUTPUT_TABLE};
    struct err err;
    if (read_options(&cli, argc, argv) < 0) {
        know_builder_free(setting->knowledge);
        return usage("hinomi search: an option is unknown or lacks its value");
    }
    struct arena *arena = arena_new(64 * MIB);
    int result = 1;
    err_clear(&err);
    if (load_knowledge(&cli, setting->knowledge, &err) < 0)
        print_error(&err, SLICE(""));
    else if (arena)
        result = run_over(&cli, setting, arena);
    know_release(cli.knowledge);
    arena_free(arena);
    return result;
}
