#include "search/cost.h"

#include "base/time.h"

#include <inttypes.h>

void cost_add(struct search_progress *progress, const struct scan_stats *stats)
{
    progress->blocks += stats->blocks;
    progress->blocks_skipped += stats->blocks_skipped;
    progress->bytes_read += stats->bytes_read;
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
