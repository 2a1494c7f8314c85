/*
 * hinomi rules backtest: what rules would have found in what is stored, by the engine that servers run:
 * findings a day and at night, the entities they are about, examples; with --against what another
 * version of them found and this one does not, and the other way round.
 */
#include "app/admin.h"
#include "app/backtest_count.h"
#include "app/listing.h"
#include "app/pinned.h"
#include "app/rule_commands.h"
#include "app/rules.h"
#include "base/time.h"
#include "base/zone.h"
#include "detect/detector.h"
#include "detect/rule_rows.h"
#include "flow/history.h"

#include <stdio.h>
#include <unistd.h>

struct backtest {
    const char *dir;
    int64_t from_ns, to_ns;
    const struct zone *zone;
    size_t examples;
    bool compares;
    enum output_format format;
    struct store *store;
    struct pinned *pinned;
};

/* One version of the rules over the whole time. */
struct version {
    struct rulebook *book;
    struct detector *detector;
    struct backtest_count count;
    struct history_stats stats;
    const char *doing;
};

static int on_found(void *context, const struct finding *finding, const struct rule *rule,
                    const struct batch *batch, uint32_t row, struct err *err)
{
    struct version *version = context;
    (void)batch;
    (void)row;
    if (finding->follows.ptr) /* it only tells how an earlier one went on */
        return 0;
    return backtest_count_add(&version->count, finding, rule, err);
}

static int on_batch(void *context, struct batch *batch, struct err *err)
{
    struct version *version = context;
    return detector_run(version->detector, batch, err);
}

static void on_reached(void *context, int64_t time_ns)
{
    const struct version *version = context;
    char text[TIME_TEXT_SIZE];
    time_format(time_ns, text);
    cli_progress(false, "%s  until %.19s  %llu findings", version->doing, text,
                 (unsigned long long)version->count.findings);
}

/* ---- a version ---- */

static int run_version(struct backtest *backtest, struct version *version, struct err *err)
{
    struct detector_options options = {.rules = version->book->rules, .state = version->book->state,
                                       .found = on_found, .context = version};
    struct arena *arena = arena_new(64 * MIB);
    struct history_request request = {.from_ns = backtest->from_ns, .to_ns = backtest->to_ns,
                                      .take = on_batch, .reached = on_reached, .context = version};
    if (!arena)
        return err_nomem(err);
    struct rule_rows wanted;
    int result = rule_rows_wanted(version->book->rules, version->book->state, arena, &wanted, err);
    if (result == 0 && !(request.filter = history_seen_by_rules(wanted.filter, arena)))
        result = err_nomem(err);
    request.columns = wanted.columns;
    request.column_count = wanted.column_count;
    if (result == 0)
        result = detector_new(&options, &version->detector, err);
    request.snapshot = result == 0 ? store_snapshot(backtest->store) : NULL;
    if (result == 0 && !request.snapshot)
        result = err_nomem(err);
    if (result == 0)
        result = history_walk(&request, &version->stats, err);
    if (result == 0) /* graces that end with the last event are over */
        result = detector_tick(version->detector, detector_stats(version->detector).watermark_ns, err);
    store_snapshot_release(request.snapshot);
    arena_free(arena);
    return result;
}

static int open_version(struct backtest *backtest, struct version *version, const char *path,
                        const char *doing, struct err *err)
{
    version->doing = doing;
    if (cli_load_rules(path, false, &version->book, err) < 0)
        return -1;
    cli_say_inactive(version->book);
    if (backtest_count_init(&version->count, version->book->rules, backtest->zone, backtest->examples,
                            backtest->compares, err) < 0)
        return -1;
    return run_version(backtest, version, err);
}

static void close_version(struct version *version)
{
    detector_free(version->detector);
    backtest_count_close(&version->count);
    rulebook_release(version->book);
}

/* ---- printing ---- */

static int print(struct backtest *backtest, struct version *version, struct version *other, struct err *err)
{
    struct buffer out;
    buffer_init(&out, LISTING_ARENA_MAX);
    bool json = backtest->format != OUTPUT_TABLE;
    backtest_count_print(&version->count, json, &out);
    int result = 0;
    if (other)
        result = backtest_compare(&version->count, &other->count, json, &out, err);
    if (!json)
        buffer_printf(&out, "\n%llu events were looked at; %llu of %llu blocks read\n",
                      (unsigned long long)version->stats.rows, (unsigned long long)version->stats.blocks_read,
                      (unsigned long long)version->stats.blocks);
    if (buffer_failed(&out))
        result = err_nomem(err);
    if (result == 0)
        cli_write(buffer_slice(&out));
    buffer_close(&out);
    cli_flush();
    if (version->stats.damages)
        fprintf(stderr, "hinomi: %llu blocks or columns could not be read; what was in them was not tried "
                "(hinomi verify says which)\n", (unsigned long long)version->stats.damages);
    return result;
}

static int run_backtest(struct backtest *backtest, const char *rules, const char *against, struct err *err)
{
    struct version now = {0}, other = {0};
    if (pinned_store_open(backtest->dir, &backtest->pinned, &backtest->store, err) < 0)
        return -1;
    int result = open_version(backtest, &now, rules, "rules", err);
    if (result == 0 && against)
        result = open_version(backtest, &other, against, "the other version", err);
    cli_progress(true, "%llu findings", (unsigned long long)now.count.findings);
    if (result == 0)
        result = print(backtest, &now, against ? &other : NULL, err);
    close_version(&now);
    close_version(&other);
    return result;
}

int rules_backtest(int argc, char **argv)
{
    struct backtest backtest = {.zone = zone_find(SLICE("UTC")), .examples = 3};
    const char *from = NULL, *to = NULL, *zone = NULL, *against = NULL, *format = NULL, *examples = NULL;
    const struct cli_option options[] = {
        {"--dir", &backtest.dir, NULL}, {"--from", &from, NULL},       {"--to", &to, NULL},
        {"--tz", &zone, NULL},          {"--against", &against, NULL}, {"--format", &format, NULL},
        {"--examples", &examples, NULL},
    };
    struct cli_words words;
    struct err err;
    int status = cli_parse("rules backtest", argc, argv, options, ARRAY_COUNT(options), &words);
    if (status == 0)
        status = cli_check_text("rules backtest", zone, NULL);
    if (status == 0)
        status = admin_format("rules backtest", format, &backtest.format);
    if (status == 0)
        status = admin_time("rules backtest", "--from", from, &backtest.from_ns);
    if (status == 0)
        status = admin_time("rules backtest", "--to", to, &backtest.to_ns);
    if (status)
        return status;
    if (!backtest.dir)
        return cli_usage("rules backtest", "name the data folder: --dir DATA");
    if (backtest.format != OUTPUT_TABLE && backtest.format != OUTPUT_JSONL)
        return cli_usage("rules backtest", "--format is table or jsonl");
    if (zone && *zone)
        backtest.zone = zone_find(slice_text(zone));
    int64_t count = 0;
    if (examples && (!slice_to_i64(slice_text(examples), &count) || count < 0 || count > BACKTEST_EXAMPLES_MAX))
        return cli_usage("rules backtest", "--examples is a number from 0 to %d", BACKTEST_EXAMPLES_MAX);
    if (examples)
        backtest.examples = (size_t)count;
    backtest.compares = against != NULL;
    int result = run_backtest(&backtest, words.count ? words.words[0] : NULL, against, &err);
    store_close(backtest.store);
    pinned_close(backtest.pinned);
    return result < 0 ? cli_fail(&err) : EXIT_DONE;
}
