/* Files that are followed: see collect/files/watched_logs.h for what is read, collect/files/watched_log.h for how nothing is lost. */
#include "base/limits.h"
#include "base/mem.h"
#include "base/thread.h"
#include "collect/files/folder_watch.h"
#include "collect/files/watched_logs.h"
#include "cut/encoding.h"

#include <poll.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define SCAN_NS (10 * NS_PER_SECOND)        /* all the same, when the kernel tells what changes */
#define SCAN_UNTOLD_NS (2 * NS_PER_SECOND)  /* when it does not */
#define SCAN_SOON_NS (NS_PER_SECOND / 10)   /* after a file came or went: others may, too */
#define SCAN_AGAIN_NS (NS_PER_SECOND / 20)  /* when names moved during one */
#define GATHER_NS (20 * NS_PER_MS)          /* after a write: there may be more */
#define PROBLEM_NS (30 * NS_PER_SECOND)     /* the same sentence again */

struct collector_file {
    struct watched_logs logs; /* first: callbacks come back from its watch */
    struct regex *begins, *continues;
    struct line_join join;
    struct folder_watch *folders;
    size_t untold; /* folders that the kernel does not report */
    int64_t poll_ns; /* 0: as the kernel tells */
    int64_t scan_ns, tick_ns; /* monotonic, when they are due */
    int64_t scanned_ns;       /* monotonic, of the last scan */
    int wake_fd;
    pthread_t thread;
    bool running;
    atomic_bool stop;
    atomic_ulong gaps, open;
    pthread_mutex_t lock; /* of what follows */
    char problem[240];
    int64_t problem_ns;
};

/* ---- what people are told ---- */

static void on_problem(struct log_watch *watch, const char *text)
{
    struct collector_file *collector = (struct collector_file *)(void *)watch;
    int64_t now = clock_mono_ns(clock_real());
    char line[ERR_TEXT_SIZE + COLLECTOR_NAME_MAX + 16];
    pthread_mutex_lock(&collector->lock);
    size_t kept = sizeof(collector->problem) - 1;
    bool again = strncmp(collector->problem, text, kept) == 0 && now - collector->problem_ns < PROBLEM_NS;
    if (!again) {
        snprintf(collector->problem, sizeof(collector->problem), "%s", text);
        collector->problem_ns = now;
    }
    pthread_mutex_unlock(&collector->lock);
    snprintf(line, sizeof(line), "collector %.*s: %s", SLICE_ARG(watch->settings->name), text);
    if (!again && watch->host->note)
        watch->host->note(watch->host->context, line);
}

static void wake(struct log_watch *watch)
{
    const struct collector_file *collector = (const struct collector_file *)(void *)watch;
    uint64_t one = 1;
    (void)!write(collector->wake_fd, &one, sizeof(one)); /* full means that it is awake */
}

/* ---- the thread ---- */

static void on_change(void *context, const char *path, bool written)
{
    struct collector_file *collector = context;
    int64_t soon = collector->logs.watch.now_ns + SCAN_SOON_NS;
    if (written)
        watched_logs_written(&collector->logs, path);
    else if (collector->scan_ns > soon)
        collector->scan_ns = soon;
}

static void on_folder(struct watched_logs *logs, const char *path)
{
    struct collector_file *collector = (struct collector_file *)(void *)logs;
    if (!collector->folders || !folder_watch_add(collector->folders, path))
        collector->untold++;
}

static void scan(struct collector_file *collector)
{
    struct watched_logs *logs = &collector->logs;
    collector->untold = 0;
    watched_logs_scan(logs);
    if (logs->match.problem[0])
        on_problem(&logs->watch, logs->match.problem);
    if (logs->match.left_out)
        on_problem(&logs->watch, "there are more files than one collector follows (COLLECT_FILES_MAX); name fewer, or "
                                 "spread them over several collectors");
    int64_t every = collector->poll_ns ? collector->poll_ns : collector->untold ? SCAN_UNTOLD_NS : SCAN_NS;
    if (watched_logs_are_searching(logs) && every > NS_PER_SECOND)
        every = NS_PER_SECOND;
    collector->scanned_ns = logs->watch.now_ns;
    collector->scan_ns = logs->watch.now_ns + every;
}

