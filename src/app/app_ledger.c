/*
 * hinomi ledger: the books, as far as they are in the manifest (what is only in a server's memory is
 * not in them yet, on neither side). Reads only, also beside a running server.
 */
#include "app/admin.h"
#include "app/listing.h"
#include "base/file.h"
#include "collect/drop.h"
#include "store/store.h"

#include <stdio.h>
#include <stdlib.h>

static const char *const drop_columns[DROP_PLACES] = {"lost_in_kernel", "lost_in_queue", "lost_in_parsing"};

enum by { BY_BOTH, BY_SOURCE, BY_MINUTE };

struct ledger_command {
    const char *dir;
    int64_t from_ns, to_ns;
    enum by by;
    enum output_format format;
    struct ledger books;   /* what lies in the range, summed as asked */
    uint64_t unbalanced;   /* entries of a source and minute (or day) */
    struct ledger_counts sum;
    bool failed;
};

/* Balance is asked of every entry; sums could hide two errors that cancel out. */
static void take_entry(void *context, const struct ledger_entry *entry)
{
    struct ledger_command *command = context;
    int64_t time_ns = entry->minute * NS_PER_MINUTE;
    if (time_ns < command->from_ns || time_ns >= command->to_ns)
        return;
    command->unbalanced += ledger_difference(&entry->counts) != 0;
    ledger_counts_add(&command->sum, &entry->counts);
    struct ledger_entry key = *entry;
    if (command->by == BY_SOURCE) {
        key.minute = 0;
        key.is_day = false;
    } else if (command->by == BY_MINUTE) {
        key.source = SLICE("");
    }
    if (!ledger_add_entry(&command->books, &key))
        command->failed = true;
}

static int compare(const void *a, const void *b)
{
    const struct ledger_entry *x = *(const struct ledger_entry *const *)a;
    const struct ledger_entry *y = *(const struct ledger_entry *const *)b;
    if (x->minute != y->minute)
        return x->minute < y->minute ? -1 : 1;
    return slice_compare(x->source, y->source);
}

struct sorted {
    const struct ledger_entry **entries;
    size_t count;
};

static void gather(void *context, const struct ledger_entry *entry)
{
    struct sorted *sorted = context;
    sorted->entries[sorted->count++] = entry;
}

static void put_entry(const struct ledger_command *command, const struct ledger_entry *entry,
                      struct listing *listing)
{
    listing_row(listing);
    if (command->by != BY_SOURCE) {
        listing_time(listing, "time", entry->minute * NS_PER_MINUTE);
        listing_text(listing, "span", entry->is_day ? SLICE("day") : SLICE("minute"));
    }
    if (command->by != BY_MINUTE)
        listing_text(listing, "source", entry->source);
    listing_i64(listing, "received", (int64_t)entry->counts.received);
    listing_i64(listing, "stored", (int64_t)entry->counts.stored);
    listing_i64(listing, "quarantined", (int64_t)entry->counts.quarantined);
    for (int i = 0; i < DROP_PLACES; i++)
        listing_i64(listing, drop_columns[i], (int64_t)entry->counts.dropped[i]);
    listing_i64(listing, "difference", ledger_difference(&entry->counts));
}

static int print(struct ledger_command *command, struct err *err)
{
    struct listing listing;
    struct sorted sorted = {0};
    if (listing_init(&listing, err) < 0)
        return -1;
    sorted.entries = arena_array(listing.arena, command->books.entries.count + 1, sizeof(*sorted.entries));
    int result = sorted.entries ? 0 : err_nomem(err);
    if (result == 0) {
        ledger_each(&command->books, gather, &sorted);
        qsort(sorted.entries, sorted.count, sizeof(*sorted.entries), compare);
        for (size_t i = 0; i < sorted.count; i++)
            put_entry(command, sorted.entries[i], &listing);
        result = listing_print(&listing, command->format, err);
    }
    listing_close(&listing);
    return result;
}

static int read_books(struct ledger_command *command, struct err *err)
{
    char path[ADMIN_PATH_MAX];
    struct store *store;
    struct ledger ledger;
    struct store_config config = {.dir = admin_path(command->dir, "store", path), .read_only = true};
    if (!file_is_dir(path))
        return err_set(err, ERR_NOT_FOUND, "there is no store in %s", command->dir);
    if (store_open(&config, &store, err) < 0)
        return -1;
    int result = store_ledger(store, &ledger, err);
    if (result == 0) {
        ledger_each(&ledger, take_entry, command);
        ledger_close(&ledger);
    }
    store_close(store);
    return result == 0 && command->failed ? err_nomem(err) : result;
}

static int run(struct ledger_command *command)
{
    struct err err;
    int result = ledger_init(&command->books, &err);
    if (result == 0)
        result = read_books(command, &err);
    if (result == 0)
        result = print(command, &err);
    ledger_close(&command->books);
    if (result < 0)
        return cli_fail(&err);
    fprintf(stderr, "%llu received, %llu stored, %llu quarantined, %llu lost on arrival: ",
            (unsigned long long)command->sum.received, (unsigned long long)command->sum.stored,
            (unsigned long long)command->sum.quarantined, (unsigned long long)ledger_dropped(&command->sum));
    if (command->unbalanced)
        fprintf(stderr, "the books do not balance in %llu places\n",
                (unsigned long long)command->unbalanced);
    else
        fprintf(stderr, "the books balance\n");
    return command->unbalanced ? EXIT_FAILED : EXIT_DONE;
}

int app_ledger(int argc, char **argv)
{
    struct ledger_command command = {.from_ns = INT64_MIN, .to_ns = INT64_MAX};
    const char *from = NULL, *to = NULL, *by = NULL, *format = NULL;
    const struct cli_option options[] = {{"--dir", &command.dir, NULL},
                                         {"--from", &from, NULL},
                                         {"--to", &to, NULL},
                                         {"--by", &by, NULL},
                                         {"--format", &format, NULL}};
    struct cli_words words;
    int status = cli_parse("ledger", argc, argv, options, ARRAY_COUNT(options), &words);
    if (status || (status = admin_format("ledger", format, &command.format)) ||
        (status = admin_time("ledger", "--from", from, &command.from_ns)) ||
        (status = admin_time("ledger", "--to", to, &command.to_ns)))
        return status;
    if (words.count)
        return cli_usage("ledger", "'%s' is one word too many", words.words[0]);
    if (!command.dir)
        return cli_usage("ledger", "--dir needs the data folder");
    if (by && strcmp(by, "source") != 0 && strcmp(by, "minute") != 0)
        return cli_usage("ledger", "--by is source or minute, not '%s'", by);
    command.by = !by ? BY_BOTH : strcmp(by, "source") == 0 ? BY_SOURCE : BY_MINUTE;
    return run(&command);
}
