/*
 * tests/ask/search_ask: many searches in one process, for tests that compare answers.
 *
 *   search_ask STORE|- FILE|- FOLDER|- [TAIL]
 *
 * The store, the main table file, the folder of tables; TAIL are events as JSON lines that are put into the
 * store's memory first, each with its time in seconds as tail_s.
 *
 * A line on standard input asks:
 *
 *   store|file fast|naive THREADS MEMORY FROM TO TAB SPL      bytes, seconds; 0: as usual
 *
 * and is answered by a line of JSON: {"rows": [{...}], "about": {"complete": true, "cpu_ms": 1.2, "messages": []}}
 * or {"error": "..."}. The clock stands at 2024-06-05T00:00:00Z, so now() is always the same; the
 * zone is Asia/Tokyo. Lookup
 * tables of the store's searches are those of the folder.
 */
#include "base/file.h"
#include "base/json.h"
#include "base/zone.h"
#include "cut/json_event.h"
#include "event/delivery.h"
#include "search/output.h"
#include "search/parser.h"
#include "search/store_backend.h"
#include "search/table_source.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static const int64_t NOW_NS = 1717545600 * NS_PER_SECOND;
static const int64_t TIME_MAX_MS = 30000;

struct asked {
    struct search_backend both; /* rows of the store, tables of the folder */
    struct store_backend store;
    const struct search_backend *file;
    struct hin_clock clock;
};

static double cpu_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

static int64_t fixed_wall(void *context)
{
    (void)context;
    return NOW_NS;
}

static int64_t real_mono(void *context)
{
    (void)context;
    return clock_mono_ns(clock_real());
}

static void stop(const char *what)
{
    fprintf(stderr, "search_ask: %s\n", what);
    exit(2);
}

static int put_part(void *context, const struct search_result *part, struct err *err)
{
    (void)err;
    output_part(context, part);
    return 0;
}

static int put_answer(struct search *search, double start, struct buffer *to, struct err *err)
{
    struct output output;
    const struct search_result *result = search_result(search);
    buffer_put_text(to, "{\"rows\": ");
    int status = output_open(&output, result, OUTPUT_JSON, to);
    if (status == 0) {
        output_head(&output);
        status = search_rows(search, put_part, &output, err);
        output_tail(&output);
    }
    output_close(&output);
    buffer_put_text(to, ", \"about\": ");
    struct json json;
    json_init(&json, to);
    json_open(&json, '{');
    json_put_bool(&json, "complete", result->complete);
    json_key(&json, "cpu_ms");
    json_f64(&json, cpu_ms() - start);
    json_key(&json, "messages");
    json_open(&json, '[');
    for (const struct search_message *m = result->messages; m; m = m->next)
        json_text(&json, m->text);
    json_close(&json, ']');
    json_close(&json, '}');
    buffer_put_text(to, "}");
    return status;
}

static int run_one(const struct asked *asked, const char *line, struct buffer *to, struct err *err)
{
    char where[8], plan[8];
    unsigned threads = 0;
    int64_t memory = 0, from_s = 0, to_s = 0;
    const char *spl = strchr(line, '\t');
    if (!spl || sscanf(line, "%7s %7s %u %" SCNd64 " %" SCNd64 " %" SCNd64, where, plan, &threads,
                       &memory, &from_s, &to_s) != 6)
        stop("a line is not understood");
    struct spl_query *query;
    struct search *search = NULL;
    struct search_options options = {
        .backend = strcmp(where, "file") == 0 ? asked->file : &asked->both,
        .clock = &asked->clock,
        .zone = zone_find(SLICE("Asia/Tokyo")),
        .from_ns = from_s * NS_PER_SECOND,
        .to_ns = to_s * NS_PER_SECOND,
        .memory_max = memory,
        .time_max_ms = TIME_MAX_MS,
        .threads = threads,
        .part_rows_min = 1, /* so that the few events of a test are grouped by all of them */
        .naive = strcmp(plan, "naive") == 0,
        .rows_on_disk = true,
    };
    struct arena *arena = arena_new(64 * MIB);
    double start = cpu_ms();
    int result = arena ? spl_parse(slice_trim(slice_text(spl + 1)), arena, &query, err) : -1;
    if (result == 0)
        result = search_new(query, &options, &search, err);
    if (result == 0)
        result = search_run(search, err);
    if (result == 0)
        result = put_answer(search, start, to, err);
    search_free(search);
    arena_free(arena);
    return result;
}