static void be_on_time(struct collector_file *collector)
{
    struct watched_logs *logs = &collector->logs;
    logs->watch.now_ns = clock_mono_ns(clock_real());
    if (logs->watch.now_ns >= collector->tick_ns) {
        watched_logs_tick(logs);
        collector->tick_ns = logs->watch.now_ns + NS_PER_SECOND;
        int64_t soon = logs->watch.now_ns + SCAN_SOON_NS;
        if (watched_logs_are_searching(logs) && collector->scan_ns > soon)
            collector->scan_ns = soon;
    }
    if (watched_logs_look_again(logs) && collector->scan_ns > collector->scanned_ns + SCAN_AGAIN_NS)
        collector->scan_ns = collector->scanned_ns + SCAN_AGAIN_NS;
    bool due = logs->watch.now_ns >= collector->scan_ns;
    logs->holds = due && watched_logs_are_waiting(logs);
    if (due && !logs->holds)
        scan(collector);
}

/* Until something is written, answered, or due. */
static void rest(struct collector_file *collector)
{
    struct pollfd watched[2] = {{.fd = collector->wake_fd, .events = POLLIN}, {.fd = -1, .events = POLLIN}};
    static const struct timespec gather = {.tv_nsec = GATHER_NS};
    const struct watched_logs *logs = &collector->logs;
    int64_t until = collector->tick_ns < collector->scan_ns ? collector->tick_ns : collector->scan_ns;
    int64_t wait = until - clock_mono_ns(clock_real());
    uint64_t count;
    if (logs->holds || (logs->watch.flushing && wait > GATHER_NS))
        wait = GATHER_NS;
    if (collector->folders)
        watched[1].fd = folder_watch_fd(collector->folders);
    int ready = poll(watched, 2, wait > 0 ? (int)(wait / NS_PER_MS) + 1 : 0);
    if (watched[0].revents & POLLIN)
        (void)!read(collector->wake_fd, &count, sizeof(count));
    else if (ready > 0)
        nanosleep(&gather, NULL);
    collector->logs.watch.now_ns = clock_mono_ns(clock_real());
    if (ready > 0 && watched[1].revents & POLLIN)
        folder_watch_read(collector->folders);
}

static void *run(void *context)
{
    struct collector_file *collector = context;
    while (!atomic_load(&collector->stop)) {
        be_on_time(collector);
        bool moved = watched_logs_round(&collector->logs);
        atomic_store(&collector->gaps, collector->logs.watch.gaps);
        atomic_store(&collector->open, collector->logs.watch.open.files);
        if (!moved)
            rest(collector);
    }
    return NULL;
}

/* ---- the kind ---- */

static const char *const starts[] = {"beginning", "end", NULL};
static const char *const joins[] = {"auto", "none", NULL};

static const struct collector_option options[] = {
    {"paths", SETTING_LIST, .required = true,
     .summary = "files, folders (the files in them), or patterns with *, ?, [a-z] and ** for any folders"},
    {"exclude", SETTING_LIST, .summary = "patterns of names or whole paths that are left out"},
    {"start", SETTING_CHOICE, "beginning", .choices = starts,
     .summary = "of the files that are there when it runs for the first time; later ones are always read whole"},
    {"olddir", SETTING_PATH,
     .summary = "where rotation moves files to (logrotate's olddir): a folder, from that of the log on when it does not begin with /"},
    {"poll", SETTING_DURATION, .summary = "look that often instead of being told by the kernel: for network file systems"},
    {"encoding", SETTING_TEXT, .summary = "of text that is not UTF-8 and has no byte order mark: CP932, EUC-JP, UTF-16LE"},
    {"join", SETTING_CHOICE, "auto", .choices = joins,
     .summary = "lines that make one record: auto, as decoders know them and by their stamps; none: each is an event"},
    {"record_begins", SETTING_TEXT, .summary = "regex: a line that it matches begins a record, others belong to the one before"},
    {"record_continues", SETTING_TEXT, .summary = "regex: a line that it matches belongs to the record before it"},
    {"unfinished", SETTING_DURATION, "5m",
     .summary = "a last line without its end is taken when nothing was added for so long; 0s: never while the file is in use"},
};

static int make_join(const struct collector_settings *settings, struct collector_file *collector, struct err *err)
{
    struct slice begins = settings_text(settings, "record_begins"), goes_on = settings_text(settings, "record_continues");
    if (begins.ptr && goes_on.ptr)
        return err_set(err, ERR_CONFIG, "record_begins and record_continues exclude each other; leave one out");
    if ((begins.ptr && regex_new(begins, 0, &collector->begins, err) < 0) ||
        (goes_on.ptr && regex_new(goes_on, 0, &collector->continues, err) < 0))
        return err_within(err, begins.ptr ? "record_begins" : "record_continues");
    collector->join = (struct line_join){.begins = collector->begins, .continues = collector->continues};
    collector->logs.watch.join = begins.ptr || goes_on.ptr ? &collector->join : NULL;
    return 0;
}

