/* The journal of systemd, followed: its entries in the form of `journalctl -o export`. The cursor of the last entry of a
 * delivery is stored with it, so that reading goes on behind what is durable. */
#include "base/late.h"
#include "base/limits.h"
#include "base/mem.h"
#include "base/thread.h"
#include "collect/collector.h"
#include "collect/remote/journal_entry.h"
#include "collect/remote/late_journal.h"
#include "collect/files/watched_start.h"
#include "cut/journal_export.h"

#include <stdatomic.h>
#include <stdio.h>

enum { CURSOR_BYTES_MAX = 1024, WAIT_MS = 250, RETRY_MS = 20, RETRY_FAILED_MS = 1000 };
#define DELIVERY_BYTES (1 * MIB)

enum answer { ANSWER_NONE, ANSWER_STORED, ANSWER_NOT };

struct collector_journald {
    const struct collector_host *host;
    const struct collector_settings *settings;
    const struct late_journal *api;
    sd_journal *journal;
    char taken[CURSOR_BYTES_MAX]; /* the last entry that is durable; "" none */
    char last[CURSOR_BYTES_MAX];  /* the last one of the delivery being made */
    bool all;                     /* every entry is read, so numbers follow each other */
    struct buffer entry, records;
    pthread_t thread;
    bool running;
    atomic_bool stop;
    pthread_mutex_t lock; /* of what follows */
    pthread_cond_t answered;
    enum answer answer;
    uint64_t gaps, gap_from, gap_to;
    char problem[240];
};

PRINTF_LIKE(2, 3) static void say(struct collector_journald *collector, const char *format, ...)
{
    char text[ERR_TEXT_SIZE], line[ERR_TEXT_SIZE + COLLECTOR_NAME_MAX + 16];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    pthread_mutex_lock(&collector->lock);
    bool again = strncmp(collector->problem, text, sizeof(collector->problem) - 1) == 0;
    snprintf(collector->problem, sizeof(collector->problem), "%.239s", text);
    pthread_mutex_unlock(&collector->lock);
    snprintf(line, sizeof(line), "collector %.*s: %s", SLICE_ARG(collector->settings->name), text);
    if (!again && collector->host->note)
        collector->host->note(collector->host->context, line);
}

static void pause_ms(struct collector_journald *collector, int ms)
{
    static const struct timespec step = {.tv_nsec = 10 * NS_PER_MS};
    for (int i = 0; i < ms / 10 && !atomic_load(&collector->stop); i++)
        nanosleep(&step, NULL);
}

/* ---- entries ---- */

static void put_number(struct buffer *to, const char *name, uint64_t number)
{
    buffer_printf(to, "%s=%llu\n", name, (unsigned long long)number);
}

/* The entry that the journal stands at. */
static int make_entry(struct collector_journald *collector)
{
    const struct late_journal *api = collector->api;
    struct buffer *to = &collector->entry;
    uint64_t real = 0, monotonic = 0;
    sd_id128_t boot;
    char *cursor = NULL;
    const void *data;
    size_t len;
    buffer_clear(to);
    if (api->get_cursor(collector->journal, &cursor) < 0)
        return -1;
    snprintf(collector->last, sizeof(collector->last), "%s", cursor);
    late_free(cursor);
    buffer_printf(to, "__CURSOR=%s\n", collector->last);
    if (api->get_realtime_usec(collector->journal, &real) >= 0)
        put_number(to, "__REALTIME_TIMESTAMP", real);
    if (api->get_monotonic_usec(collector->journal, &monotonic, &boot) >= 0)
        put_number(to, "__MONOTONIC_TIMESTAMP", monotonic);
    api->restart_data(collector->journal);
    while (api->enumerate_available_data(collector->journal, &data, &len) > 0)
        journal_entry_put(to, slice_of(data, len));
    return buffer_failed(to) ? -1 : 0;
}

