/*
 * hinomi export: events in open formats, block by block, beside a running server too.
 *
 * The search is planned as any other and only its request is taken (range, streams, filter), since the rows
 * are wanted as they lie: all columns, in no order that would have to be waited for.
 */
#include "app/admin.h"
#include "app/pinned.h"
#include "base/time.h"
#include "event/schema.h"
#include "export/export.h"
#include "search/parser.h"
#include "search/run.h"
#include "search/store_backend.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#define EVERYTHING "index=* OR index=_*"

struct export {
    const char *dir, *from, *to, *stream, *format_name, *out, *spl;
    enum export_format format;
    int64_t from_ns, to_ns;
    struct pinned *pinned;
    struct store *store;
    struct store_backend backend;
    struct arena *arena;
    struct search *search;
    struct search_request request;
    struct slice stream_name, original;
    struct export_schema *schema;
    struct export_writer *writer;
    char part[ADMIN_PATH_MAX]; /* the name of --out until it is whole */
    int fd;
    uint64_t rows_total, rows_read;
    struct scan_stats stats; /* of the last walk; what was damaged */
};

/* ---- what is asked for ---- */

/* The search asks the store; what it asked last, after its subsearches, is what it wants itself. */
static int note_request(void *context, const struct search_request *request, struct arena *arena,
                        struct search_source *out, struct err *err)
{
    struct export *export = context;
    export->request = *request;
    return export->backend.backend.open(export->backend.backend.context, request, arena, out, err);
}

static bool is_base_search(const struct spl_query *query)
{
    for (const struct spl_command *command = query->commands; command; command = command->next) {
        struct slice name = slice_text(command->descriptor ? command->descriptor->name : "");
        if (!slice_is(name, "search") && !slice_is(name, "where"))
            return command != query->commands && !command->next && slice_is(name, "stats");
    }
    return false;
}

/* A count behind the search makes the plan one that needs no order: the whole range is one request. */
static int plan(struct export *export, struct err *err)
{
    struct search_backend backend = {.open = note_request, .context = export};
    struct search_options options = {.backend = &backend, .from_ns = export->from_ns,
                                     .to_ns = export->to_ns};
    struct spl_query *query;
    const char *spl = export->spl ? export->spl : export->stream ? "*" : EVERYTHING;
    struct slice text = arena_printf(export->arena, "%s\n| stats count", spl);
    if (!text.ptr)
        return err_nomem(err);
    if (spl_parse(text, export->arena, &query, err) < 0)
        return -1;
    if (!is_base_search(query))
        return err_set(err, ERR_CONFIG, "export takes events as they are: a search and where, and no "
                                        "other command");
    if (search_new(query, &options, &export->search, err) < 0)
        return -1;
    struct search_request *request = &export->request;
    if (export->stream && request->index_count)
        return err_set(err, ERR_CONFIG, "name the stream once: --stream, or index= in the search");
    if (export->stream) {
        export->stream_name = slice_text(export->stream);
        request->indexes = &export->stream_name;
        request->index_count = 1;
    }
    export->original = FIELD_ORIGINAL;
    request->columns = &export->original;
    request->column_count = 1;
    request->all_columns = export->format != EXPORT_RAW;
    request->codes_only = request->minutes = false;
    return 0;
}

/* ---- walking the rows ---- */

typedef int (*take_rows)(struct export *export, const struct batch *batch,
                         const uint64_t *selected, struct err *err);

static int walk(struct export *export, take_rows take, const char *doing, struct err *err)
{
    struct search_source source = {0};
    struct search_rows rows;
    int more;
    export->rows_read = 0;
    if (export->backend.backend.open(export->backend.backend.context, &export->request,
                                     export->arena, &source, err) < 0)
        return -1;
    export->rows_total = source.rows_total;
    while ((more = source.next(source.context, &rows, err)) > 0) {
        if (take(export, rows.batch, rows.selected, err) < 0) {
            more = -1;
            break;
        }
        export->rows_read += bits_count(rows.selected, rows.batch->row_count);
        cli_progress(false, "%s  %llu events of at most %llu", doing,
                     (unsigned long long)export->rows_read,
                     (unsigned long long)export->rows_total);
    }
    export->stats = *source.stats(source.context);
    source.close(source.context);
    return more < 0 ? -1 : 0;
}