static int file_check(const struct collector_settings *settings, struct err *err)
{
    struct collector_file probe = {0};
    struct slice encoding = settings_text(settings, "encoding");
    size_t count;
    const struct slice *paths = settings_list(settings, "paths", &count);
    for (size_t i = 0; i < count; i++)
        if (!slice_starts(paths[i], SLICE("/")))
            return err_set(err, ERR_CONFIG, "%.*s: '%.*s' must begin with /: relative to what is not known",
                           SLICE_ARG(settings->name), SLICE_ARG(paths[i]));
    if (encoding.ptr && !encoding_is_known(encoding))
        return err_set(err, ERR_CONFIG, "%.*s: the encoding '%.*s' is not known; it is a name such as CP932",
                       SLICE_ARG(settings->name), SLICE_ARG(encoding));
    int result = make_join(settings, &probe, err);
    regex_free(probe.begins);
    regex_free(probe.continues);
    return result < 0 ? err_within(err, "%s", settings_name(settings)) : 0;
}

static void fill_logs(struct collector_file *collector, const struct collector_host *host,
                      const struct collector_settings *settings)
{
    struct watched_logs *logs = &collector->logs;
    bool joins_none = slice_is(settings_text(settings, "join"), "none");
    static const struct line_join each_line = {0};
    logs->watch.host = host;
    logs->watch.settings = settings;
    logs->watch.delivery = collector_delivery(host, settings);
    logs->watch.encoding = settings_string(settings, "encoding");
    logs->watch.from_end = slice_is(settings_text(settings, "start"), "end");
    logs->watch.unfinished_ns = settings_number(settings, "unfinished");
    logs->watch.olddir = settings_text(settings, "olddir");
    if (joins_none && !logs->watch.join)
        logs->watch.join = &each_line;
    logs->watch.wake = wake;
    logs->watch.problem = on_problem;
    logs->match.patterns = settings_list(settings, "paths", &logs->match.pattern_count);
    logs->match.exclude = settings_list(settings, "exclude", &logs->match.exclude_count);
    logs->folder = on_folder;
    collector->poll_ns = settings_number(settings, "poll");
}

static int file_open(const struct collector_host *host, const struct collector_settings *settings, void **out,
                     struct err *err)
{
    struct collector_file *collector = mem_calloc(1, sizeof(*collector));
    *out = collector;
    if (!collector)
        return err_nomem(err);
    pthread_mutex_init(&collector->lock, NULL);
    collector->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (make_join(settings, collector, err) < 0)
        return -1;
    fill_logs(collector, host, settings);
    if (collector->wake_fd < 0 || watched_logs_open(&collector->logs, err) < 0)
        return collector->wake_fd < 0 ? err_nomem(err) : -1;
    if (!collector->poll_ns && !(collector->folders = folder_watch_open(on_change, collector)))
        on_problem(&collector->logs.watch, "the kernel cannot report what changes in folders (fs.inotify.max_user_instances); "
                                           "they are looked at every two seconds");
    if (thread_start(&collector->thread, run, collector) != 0)
        return err_set(err, ERR_IO, "no thread can be started");
    collector->running = true;
    return 0;
}

static void file_stop(void *self)
{
    struct collector_file *collector = self;
    atomic_store(&collector->stop, true);
    if (collector->running) {
        wake(&collector->logs.watch);
        pthread_join(collector->thread, NULL);
    }
    collector->running = false;
}

static void file_free(void *self)
{
    struct collector_file *collector = self;
    watched_logs_close(&collector->logs);
    folder_watch_close(collector->folders);
    regex_free(collector->begins);
    regex_free(collector->continues);
    if (collector->wake_fd >= 0)
        close(collector->wake_fd);
    pthread_mutex_destroy(&collector->lock);
    mem_free(collector);
}

static void file_count(void *self, struct collector_counts *out)
{
    struct collector_file *collector = self;
    out->gaps = atomic_load(&collector->gaps);
    out->open = atomic_load(&collector->open);
    pthread_mutex_lock(&collector->lock);
    memcpy(out->problem, collector->problem, sizeof(out->problem));
    pthread_mutex_unlock(&collector->lock);
}

const struct collector_kind collector_file = {
    .name = "file",
    .summary = "files that are followed while they grow and are rotated; Windows event logs (.evtx); packed files",
    .details = "Rotation by renaming, by copying and emptying, and by packing is understood; what a file still held when it was "
               "moved away is read first. Where reading stopped is stored together with the events, so neither a crash nor a "
               "restart loses or doubles a line. gzip, zstd, bzip2 and xz are unpacked, UTF-16 is known by its mark.",
    .options = options,
    .option_count = ARRAY_COUNT(options),
    .check = file_check,
    .open = file_open,
    .stop = file_stop,
    .free = file_free,
    .counts = file_count,
};
