#include "search/cost.h"

#include "base/json.h"
#include "base/time.h"
#include "search/estimate.h"

#include <inttypes.h>
#include <stdio.h>

void cost_add(struct search_progress *progress, const struct scan_stats *stats)
{
    progress->blocks += stats->blocks;
    progress->blocks_skipped += stats->blocks_skipped;
    progress->bytes_read += stats->bytes_read;
    progress->block_rows += stats->rows_read;
    progress->cpu_ns += stats->cpu_ns;
}

void cost_add_sub(struct search_progress *progress, const struct search_progress *sub)
{
    progress->blocks += sub->blocks;
    progress->blocks_skipped += sub->blocks_skipped;
    progress->bytes_read += sub->bytes_read;
    progress->block_rows += sub->block_rows;
    progress->cpu_ns += sub->cpu_ns;
}

void cost_tell_damage(struct run *run, const struct scan_stats *stats)
{
    uint64_t listed =
        stats->damage_count < SCAN_DAMAGES_MAX ? stats->damage_count : SCAN_DAMAGES_MAX;
    for (uint64_t i = 0; i < listed; i++) {
        const struct scan_damage *damage = &stats->damages[i];
        char from[TIME_TEXT_SIZE], to[TIME_TEXT_SIZE];
        time_format(damage->time_min, from);
        time_format(damage->time_max, to);
        run_message(run, "incomplete", NULL, true,
                    "INCOMPLETE: %" PRIu64 " rows from %s to %s %s%.*s: %s", damage->rows, from, to,
                    damage->column.len ? "lack the column " : "cannot be read",
                    SLICE_ARG(damage->column), damage->reason);
    }
    if (stats->damage_count > listed)
        run_message(run, "incomplete", NULL, true,
                    "INCOMPLETE: %" PRIu64 " more stretches of rows cannot be read; hinomi verify "
                    "names the files",
                    stats->damage_count - listed);
}

void cost_tell_regex(struct run *run)
{
    if (run->scope.regex_limits)
        run_message(run, "regex-limit", NULL, true,
                    "a regular expression took too long on %" PRIu64
                    " values: they count as not matching, and rex and replace() left them as they "
                    "were; make it simpler",
                    run->scope.regex_limits);
}

void cost_print(const struct search_progress *progress, struct buffer *to)
{
    if (progress->blocks)
        buffer_printf(to, "blocks   %" PRIu64 ", %" PRIu64 " of them skipped unread, %" PRIu64
                          " bytes read\n",
                      progress->blocks, progress->blocks_skipped, progress->bytes_read);
}

static void print_pair(struct buffer *to, const char *what, const char *said, const char *real)
{
    buffer_printf(to, "%-9s%20s", what, said);
    if (real)
        buffer_printf(to, "%20s", real);
    buffer_put_char(to, '\n');
}

static void print_numbers(struct buffer *to, const char *what, uint64_t said,
                          const struct search_progress *real, uint64_t was)
{
    char left[32], right[32];
    snprintf(left, sizeof(left), "%" PRIu64, said);
    snprintf(right, sizeof(right), "%" PRIu64, was);
    print_pair(to, what, left, real ? right : NULL);
}

void cost_print_estimate(const struct search_estimate *estimate, const struct search_progress *real,
                         struct buffer *to)
{
    static const struct search_progress none;
    const struct search_progress *was = real ? real : &none;
    char said[32], came[32];
    print_pair(to, "", "estimated", real ? "real" : NULL);
    print_numbers(to, "blocks", estimate->blocks_read, real, was->blocks - was->blocks_skipped);
    print_numbers(to, "rows", estimate->rows, real, was->blocks ? was->block_rows : was->rows_read);
    print_numbers(to, "matched", estimate->rows_matched, real, was->rows_read);
    print_numbers(to, "bytes", estimate->bytes, real, was->bytes_read);
    snprintf(said, sizeof(said), "%.4f", (double)estimate->cpu_ns / 1e9);
    snprintf(came, sizeof(came), "%.4f", (double)was->cpu_ns / 1e9);
    print_pair(to, "cpu s", said, real ? came : NULL);
    if (estimate->may_spill)
        buffer_printf(to, "memory   may need %" PRIu64 " MiB: some of it in a temporary file\n",
                      estimate->held_bytes / MIB);
}

void cost_put_estimate(const struct search_estimate *estimate, struct json *to)
{
    json_put_i64(to, "blocks", (int64_t)estimate->blocks);
    json_put_i64(to, "blocks_read", (int64_t)estimate->blocks_read);
    json_put_i64(to, "rows", (int64_t)estimate->rows);
    json_put_i64(to, "rows_matched", (int64_t)estimate->rows_matched);
    json_put_i64(to, "rows_answer", (int64_t)estimate->rows_answer);
    json_put_i64(to, "bytes", (int64_t)estimate->bytes);
    json_put_i64(to, "cpu_us", estimate->cpu_ns / NS_PER_US);
    json_put_i64(to, "memory", (int64_t)estimate->held_bytes);
    json_put_bool(to, "may_spill", estimate->may_spill);
    json_put_i64(to, "estimate_cpu_us", estimate->took_ns / NS_PER_US);
}
