/*
 * hinomi verify: every checksum of a data folder. Reads only, also beside a running server: journal
 * files are listed before the manifest is read, so that nothing between the two can be missed; a
 * segment that is gone because it was merged is looked for in the next manifest.
 */
#include "app/admin.h"
#include "app/report.h"
#include "app/verify_memory.h"
#include "base/file.h"
#include "base/io.h"
#include "base/time.h"
#include "respond/incidents/incident_chain.h"
#include "store/journal.h"
#include "store/segment_verify.h"

#include <stdio.h>
#include <unistd.h>

enum { ROUNDS_MAX = 32 };
#define MANIFEST_ARENA_MAX (2 * GIB)

struct verify {
    struct report report;
    const char *dir;
    const char *path; /* of the segment being read */
    struct arena *done_arena;
    struct map done;  /* segments that were looked at, by file id */
    struct segment_verifier segments;
    uint64_t files, events;
    uint64_t journal_base, journal_files; /* the oldest position kept */
    uint64_t journal_damages, journal_events;
    const char *journal_last;
};

/* ---- segments ---- */

static void on_damage(void *context, const struct segment_damage *damage)
{
    struct verify *verify = context;
    char from[TIME_TEXT_SIZE], to[TIME_TEXT_SIZE];
    from[time_format(damage->time_min, from)] = '\0';
    to[time_format(damage->time_max, to)] = '\0';
    report_line(&verify->report, REPORT_FAIL, "segment",
                "%s: block %u, column %.*s, bytes %llu to %llu: %s (%u events from %s to %s)",
                verify->path, damage->block, SLICE_ARG(damage->column),
                (unsigned long long)damage->from, (unsigned long long)damage->to, damage->reason,
                damage->rows, from, to);
}

/* 1 when it was read, 0 when it is gone (perhaps merged meanwhile), -1 memory. */
static int verify_one(struct verify *verify, const struct manifest *manifest,
                      const struct segment_info *info, bool last_round, struct err *err)
{
    char dir[ADMIN_PATH_MAX], path[2 * ADMIN_PATH_MAX];
    struct err why;
    if (!manifest_segment_path(manifest, admin_path(verify->dir, "store/segments", dir), info, path,
                               sizeof(path)))
        return err_set(err, ERR_CORRUPT, "segment %llu lies in no folder", (unsigned long long)info->number);
    verify->path = path;
    if (segment_verify(io_real(), path, info, &verify->segments, &why) < 0) {
        if (why.code == ERR_NOMEM) {
            *err = why;
            return -1;
        }
        if (why.code == ERR_NOT_FOUND && !last_round)
            return 0;
        report_line(&verify->report, REPORT_FAIL, "segment", "%s", why.text);
    }
    verify->files++;
    verify->events += info->rows;
    struct slice id = arena_copy(verify->done_arena, slice_of(&info->file_id, sizeof(info->file_id)));
    return id.ptr && map_put(&verify->done, id, verify) == 0 ? 1 : err_nomem(err);
}

/* 1 when some segment of this manifest was gone and the next one must tell, 0 when done. */
static int verify_segments(struct verify *verify, const struct manifest *manifest, bool last_round,
                           struct err *err)
{
    int again = 0;
    for (size_t i = 0; i < manifest->segment_count; i++) {
        const struct segment_info *info = &manifest->segments[i];
        if (map_has(&verify->done, slice_of(&info->file_id, sizeof(info->file_id))))
            continue;
        cli_progress(false, "segment %zu of %zu", i + 1, manifest->segment_count);
        int read = verify_one(verify, manifest, info, last_round, err);
        if (read < 0)
            return -1;
        again |= read == 0;
    }
    return again;
}

/* The journal must reach back to where the segments end: what lies between is nowhere. */
static void check_join(struct verify *verify, const struct manifest *manifest)
{
    if (verify->journal_files && verify->journal_base > manifest->covered_position)
        report_line(&verify->report, REPORT_FAIL, "journal",
                    "positions %llu to %llu are neither in segments nor in the journal",
                    (unsigned long long)manifest->covered_position,
                    (unsigned long long)verify->journal_base);
}