/* Numbers that no entry has between the one before and this one. */
static void count_gap(struct collector_journald *collector, struct slice before)
{
    struct slice old_counting, counting;
    uint64_t old_number, number;
    if (!collector->all || !journal_cursor_number(before, &old_counting, &old_number) ||
        !journal_cursor_number(slice_text(collector->last), &counting, &number) ||
        !slice_equal(old_counting, counting) || number <= old_number + 1)
        return;
    uint64_t missing = number - old_number - 1;
    pthread_mutex_lock(&collector->lock);
    collector->gaps += missing;
    collector->gap_from = old_number + 1;
    collector->gap_to = number - 1;
    pthread_mutex_unlock(&collector->lock);
    say(collector, "%llu entries before number %llu are missing in the journal: removed before they were read, or in a "
                   "journal of a user that may not be read", (unsigned long long)missing, (unsigned long long)number);
}

static void put_entry(struct collector_journald *collector, struct delivery *delivery)
{
    struct journal_export state = {0};
    struct journal_record record;
    struct slice text = buffer_slice(&collector->entry);
    size_t used;
    while (journal_export_next(&state, text, true, EVENT_BYTES_MAX, &used, &record)) {
        delivery_put_record(&collector->records, record.bytes, record.part ? SLICE("part=1") : SLICE(""));
        delivery->event_count++;
        text = slice_from(text, used);
    }
}

/* Entries behind the last ones. */
static int gather(struct collector_journald *collector, struct delivery *delivery)
{
    char before[CURSOR_BYTES_MAX];
    int more = 1;
    buffer_clear(&collector->records);
    snprintf(collector->last, sizeof(collector->last), "%s", collector->taken);
    while (collector->records.len < DELIVERY_BYTES && (more = collector->api->next(collector->journal)) > 0) {
        snprintf(before, sizeof(before), "%s", collector->last);
        if (make_entry(collector) < 0) {
            snprintf(collector->last, sizeof(collector->last), "%s", before);
            say(collector, "an entry of the journal cannot be read, or is over 32 MiB, and was left out");
            continue;
        }
        count_gap(collector, slice_text(before));
        put_entry(collector, delivery);
    }
    return more;
}

/* ---- giving ---- */

static void on_done(void *context, const struct sink_ack *ack)
{
    struct collector_journald *collector = context;
    bool stored = ack->result == SINK_STORED || ack->result == SINK_DUPLICATE;
    pthread_mutex_lock(&collector->lock);
    collector->answer = stored ? ANSWER_STORED : ANSWER_NOT;
    pthread_cond_signal(&collector->answered);
    pthread_mutex_unlock(&collector->lock);
}

static enum answer wait_answer(struct collector_journald *collector)
{
    pthread_mutex_lock(&collector->lock);
    while (collector->answer == ANSWER_NONE)
        pthread_cond_wait(&collector->answered, &collector->lock);
    enum answer answer = collector->answer;
    pthread_mutex_unlock(&collector->lock);
    return answer;
}

/* Until it is durable, or the collector is to stop. */
static void give(struct collector_journald *collector, struct delivery *delivery)
{
    struct err err;
    delivery->body = buffer_slice(&collector->records);
    delivery->cursor = slice_text(collector->last);
    while (!atomic_load(&collector->stop)) {
        collector->answer = ANSWER_NONE;
        delivery->received_ns = clock_wall_ns(collector->host->sink->clock);
        if (sink_take(collector->host->sink, delivery, on_done, collector, &err) < 0) {
            if (err.code != ERR_LIMIT)
                say(collector, "what was read could not be stored and is given again: %s", err.text);
            pause_ms(collector, err.code == ERR_LIMIT ? RETRY_MS : RETRY_FAILED_MS);
            continue;
        }
        if (wait_answer(collector) == ANSWER_STORED) {
            snprintf(collector->taken, sizeof(collector->taken), "%s", collector->last);
            return;
        }
        say(collector, "what was read could not be stored and is given again");
        pause_ms(collector, RETRY_FAILED_MS);
    }
}

static void *run(void *context)
{
    struct collector_journald *collector = context;
    while (!atomic_load(&collector->stop)) {
        struct delivery delivery = collector_delivery(collector->host, collector->settings);
        int more = gather(collector, &delivery);
        if (more < 0)
            say(collector, "the journal cannot be read: %s", strerror(-more));
        if (buffer_failed(&collector->records))
            say(collector, "out of memory: entries of the journal wait");
        else if (delivery.event_count)
            give(collector, &delivery);
        if (more <= 0)
            collector->api->wait(collector->journal, (uint64_t)WAIT_MS * 1000);
        if (more < 0)
            pause_ms(collector, RETRY_FAILED_MS);
    }
    return NULL;
}