static int add_to_schema(struct export *export, const struct batch *batch,
                         const uint64_t *selected, struct err *err)
{
    return export_schema_add(export->schema, batch, selected, err);
}

static int write_rows(struct export *export, const struct batch *batch, const uint64_t *selected,
                      struct err *err)
{
    return export_writer_rows(export->writer, batch, selected, err);
}

/* ---- where it goes ---- */

static int write_file(void *context, struct slice bytes, struct err *err)
{
    struct export *export = context;
    while (bytes.len) {
        ssize_t wrote = write(export->fd, bytes.ptr, bytes.len);
        if (wrote < 0 && errno != EINTR)
            return err_set_errno(err, errno, "cannot write %s", export->out ? export->part : "the output");
        bytes = slice_from(bytes, wrote > 0 ? (size_t)wrote : 0);
    }
    return 0;
}

/* Until it is whole the file has another name; events are for the user alone. */
static int open_out(struct export *export, struct err *err)
{
    export->fd = STDOUT_FILENO;
    if (!export->out)
        return 0;
    snprintf(export->part, sizeof(export->part), "%.4000s.part", export->out);
    if (access(export->out, F_OK) == 0)
        return err_set(err, ERR_CONFLICT, "%s is there already; remove it or name another file", export->out);
    export->fd = open(export->part, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    return export->fd < 0 ? err_set_errno(err, errno, "cannot create %s", export->part) : 0;
}

static int close_out(struct export *export, int result, struct err *err)
{
    if (!export->out || export->fd < 0)
        return result;
    if (result == 0 && fdatasync(export->fd) < 0)
        result = err_set_errno(err, errno, "cannot make %s durable", export->part);
    close(export->fd);
    if (result == 0 && rename(export->part, export->out) < 0)
        result = err_set_errno(err, errno, "cannot rename %s", export->part);
    if (result < 0)
        unlink(export->part);
    return result;
}

/* ---- the whole ---- */

static int open_store(struct export *export, struct err *err)
{
    if (pinned_store_open(export->dir, &export->pinned, &export->store, err) < 0)
        return -1;
    store_backend_init(&export->backend, export->store, clock_real(), NULL);
    export->backend.memory_max = EXPORT_BLOCK_BYTES_MAX;
    return 0;
}

/* Where there are people, their exports are in the audit trail. */
static int audit(const struct export *export, struct err *err)
{
    struct database *database;
    struct err why;
    if (admin_open(export->dir, false, &database, &why) < 0)
        return why.code == ERR_NOT_FOUND ? 0 : (*err = why, -1);
    int result = admin_audit(database, "export", slice_text(export->format_name),
                             slice_text(export->spl ? export->spl : EVERYTHING), NULL, err);
    database_close(database);
    return result;
}

static int run(struct export *export, struct err *err)
{
    struct export_sink sink = {.write = write_file, .context = export};
    export->arena = arena_new(64 * MIB);
    if (!export->arena)
        return err_nomem(err);
    if (open_store(export, err) < 0 || plan(export, err) < 0 || audit(export, err) < 0)
        return -1;
    if (export_needs_schema(export->format)) {
        export->schema = export_schema_new();
        if (!export->schema)
            return err_nomem(err);
        if (walk(export, add_to_schema, "fields", err) < 0 ||
            export_schema_finish(export->schema, err) < 0)
            return -1;
    }
    if (open_out(export, err) < 0)
        return -1;
    int result = export_writer_new(export->format, export->schema, &sink, &export->writer, err);
    if (result == 0)
        result = walk(export, write_rows, "written", err);
    if (result == 0)
        result = export_writer_finish(export->writer, err);
    return close_out(export, result, err);
}

static void say_damage(const struct scan_stats *stats)
{
    for (uint64_t i = 0; i < stats->damage_count && i < SCAN_DAMAGES_MAX; i++) {
        const struct scan_damage *damage = &stats->damages[i];
        char from[TIME_TEXT_SIZE], to[TIME_TEXT_SIZE];
        from[time_format(damage->time_min, from)] = '\0';
        to[time_format(damage->time_max, to)] = '\0';
        fprintf(stderr, "hinomi: INCOMPLETE: %llu events from %s to %s are missing or lack a field; %s: %s\n",
                (unsigned long long)damage->rows, from, to, damage->path, damage->reason);
    }
    if (stats->damage_count > SCAN_DAMAGES_MAX)
        fprintf(stderr, "hinomi: INCOMPLETE: %llu further places\n",
                (unsigned long long)(stats->damage_count - SCAN_DAMAGES_MAX));
}

static int report(const struct export *export, int64_t start_ns)
{
    const struct export_counts *counts = export_writer_counts(export->writer);
    const struct scan_stats *stats = &export->stats;
    bool whole = stats->damage_count == 0 && counts->without_original == 0;
    cli_progress(true, "done");
    say_damage(stats);
    if (counts->without_original)
        fprintf(stderr, "hinomi: INCOMPLETE: %llu events have no readable event.original\n",
                (unsigned long long)counts->without_original);
    if (counts->with_line_feed)
        fprintf(stderr, "hinomi: %llu events have line feeds in them; they cannot be told apart by lines "
                        "again (--format ndjson keeps them whole)\n",
                (unsigned long long)counts->with_line_feed);
    fprintf(stderr, "%llu events, %llu bytes, %.2f s%s\n", (unsigned long long)counts->events,
            (unsigned long long)counts->bytes,
            (double)(clock_mono_ns(clock_real()) - start_ns) / 1e9, whole ? "" : "; INCOMPLETE");
    return whole ? EXIT_DONE : EXIT_FAILED;
}

static void close_export(struct export *export)
{
    export_writer_free(export->writer);
    export_schema_free(export->schema);
    search_free(export->search);
    store_close(export->store);
    pinned_close(export->pinned);
    arena_free(export->arena);
}

static int read_words(struct export *export, const struct cli_words *words)
{
    if (!export->dir)
        return cli_usage("export", "--dir needs the data folder");
    if (words->count > 1)
        return cli_usage("export", "'%s' is one word too many; put the search in quotes", words->words[1]);
    if (!export_format_by_name(slice_text(export->format_name), &export->format))
        return cli_usage("export", "there is no format '%s'; take ndjson, csv, parquet or raw",
                         export->format_name);
    if (export->format == EXPORT_PARQUET && !export->out && isatty(STDOUT_FILENO))
        return cli_usage("export", "parquet is not for a terminal; name a file with --out");
    export->spl = words->count ? words->words[0] : NULL;
    int status = admin_time("export", "--from", export->from, &export->from_ns);
    return status ? status : admin_time("export", "--to", export->to, &export->to_ns);
}

int app_export(int argc, char **argv)
{
    struct export export = {.format_name = "ndjson", .fd = -1};
    const struct cli_option options[] = {
        {"--dir", &export.dir, NULL},       {"--from", &export.from, NULL},
        {"--to", &export.to, NULL},         {"--stream", &export.stream, NULL},
        {"--format", &export.format_name, NULL}, {"--out", &export.out, NULL},
    };
    struct cli_words words;
    struct err err;
    int64_t start_ns = clock_mono_ns(clock_real());
    err_clear(&err);
    int status = cli_parse("export", argc, argv, options, ARRAY_COUNT(options), &words);
    if (status == 0)
        status = read_words(&export, &words);
    if (status)
        return status;
    status = run(&export, &err) < 0 ? cli_fail(&err) : report(&export, start_ns);
    close_export(&export);
    return status;
}