static int read_round(struct verify *verify, int round, struct err *err)
{
    char path[ADMIN_PATH_MAX];
    struct ledger ledger;
    struct arena *arena = arena_new(MANIFEST_ARENA_MAX);
    struct manifest manifest = {.ledger = &ledger};
    bool found = false, last_round = round + 1 == ROUNDS_MAX;
    if (!arena || ledger_init(&ledger, err) < 0) {
        arena_free(arena);
        return err_nomem(err);
    }
    int result = manifest_read(io_real(), admin_path(verify->dir, "store/manifest", path), arena,
                               &manifest, &found, err);
    if (result == 0 && !found)
        result = err_set(err, ERR_NOT_FOUND, "%s is missing: no segment counts without it", path);
    if (result == 0 && round == 0) {
        check_join(verify, &manifest);
        report_line(&verify->report, REPORT_OK, "manifest", "%zu segments; ledger of %zu entries",
                    manifest.segment_count, ledger.entries.count);
    }
    if (result == 0)
        result = verify_segments(verify, &manifest, last_round, err);
    ledger_close(&ledger);
    arena_free(arena);
    return result;
}

static void verify_store(struct verify *verify)
{
    struct err err;
    int again = 1;
    uint64_t failed = verify->report.lines[REPORT_FAIL];
    for (int round = 0; again > 0 && round < ROUNDS_MAX; round++)
        again = read_round(verify, round, &err);
    cli_progress(true, "%llu segments", (unsigned long long)verify->files);
    if (again < 0)
        report_line(&verify->report, REPORT_FAIL, "manifest", "%s", err.text);
    else if (verify->report.lines[REPORT_FAIL] == failed)
        report_line(&verify->report, REPORT_OK, "segments",
                    "%llu files, %llu events, %llu streams, %llu bytes read",
                    (unsigned long long)verify->files, (unsigned long long)verify->events,
                    (unsigned long long)verify->segments.streams,
                    (unsigned long long)verify->segments.bytes);
}

/* ---- journal ---- */

static void report_journal(struct verify *verify, const char *path, const struct journal_check *found)
{
    for (uint64_t i = 0; i < found->damaged_ranges && i < JOURNAL_CHECK_RANGES; i++)
        report_line(&verify->report, REPORT_FAIL, "journal", "%s: bytes %llu to %llu are no record", path,
                    (unsigned long long)found->ranges[i].from, (unsigned long long)found->ranges[i].to);
    if (found->damaged_ranges > JOURNAL_CHECK_RANGES)
        report_line(&verify->report, REPORT_FAIL, "journal", "%s: %llu further ranges", path,
                    (unsigned long long)found->damaged_ranges - JOURNAL_CHECK_RANGES);
}

static int last_file(void *context, const char *path, struct err *err)
{
    struct verify *verify = context;
    (void)err;
    verify->journal_last = arena_string(verify->done_arena, slice_text(path));
    return verify->journal_last ? 0 : err_nomem(err);
}

static int verify_file(void *context, const char *path, struct err *err)
{
    struct verify *verify = context;
    struct journal_check found;
    struct err why;
    (void)err;
    if (journal_check_file(io_real(), path, &found, &why) < 0) {
        if (access(path, F_OK) == 0) /* else the server needs it no more */
            report_line(&verify->report, REPORT_FAIL, "journal", "%s", why.text);
        return 0;
    }
    if (verify->journal_files++ == 0)
        verify->journal_base = found.base;
    verify->journal_events += found.events;
    verify->journal_damages += found.damaged_ranges;
    report_journal(verify, path, &found);
    bool last = strcmp(path, verify->journal_last) == 0;
    if (found.torn_bytes && last)
        report_line(&verify->report, REPORT_WARN, "journal", "%s: the last %llu bytes are a write that was "
                    "not acknowledged", path, (unsigned long long)found.torn_bytes);
    else if (found.torn_bytes)
        report_line(&verify->report, REPORT_FAIL, "journal", "%s: its last %llu bytes are no record", path,
                    (unsigned long long)found.torn_bytes);
    return 0;
}