/* ---- opening ---- */

static int failed(int code, const char *what, struct err *err)
{
    return err_set_errno(err, -code, "cannot %s the journal", what);
}

static int add_match(struct collector_journald *collector, struct slice text, struct err *err)
{
    int code = collector->api->add_match(collector->journal, text.ptr, text.len);
    return code < 0 ? err_set(err, ERR_CONFIG, "'%.*s' is no match of the journal: it is FIELD=value, with the field in "
                              "capital letters", SLICE_ARG(text)) : 0;
}

/* What a unit wrote, and what systemd wrote about it. */
static int add_units(struct collector_journald *collector, const struct slice *units, size_t count, struct err *err)
{
    struct arena *arena = arena_new(MIB);
    int result = arena ? 0 : err_nomem(err);
    for (int about = 0; result == 0 && about < 2; about++) {
        for (size_t i = 0; result == 0 && i < count; i++) {
            const char *ending = slice_find_char(units[i], '.') < 0 ? ".service" : "";
            result = add_match(collector, arena_printf(arena, "%s=%.*s%s", about ? "UNIT" : "_SYSTEMD_UNIT",
                                                       SLICE_ARG(units[i]), ending), err);
        }
        if (result == 0 && about)
            result = add_match(collector, SLICE("_PID=1"), err);
        else if (result == 0)
            collector->api->add_disjunction(collector->journal);
    }
    arena_free(arena);
    return result;
}

static int add_matches(struct collector_journald *collector, struct err *err)
{
    size_t match_count, unit_count;
    const struct slice *matches = settings_list(collector->settings, "matches", &match_count);
    const struct slice *units = settings_list(collector->settings, "units", &unit_count);
    collector->all = !match_count && !unit_count;
    for (size_t i = 0; i < match_count; i++)
        if (add_match(collector, matches[i], err) < 0)
            return -1;
    if (match_count && unit_count)
        collector->api->add_conjunction(collector->journal);
    return unit_count ? add_units(collector, units, unit_count, err) : 0;
}

/* The newest entry there is; "" when there is none. */
static int find_tail(struct collector_journald *collector)
{
    char *cursor = NULL;
    int code = collector->api->seek_tail(collector->journal);
    if (code >= 0)
        code = collector->api->previous(collector->journal);
    if (code > 0 && (code = collector->api->get_cursor(collector->journal, &cursor)) >= 0) {
        snprintf(collector->taken, sizeof(collector->taken), "%s", cursor);
        late_free(cursor);
    }
    return code;
}

/* Where a collector that starts at the end stood when it ran first. */
static int first_place(struct collector_journald *collector, struct err *err)
{
    struct watched_start start = {0};
    struct buffer entry;
    int result = watched_start_open(&start, collector->host->data_dir, settings_name(collector->settings), err);
    buffer_init(&entry, 2 * CURSOR_BYTES_MAX);
    if (result == 0 && start.there) {
        struct slice found = watched_start_find(&start, SLICE("journal"));
        snprintf(collector->taken, sizeof(collector->taken), "%.*s", SLICE_ARG(found));
    } else if (result == 0) {
        int code = find_tail(collector);
        watched_start_put(&entry, SLICE("journal"), slice_text(collector->taken));
        result = code < 0 ? failed(code, "read", err) : watched_start_write(&start, buffer_slice(&entry), err);
    }
    buffer_close(&entry);
    watched_start_close(&start);
    return result;
}

/* Behind the last entry that is durable. */
static int go_to_place(struct collector_journald *collector, struct err *err)
{
    const struct late_journal *api = collector->api;
    if (!collector->taken[0]) {
        int code = api->seek_head(collector->journal);
        return code < 0 ? failed(code, "read", err) : 0;
    }
    int code = api->seek_cursor(collector->journal, collector->taken);
    if (code >= 0)
        code = api->next(collector->journal);
    if (code > 0 && api->test_cursor(collector->journal, collector->taken) <= 0) {
        say(collector, "the entry that was read last is not in the journal any more; reading goes on with the first one "
                       "behind it");
        code = api->previous(collector->journal);
        if (code == 0)
            code = api->seek_head(collector->journal);
    }
    return code < 0 ? failed(code, "go on in", err) : 0;
}