/* The answer is one line: line ends stand only between rows, those in text are escaped. */
static void answer(const struct asked *asked, const char *line)
{
    struct buffer to;
    struct err err;
    err_clear(&err);
    buffer_init(&to, GIB);
    if (run_one(asked, line, &to, &err) < 0) {
        buffer_clear(&to);
        struct json json;
        json_init(&json, &to);
        json_open(&json, '{');
        json_put_text(&json, "error", slice_text(err.text));
        json_close(&json, '}');
    }
    struct slice text = buffer_slice(&to);
    if (buffer_failed(&to))
        stop("an answer is too large");
    for (size_t i = 0; i < text.len; i++)
        putchar(text.ptr[i] == '\n' ? ' ' : text.ptr[i]);
    putchar('\n');
    fflush(stdout);
    buffer_close(&to);
}

static int open_rows(void *context, const struct search_request *request, struct arena *arena,
                     struct search_source *out, struct err *err)
{
    struct asked *asked = context;
    return asked->store.backend.open(asked->store.backend.context, request, arena, out, err);
}

static int open_table(void *context, struct slice name, struct arena *arena,
                      struct search_source *out, struct err *err)
{
    struct asked *asked = context;
    return asked->file->open_table(asked->file->context, name, arena, out, err);
}

static int add_event(struct json_cutter *cutter, struct slice line, struct batch *batch,
                     struct err *err)
{
    static const struct origin origin = {.source = {"tail", 4}, .stream = {"main", 4}};
    unsigned flags = 0;
    struct event_row *row = batch_add_row(batch);
    if (!row || cut_json(cutter, line, SLICE(""), batch, batch->row_count - 1, &flags, err) < 0)
        return -1;
    row->raw = line;
    row->time_ns =
        batch_first(batch, batch->row_count - 1, SLICE("tail_s")).i64 * NS_PER_SECOND;
    row->received_ns = NOW_NS;
    row->origin = &origin;
    return 0;
}

/* Events that no segment has: the store must not be flushed. */
static void append_tail(struct store *store, const char *path, struct err *err)
{
    struct arena *arena = arena_new(64 * MIB);
    struct batch *batch = batch_new(64 * MIB);
    struct json_cutter *cutter = json_cutter_new();
    struct slice text, line;
    int result = arena && batch && cutter ? file_read(path, 16 * MIB, arena, &text, err) : -1;
    while (result == 0 && slice_next_line(&text, &line))
        result = add_event(cutter, line, batch, err);
    if (result < 0 || batch_finish(batch) < 0 || store_append(store, batch, err) < 0)
        stop(err->text);
    json_cutter_free(cutter);
    batch_free(batch);
    arena_free(arena);
}

static const char *given(const char *word)
{
    return strcmp(word, "-") == 0 ? NULL : word;
}

int main(int argc, char **argv)
{
    struct asked asked = {.clock = {fixed_wall, real_mono, NULL}};
    struct table_backend *table;
    struct store *store = NULL;
    struct err err;
    char *line = NULL;
    size_t room = 0;
    err_clear(&err);
    if (argc < 4)
        stop("usage: search_ask STORE|- FILE|- FOLDER|- [TAIL]");
    struct store_config config = {.dir = argv[1], .read_only = argc == 4, .no_background = true};
    if (table_backend_new(given(argv[2]), given(argv[3]), &table, &err) < 0 ||
        (given(argv[1]) && store_open(&config, &store, &err) < 0))
        stop(err.text);
    asked.file = table_backend_get(table);
    if (store && argc > 4)
        append_tail(store, argv[4], &err);
    if (store)
        store_backend_init(&asked.store, store, &asked.clock, NULL);
    asked.both = (struct search_backend){
        .open = open_rows, .open_table = open_table, .context = &asked};
    while (getline(&line, &room, stdin) > 0)
        answer(&asked, line);
    free(line);
    table_backend_free(table);
    store_close(store);
    return 0;
}
