/*
 * hinomi rules ledger: the books of each rule as of the last checkpoint; with --verify against the store: what a
 * rule was offered is what was stored of its log sources since it was enabled.
 */
#include "app/admin.h"
#include "app/listing.h"
#include "app/pinned.h"
#include "app/rule_commands.h"
#include "app/rules.h"
#include "base/time.h"
#include "detect/detector.h"
#include "expr/parse.h"
#include "flow/checkpoint.h"
#include "flow/history.h"
#include "store/scan.h"

#include <stdio.h>
#include <unistd.h>

#define ARENA_BYTES_MAX (2 * CHECKPOINT_BYTES_MAX + 64 * MIB)

struct ledger_command {
    const char *dir;
    bool verify;
    enum output_format format;
    struct rulebook *book;
    struct rule_ledger *ledger;
    int64_t time_ns; /* of the newest event at the checkpoint */
    struct arena *arena;
    struct pinned *pinned;
    struct store *store;
    struct snapshot *snapshot;
    struct listing listing;
    size_t wrong, checked;
    /* what was counted last: rules of one log source stand together more often than not */
    const struct rule *counted;
    uint64_t counted_since, counted_rows;
};

static int read_ledger(struct ledger_command *command, struct err *err)
{
    char memory[ADMIN_PATH_MAX];
    struct slice content;
    uint64_t position;
    if (cli_load_server_rules(command->dir, &command->book, err) < 0 ||
        rule_ledger_new(command->book->rules, NULL, &command->ledger, err) < 0 ||
        checkpoint_read(admin_path(command->dir, "memory", memory), command->arena, &position, &content, err) < 0)
        return -1;
    struct slice bytes = detector_snapshot_ledger(content);
    command->time_ns = detector_snapshot_time(content);
    if (!bytes.ptr)
        return err_set(err, ERR_NOT_FOUND, "the last checkpoint in %s has no ledger of the rules; a server writes one", memory);
    return rule_ledger_load(command->ledger, bytes, err);
}

/* ---- against the store ---- */

static int open_store(struct ledger_command *command, struct err *err)
{
    if (pinned_store_open(command->dir, &command->pinned, &command->store, err) < 0)
        return -1;
    command->snapshot = store_snapshot(command->store);
    return command->snapshot ? 0 : err_nomem(err);
}

static bool same_sources(const struct rule *a, const struct rule *b)
{
    if (!a || a->variant_count != b->variant_count)
        return false;
    for (size_t i = 0; i < a->variant_count; i++)
        if (a->variants[i].guard != b->variants[i].guard)
            return false;
    return true;
}

/* Rows between two numbers that any of the rule's log sources selects. */
static const struct expr *rows_of(const struct rule *rule, uint64_t from, uint64_t to, struct arena *arena,
                                  struct err *err)
{
    const struct expr *sources = NULL, *range;
    struct slice text = arena_printf(arena, "hinomi.seq >= %llu AND hinomi.seq <= %llu AND isnull(hinomi.not_detected)",
                                     (unsigned long long)from, (unsigned long long)to);
    bool all = rule->variant_count == 0;
    if (!text.ptr || expr_parse(text, arena, &range, err) < 0)
        return NULL;
    for (size_t i = 0; i < rule->variant_count; i++) {
        all |= !rule->variants[i].guard;
        sources = rule->variants[i].guard ? expr_or(arena, sources, rule->variants[i].guard) : sources;
    }
    const struct expr *seen = history_seen_by_rules(range, arena);
    const struct expr *both = !seen ? NULL : all ? seen : expr_and(arena, seen, sources);
    if (!both)
        err_nomem(err);
    return both;
}

static int count_rows(struct ledger_command *command, const struct rule *rule, uint64_t since, uint64_t *out,
                      struct err *err)
{
    struct arena *arena = arena_new(64 * MIB);
    struct scan *scan;
    struct scan_rows rows;
    int more = -1;
    *out = 0;
    if (!arena)
        return err_nomem(err);
    const struct expr *filter = rows_of(rule, since, rule_ledger_seq(command->ledger), arena, err);
    struct scan_request request = {.filter = filter};
    if (filter && scan_open(command->snapshot, &request, &scan, err) == 0) {
        while ((more = scan_next(scan, &rows, err)) > 0)
            *out += rows.selected_count;
        scan_close(scan);
    }
    arena_free(arena);
    return more;
}