static void verify_journal(struct verify *verify)
{
    char path[ADMIN_PATH_MAX];
    struct err err;
    admin_path(verify->dir, "journal", path);
    if (file_walk(path, ".journal", last_file, verify, &err) < 0 ||
        file_walk(path, ".journal", verify_file, verify, &err) < 0 ||
        journal_check_keep(admin_path(verify->dir, "journal/keep", path), &err) < 0) {
        report_line(&verify->report, REPORT_FAIL, "journal", "%s", err.text);
        return;
    }
    report_line(&verify->report, REPORT_OK, "journal", "%llu files, %llu events",
                (unsigned long long)verify->journal_files, (unsigned long long)verify->journal_events);
}

/* ---- state.db ---- */

static int walk_audit(void *context, const struct audit_row *row, struct err *err)
{
    return audit_walk_next(context, row, err);
}

static void verify_incidents(struct verify *verify, struct database *database)
{
    struct incident_chain_sum sum;
    struct err err;
    if (incident_chain_check(database, &sum, &err) < 0)
        report_line(&verify->report, REPORT_FAIL, "incidents", "%s", err.text);
    else
        report_line(&verify->report, REPORT_OK, "incidents", "%lld with %lld entries and %lld attachments, all as they were written",
                    (long long)sum.incidents, (long long)sum.entries, (long long)sum.attachments);
}

static void verify_database(struct verify *verify)
{
    char path[ADMIN_PATH_MAX];
    struct err err;
    struct database *database = NULL;
    struct audit_walk walk = {0};
    struct audit_filter all = {0};
    if (access(admin_path(verify->dir, "state.db", path), F_OK) != 0)
        return; /* a store without a server: hinomi import */
    if (database_check(path, &err) < 0 || admin_open(verify->dir, false, &database, &err) < 0)
        report_line(&verify->report, REPORT_FAIL, "state.db", "%s", err.text);
    else if (audit_each(database, &all, walk_audit, &walk, &err) < 0)
        report_line(&verify->report, REPORT_FAIL, "audit", "%s", err.text);
    else
        report_line(&verify->report, REPORT_OK, "state.db", "whole; audit trail of %lld rows unbroken",
                    (long long)walk.rows);
    if (database)
        verify_incidents(verify, database);
    database_close(database);
}

int app_verify(int argc, char **argv)
{
    struct verify verify = {0};
    const struct cli_option options[] = {{"--dir", &verify.dir, NULL}};
    struct cli_words words;
    struct err err;
    char path[ADMIN_PATH_MAX];
    int status = cli_parse("verify", argc, argv, options, ARRAY_COUNT(options), &words);
    if (status)
        return status;
    if (words.count)
        return cli_usage("verify", "'%s' is one word too many", words.words[0]);
    if (!verify.dir)
        return cli_usage("verify", "--dir needs the data folder");
    if (!file_is_dir(admin_path(verify.dir, "store", path))) {
        err_set(&err, ERR_NOT_FOUND, "there is no store in %s", verify.dir);
        return cli_fail(&err);
    }
    verify.done_arena = arena_new(GIB);
    if (!verify.done_arena) {
        err_nomem(&err);
        return cli_fail(&err);
    }
    map_init(&verify.done, verify.done_arena);
    verify.segments = (struct segment_verifier){.damaged = on_damage, .context = &verify};
    verify_journal(&verify);
    verify_store(&verify);
    verify_checkpoints(verify.dir, &verify.report);
    verify_gate(verify.dir, &verify.report);
    verify_database(&verify);
    arena_free(verify.done_arena);
    return report_end(&verify.report);
}