static int find_place(struct collector_journald *collector, struct err *err)
{
    const struct collector_host *host = collector->host;
    struct arena *arena = arena_new(MIB);
    if (!arena)
        return err_nomem(err);
    struct slice cursor = host->cursor(host->context, collector->settings->name, SLICE_NONE, arena);
    bool from_end = slice_is(settings_text(collector->settings, "start"), "end");
    int result = 0;
    if (cursor.ptr)
        snprintf(collector->taken, sizeof(collector->taken), "%.*s", SLICE_ARG(cursor));
    else if (from_end)
        result = first_place(collector, err);
    arena_free(arena);
    return result < 0 ? -1 : go_to_place(collector, err);
}

static int open_journal(struct collector_journald *collector, struct err *err)
{
    const char *directory = settings_string(collector->settings, "directory");
    collector->api = late_journal(err);
    if (!collector->api)
        return -1;
    int code = directory ? collector->api->open_directory(&collector->journal, directory, 0)
                         : collector->api->open(&collector->journal, SD_JOURNAL_LOCAL_ONLY);
    if (code < 0)
        return err_set_errno(err, -code, "cannot open the journal%s%s", directory ? " in " : "", directory ? directory : "");
    collector->api->set_data_threshold(collector->journal, 0);
    return add_matches(collector, err) < 0 ? -1 : find_place(collector, err);
}

/* ---- the kind ---- */

static const char *const starts[] = {"beginning", "end", NULL};

static const struct collector_option options[] = {
    {"directory", SETTING_PATH, .summary = "a folder with journal files; without it the system's journal"},
    {"units", SETTING_LIST, .summary = "only what these units wrote, and what systemd wrote about them: sshd, cron.service"},
    {"matches", SETTING_LIST, .summary = "only entries with these, as FIELD=value: of one field any, of several all"},
    {"start", SETTING_CHOICE, "beginning", .choices = starts,
     .summary = "of the journal as it is when it runs for the first time"},
};

static int journald_open(const struct collector_host *host, const struct collector_settings *settings, void **out,
                         struct err *err)
{
    struct collector_journald *collector = mem_calloc(1, sizeof(*collector));
    *out = collector;
    if (!collector)
        return err_nomem(err);
    collector->host = host;
    collector->settings = settings;
    pthread_mutex_init(&collector->lock, NULL);
    pthread_cond_init(&collector->answered, NULL);
    buffer_init(&collector->entry, JOURNALD_ENTRY_BYTES_MAX);
    buffer_init(&collector->records, JOURNALD_ENTRY_BYTES_MAX + 4 * MIB);
    if (open_journal(collector, err) < 0)
        return -1;
    if (thread_start(&collector->thread, run, collector) != 0)
        return err_set(err, ERR_IO, "no thread can be started");
    collector->running = true;
    return 0;
}

static void journald_stop(void *self)
{
    struct collector_journald *collector = self;
    atomic_store(&collector->stop, true);
    if (collector->running)
        pthread_join(collector->thread, NULL);
    collector->running = false;
}

static void journald_free(void *self)
{
    struct collector_journald *collector = self;
    if (collector->journal)
        collector->api->close(collector->journal);
    buffer_close(&collector->entry);
    buffer_close(&collector->records);
    pthread_cond_destroy(&collector->answered);
    pthread_mutex_destroy(&collector->lock);
    mem_free(collector);
}

static void journald_count(void *self, struct collector_counts *out)
{
    struct collector_journald *collector = self;
    pthread_mutex_lock(&collector->lock);
    out->gaps = collector->gaps;
    out->gap_from = collector->gap_from;
    out->gap_to = collector->gap_to;
    memcpy(out->problem, collector->problem, sizeof(out->problem));
    pthread_mutex_unlock(&collector->lock);
    out->open = 1;
}

const struct collector_kind collector_journald = {
    .name = "journald",
    .summary = "the journal of systemd, followed with libsystemd",
    .details = "Entries come with all their fields, as `journalctl -o export` writes them. The program's user must be allowed to "
               "read the journal (group systemd-journal).",
    .options = options,
    .option_count = ARRAY_COUNT(options),
    .open = journald_open,
    .stop = journald_stop,
    .free = journald_free,
    .counts = journald_count,
};