static int verify_rule(struct ledger_command *command, const struct rule *rule, const struct rule_tally *tally,
                       uint64_t *stored, struct err *err)
{
    if (!same_sources(command->counted, rule) || command->counted_since != tally->since_seq) {
        if (count_rows(command, rule, tally->since_seq, &command->counted_rows, err) < 0)
            return -1;
        command->counted = rule;
        command->counted_since = tally->since_seq;
    }
    *stored = command->counted_rows;
    command->checked++;
    command->wrong += *stored != tally->offered;
    return 0;
}

/* ---- printing ---- */

static int put_rule(struct ledger_command *command, const struct rule *rule, struct err *err)
{
    struct listing *listing = &command->listing;
    struct rule_tally tally = rule_ledger_get(command->ledger, rule);
    struct slice blind = rule_ledger_blind(command->ledger, rule, command->time_ns, listing->arena);
    uint64_t stored = 0;
    bool verify = command->verify && tally.since_seq && rule->variant_count;
    if (verify && verify_rule(command, rule, &tally, &stored, err) < 0)
        return -1;
    listing_row(listing);
    listing_text(listing, "rule", rule->title);
    listing_time(listing, "since", tally.since_ns);
    listing_i64(listing, "offered", (int64_t)tally.offered);
    if (verify) {
        listing_i64(listing, "stored", (int64_t)stored);
        listing_text(listing, "balance", stored == tally.offered ? SLICE("ok") : SLICE("differs"));
    }
    listing_i64(listing, "evaluated", (int64_t)tally.evaluated);
    listing_i64(listing, "matched", (int64_t)tally.matched);
    listing_i64(listing, "findings", (int64_t)tally.findings);
    listing_i64(listing, "errors", (int64_t)tally.errors);
    listing_i64(listing, "keys", (int64_t)tally.memory.keys);
    listing_i64(listing, "forgotten", (int64_t)(tally.memory.evicted + tally.memory.cut));
    listing_i64(listing, "late", (int64_t)tally.memory.late);
    listing_i64(listing, "left_out", (int64_t)tally.memory.left_out);
    listing_i64(listing, "ns_per_event", tally.offered ? (int64_t)(tally.cost_ns / tally.offered) : 0);
    listing_time(listing, "last_match", tally.last_matched_ns == RULE_TIME_NEVER ? 0 : tally.last_matched_ns);
    listing_text(listing, "blind", blind.ptr ? blind : SLICE(""));
    listing_text(listing, "id", rule->name);
    return 0;
}

static int put_rules(struct ledger_command *command, struct err *err)
{
    if (read_ledger(command, err) < 0 || (command->verify && open_store(command, err) < 0) ||
        listing_init(&command->listing, err) < 0)
        return -1;
    int result = 0;
    for (size_t i = 0; result == 0 && i < command->book->rules->count; i++)
        if (command->book->rules->rules[i]->status == RULE_ACTIVE)
            result = put_rule(command, command->book->rules->rules[i], err);
    if (result == 0)
        result = listing_print(&command->listing, command->format, err);
    listing_close(&command->listing);
    return result;
}

int rules_ledger(int argc, char **argv)
{
    struct ledger_command command = {0};
    const char *format = NULL;
    const struct cli_option options[] = {{"--dir", &command.dir, NULL}, {"--format", &format, NULL},
                                         {"--verify", NULL, &command.verify}};
    struct cli_words words;
    struct err err;
    int status = cli_parse("rules ledger", argc, argv, options, ARRAY_COUNT(options), &words);
    if (status == 0)
        status = admin_format("rules ledger", format, &command.format);
    if (status)
        return status;
    if (!command.dir || words.count)
        return cli_usage("rules ledger", "name the data folder: --dir DATA");
    command.arena = arena_new(ARENA_BYTES_MAX);
    int result = command.arena ? put_rules(&command, &err) : err_nomem(&err);
    cli_flush();
    rule_ledger_free(command.ledger);
    rulebook_release(command.book);
    store_snapshot_release(command.snapshot);
    store_close(command.store);
    pinned_close(command.pinned);
    arena_free(command.arena);
    if (result < 0)
        return cli_fail(&err);
    if (command.verify)
        fprintf(stderr, "hinomi: %zu of %zu rules were offered what is stored of their log sources\n",
                command.checked - command.wrong, command.checked);
    return command.wrong ? EXIT_FAILED : EXIT_DONE;
}
