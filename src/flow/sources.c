#include "flow/source_entry.h"

#include "base/file.h"
#include "base/hash.h"
#include "base/io.h"
#include "base/mem.h"
#include "cut/url.h"
#include "event/delivery.h"
#include "event/schema.h"

#include <math.h>
#include <stdio.h>
#include <unistd.h>
#include <stdlib.h>
#include <string.h>

enum { CORRECTED_LEAST_S = 2 }; /* stamps of whole seconds say no more */
enum { TICK_S = 10, SAVE_S = 60, ASLEEP_S = 600 };
#define SCRATCH_MAX (64 * MIB)

/* ---- life ---- */

static void note(struct sources *sources, const char *text)
{
    if (sources->config.note)
        sources->config.note(sources->config.context, text);
}

static int read_file(struct sources *sources, struct err *err)
{
    struct slice bytes;
    struct err why;
    char text[ERR_TEXT_SIZE + 96];
    if (!sources->config.path || access(sources->config.path, F_OK) != 0) /* the first start */
        return 0;
    int result = file_read(sources->config.path, SOURCES_BYTES_MAX, sources->scratch, &bytes, &why);
    if (result == 0)
        result = source_file_read(sources, bytes, &why);
    if (result == 0)
        return 0;
    if (why.code == ERR_NOMEM) {
        *err = why;
        return -1;
    }
    snprintf(text, sizeof(text), "the rhythm of the sources is learned anew: %s", why.text);
    note(sources, text);
    return 0;
}

static int open_parts(struct sources *sources, struct err *err)
{
    int64_t now = clock_wall_ns(sources->config.clock);
    const struct source_entry everything = {.kind = SOURCE_EVERYTHING};
    sources->names = arena_new(SCRATCH_MAX);
    sources->scratch = arena_new(SOURCES_BYTES_MAX + SCRATCH_MAX);
    if (!sources->names || !sources->scratch)
        return err_nomem(err);
    if (source_words_init(&sources->words, err) < 0)
        return -1;
    map_init(&sources->by_key, sources->names);
    if (read_file(sources, err) < 0)
        return -1;
    for (size_t i = 0; i < sources->count; i++)
        rhythm_resume(&sources->list[i]->rhythm, now);
    sources->ticked_ns = sources->saved_ns = now;
    return source_entry_get(sources, &everything, now) ? 0 : err_nomem(err);
}

int sources_open(const struct sources_config *config, struct sources **out, struct err *err)
{
    *out = NULL;
    struct sources *sources = mem_calloc(1, sizeof(*sources));
    if (!sources)
        return err_nomem(err);
    sources->config = *config;
    if (!config->save_ns)
        sources->config.save_ns = SAVE_S * NS_PER_SECOND;
    pthread_mutex_init(&sources->lock, NULL);
    if (open_parts(sources, err) < 0) {
        sources->config.path = NULL;
        sources_close(sources);
        return -1;
    }
    *out = sources;
    return 0;
}

static void save(struct sources *sources)
{
    struct buffer bytes;
    struct err err;
    char text[ERR_TEXT_SIZE + 96];
    if (!sources->config.path || !sources->changed)
        return;
    buffer_init(&bytes, SOURCES_BYTES_MAX);
    source_file_write(sources, &bytes);
    int result = buffer_failed(&bytes) ? err_nomem(&err)
                                       : io_replace_file(io_real(), sources->config.path, buffer_slice(&bytes), &err);
    buffer_close(&bytes);
    sources->changed = result < 0;
    if (result == 0)
        return;
    snprintf(text, sizeof(text), "what is known of the sources cannot be kept: %s", err.text);
    note(sources, text);
}

void sources_close(struct sources *sources)
{
    if (!sources)
        return;
    save(sources);
    for (size_t i = 0; i < sources->count; i++)
        source_entry_free(sources->list[i]);
    mem_free(sources->list);
    arena_free(sources->names);
    arena_free(sources->scratch);
    arena_free(sources->beats);
    arena_free(sources->clock_names);
    source_words_close(&sources->words);
    pthread_mutex_destroy(&sources->lock);
    mem_free(sources);
}

void sources_tell(struct sources *sources, sources_found found, sources_gap_found gap_found, void *context)
{
    sources->found = found;
    sources->gap_found = gap_found;
    sources->context = context;
}

/* ---- heartbeats ---- */

/* False when memory is out. */
static bool copy_beat(struct arena *arena, const struct heartbeat *from, struct heartbeat *to)
{
    struct slice *any = arena_array(arena, from->any_count + 1, sizeof(*any));
    *to = (struct heartbeat){.source = arena_copy(arena, from->source), .sender = arena_copy(arena, from->sender),
                             .host = arena_copy(arena, from->host), .every_ns = from->every_ns, .any = any};
    for (; any && to->any_count < from->any_count; to->any_count++)
        if (!(any[to->any_count] = arena_copy(arena, from->any[to->any_count])).ptr)
            return false;
    return any && to->source.ptr && to->sender.ptr && to->host.ptr;
}

static int copy_beats(struct sources *sources, const struct heartbeat *list, size_t count, struct err *err)
{
    struct arena *arena = arena_new(16 * MIB);
    struct heartbeat *copy = arena ? arena_array(arena, count + 1, sizeof(*copy)) : NULL;
    for (size_t i = 0; copy && i < count; i++)
        if (!copy_beat(arena, &list[i], &copy[i]))
            copy = NULL;
    if (!copy) {
        arena_free(arena);
        return err_nomem(err);
    }
    arena_free(sources->beats);
    sources->beats = arena;
    sources->heartbeats = copy;
    sources->heartbeat_count = count;
    sources->host_heartbeats = false;
    return 0;
}

static enum source_kind kind_of(const struct heartbeat *beat)
{
    return beat->host.len ? SOURCE_HOST : beat->sender.len ? SOURCE_SENDER : SOURCE_INPUT;
}

int sources_heartbeats(struct sources *sources, const struct heartbeat *list, size_t count, struct err *err)
{
    int64_t now = clock_wall_ns(sources->config.clock);
    pthread_mutex_lock(&sources->lock);
    int result = copy_beats(sources, list, count, err);
    for (size_t i = 0; result == 0 && i < count; i++) {
        const struct heartbeat *beat = &sources->heartbeats[i];
        const struct source_entry like = {.kind = kind_of(beat), .source = beat->source, .sender = beat->sender,
                                          .host = beat->host};
        sources->host_heartbeats |= beat->host.len && !beat->sender.len;
        if (!source_entry_get(sources, &like, now))
            result = err_nomem(err);
    }
    for (size_t i = 0; result == 0 && i < sources->count; i++)
        source_entry_settle(sources, sources->list[i]);
    arena_reset(sources->scratch);
    pthread_mutex_unlock(&sources->lock);
    return result;
}

/* ---- whose it is ---- */

/* Imports come once; what the program itself sends is nobody's. */
static bool is_followed(const struct origin *origin)
{
    return !slice_starts(origin->source, SLICE("hinomi.")) && !slice_is(origin->source, "import");
}

static struct source_entry *find_sender(struct sources *sources, const struct origin *origin, int64_t now_ns)
{
    struct source_entry like = {.kind = SOURCE_SENDER, .source = origin->source};
    if (origin->path.len)
        like.path = origin->path;
    else
        like.sender = origin->sender.len ? origin->sender : origin->identity;
    if (!like.path.len && !like.sender.len)
        like.kind = SOURCE_INPUT;
    if (like.source.len + like.sender.len + like.path.len > SOURCE_NAMES_BYTES)
        like = (struct source_entry){.kind = SOURCE_INPUT, .source = slice_sub(origin->source, 0, SOURCE_NAMES_BYTES)};
    return source_entry_get(sources, &like, now_ns);
}

/* ---- clocks ---- */

int sources_clocks(struct sources *sources, const struct source_clock *list, size_t count, struct err *err)
{
    struct arena *arena = arena_new(MIB);
    struct source_clock *copy = arena ? arena_array(arena, count + 1, sizeof(*copy)) : NULL;
    bool whole = copy;
    for (size_t i = 0; whole && i < count; i++) {
        copy[i] = (struct source_clock){arena_copy(arena, list[i].source), list[i].use};
        whole = copy[i].source.ptr;
    }
    if (!whole) {
        arena_free(arena);
        return err_nomem(err);
    }
    pthread_mutex_lock(&sources->lock);
    arena_free(sources->clock_names);
    sources->clock_names = arena;
    sources->clocks = copy;
    sources->clock_count = count;
    for (size_t i = 0; i < sources->count; i++)
        source_entry_settle(sources, sources->list[i]);
    pthread_mutex_unlock(&sources->lock);
    return 0;
}

static bool is_corrected(const struct sources *sources, struct slice source)
{
    for (size_t i = 0; i < sources->clock_count; i++)
        if (slice_equal(sources->clocks[i].source, source))
            return sources->clocks[i].use == CLOCK_CORRECTED;
    return false;
}

bool sources_clock_begin(struct sources *sources, const struct origin *origin)
{
    struct slice port;
    sources->decoding = *origin; /* borrowed as long as it is decoded */
    if (origin->peer.len)
        url_cut_host(origin->peer, &sources->decoding.sender, &port);
    pthread_mutex_lock(&sources->lock);
    bool corrected = is_corrected(sources, origin->source) && is_followed(origin);
    pthread_mutex_unlock(&sources->lock);
    return corrected;
}

int64_t sources_clock_ahead(void *context, struct slice host)
{
    struct sources *sources = context;
    int64_t ahead_ns = 0;
    pthread_mutex_lock(&sources->lock);
    struct source_entry *entry = find_sender(sources, &sources->decoding, clock_wall_ns(sources->config.clock));
    if (entry && entry->relays) { /* its hosts' clocks are what counts; of a new one nothing is known */
        const struct source_entry like = {.kind = SOURCE_HOST, .source = entry->source, .sender = entry->sender, .host = host};
        struct source_entry *behind = source_entry_find(sources, &like);
        entry = behind ? behind : entry;
    }
    struct clock_skew_found found = entry && !entry->relays ? clock_skew_find(&entry->clock) : (struct clock_skew_found){0};
    if (found.known && llabs(found.skew_ns) >= CORRECTED_LEAST_S * NS_PER_SECOND)
        ahead_ns = found.skew_ns;
    if (entry)
        entry->ahead_ns = ahead_ns;
    arena_reset(sources->scratch);
    pthread_mutex_unlock(&sources->lock);
    return ahead_ns;
}

/* ---- what comes ---- */

enum { HOSTS_CACHED = 64, NAMED_MAX = 4 };

/* Rows that follow each other and came from one sender, and of these the last that are of one host. */
/* What is the same for all of a batch. */
struct look {
    struct number_columns numbers;
    struct source_kinds kinds; /* the first of them is FIELD_DATASET */
    int64_t now_ns;
};

struct run {
    struct look look;
    const struct origin *origin;
    struct source_entry *sender; /* or the input, where there is none; NULL: it is not followed */
    struct source_entry *named[NAMED_MAX]; /* of heartbeats of its token, and of its HTTP port */
    size_t named_count;
    uint32_t begin;
    struct slice host;
    struct source_entry *behind; /* the host, when the sender sends for several; NULL: the sender is all */
    struct source_entry *also;   /* of a heartbeat that is of the host, whoever sends for it */
    uint32_t host_begin;
    uint64_t forgotten;          /* when the cache was begun */
    struct {
        struct slice host;
        struct source_entry *behind;
    } cache[HOSTS_CACHED];       /* by hash */
};

static unsigned delay_bin(int64_t delay_ns)
{
    double ms = (double)delay_ns / (double)NS_PER_MS;
    double at = ms > 1 ? log2(ms) * 2 : 0;
    return at >= SOURCE_DELAY_BINS - 1 ? SOURCE_DELAY_BINS - 1 : (unsigned)at;
}

static void add_delay(struct source_entry *entry, int64_t delay_ns, uint32_t rows)
{
    uint16_t *bin = &entry->delays[delay_bin(delay_ns)];
    if (*bin > UINT16_MAX / 2)
        for (size_t i = 0; i < SOURCE_DELAY_BINS; i++)
            entry->delays[i] /= 2;
    *bin = (uint16_t)(*bin + (rows < 1000 ? rows : 1000));
}

static void add_minute(struct source_entry *entry, int64_t received_ns, uint32_t rows)
{
    int64_t minute = received_ns / NS_PER_MINUTE;
    if (minute - entry->newest_minute >= SOURCE_RATE_MINUTES)
        memset(entry->minutes, 0, sizeof(entry->minutes));
    else
        for (int64_t at = entry->newest_minute + 1; at <= minute; at++)
            entry->minutes[at % SOURCE_RATE_MINUTES] = 0;
    if (minute > entry->newest_minute)
        entry->newest_minute = minute;
    if (entry->newest_minute - minute < SOURCE_RATE_MINUTES)
        entry->minutes[minute % SOURCE_RATE_MINUTES] += rows;
}

static void count_row(struct source_entry *entry, const struct event_row *row)
{
    entry->counts.events++;
    entry->counts.bytes += row->raw.len;
    entry->counts.not_understood += (row->flags & EVENT_NOT_UNDERSTOOD) != 0;
    entry->counts.quarantined += (row->flags & EVENT_QUARANTINED) != 0;
    entry->counts.decode_errors += (row->flags & EVENT_DECODE_ERROR) != 0;
    if (row->flags & (EVENT_TIME_GUESSED | EVENT_QUARANTINED))
        return;
    if (__builtin_sub_overflow(row->received_ns, row->time_ns, &entry->lag_ns))
        entry->lag_ns = 0;
    int64_t stamp_ns;
    if (entry->kind >= SOURCE_SENDER && !entry->relays && entry->clock_use != CLOCK_IGNORED &&
        !__builtin_add_overflow(row->time_ns, entry->ahead_ns, &stamp_ns))
        clock_skew_take(&entry->clock, stamp_ns, row->received_ns);
}

/* Rows from begin to, not with, end are its. */
static int give_rows(struct sources *sources, const struct batch *batch, const struct look *look, struct source_entry *entry,
                     uint32_t begin, uint32_t end, struct err *err)
{
    const struct event_row *last = &batch->rows[end - 1];
    const struct column *datasets = look->kinds.columns[0];
    struct value dataset = datasets ? column_first(datasets, end - 1) : value_null();
    rhythm_take(&entry->rhythm, &sources->config.week, last->received_ns, end - begin);
    for (uint32_t row = begin; row < end; row++)
        count_row(entry, &batch->rows[row]);
    add_delay(entry, look->now_ns - last->received_ns, end - begin);
    add_minute(entry, last->received_ns, end - begin);
    source_entry_keep(&entry->stream, last->origin->stream);
    source_entry_keep(&entry->dataset, dataset.type == VALUE_STRING ? value_slice(dataset) : SLICE(""));
    return entry->silent_with ? source_silence_heard(sources, entry, last->received_ns, err) : 0;
}

/* What the rows are like, for the sender and the host. */
static void look_at_rows(struct sources *sources, const struct batch *batch, struct run *run, uint32_t end)
{
    for (uint32_t row = run->host_begin; row < end; row++) {
        uint64_t kind = source_kind_of(&run->look.kinds, row);
        source_profile_take(&run->sender->profile, &sources->words, batch, row, kind);
        if (run->behind)
            source_profile_take(&run->behind->profile, &sources->words, batch, row, kind);
    }
}

static int end_host(struct sources *sources, const struct batch *batch, struct run *run, uint32_t end, struct err *err)
{
    struct source_entry *const entries[] = {run->behind, run->also};
    struct source_entry *numbering = run->behind ? run->behind : run->sender;
    if (run->sender && end > run->host_begin) {
        look_at_rows(sources, batch, run, end);
        if (source_numbers_take(sources, numbering, batch, &run->look.numbers, run->host_begin, end, err) < 0)
            return -1;
    }
    for (size_t i = 0; i < ARRAY_COUNT(entries) && end > run->host_begin; i++)
        if (entries[i] && give_rows(sources, batch, &run->look, entries[i], run->host_begin, end, err) < 0)
            return -1;
    run->behind = run->also = NULL;
    run->host_begin = end;
    return 0;
}

static int end_run(struct sources *sources, const struct batch *batch, struct run *run, uint32_t end, struct err *err)
{
    int result = end_host(sources, batch, run, end, err);
    for (struct source_entry *entry = run->sender; entry && result == 0 && end > run->begin; entry = entry->group)
        result = give_rows(sources, batch, &run->look, entry, run->begin, end, err);
    for (size_t i = 0; i < run->named_count && result == 0 && end > run->begin; i++)
        result = give_rows(sources, batch, &run->look, run->named[i], run->begin, end, err);
    run->named_count = 0;
    if (run->sender)
        run->sender->held = false;
    run->sender = NULL;
    run->origin = NULL;
    return result;
}

/* A sender that sends for several hosts passes on what they send: each of them is a source. */
static struct source_entry *find_host(struct sources *sources, struct source_entry *sender, struct slice host,
                                      int64_t now_ns)
{
    struct source_entry like = {.kind = SOURCE_HOST, .source = sender->source, .sender = sender->sender, .host = host};
    if (!host.len || sender->kind != SOURCE_SENDER || sender->path.len || host.len > SOURCE_NAMES_BYTES)
        return NULL;
    if (!sender->only_host.len)
        source_entry_keep(&sender->only_host, host);
    if (!sender->relays && slice_equal(sender->only_host, host))
        return NULL;
    sender->relays = true;
    struct source_entry *behind =
        sender->members < SOURCE_HOSTS_MAX ? source_entry_get(sources, &like, now_ns) : source_entry_find(sources, &like);
    if (behind && !behind->counts.events) /* its first were decoded as the sender's */
        behind->ahead_ns = sender->ahead_ns;
    return behind;
}

/* Whether such a heartbeat waits for it by its token, or whatever is spoken over an HTTP port. */
static bool names(const struct heartbeat *beat, const struct origin *origin)
{
    bool is_port = false;
    for (size_t i = 0; i < beat->any_count && !is_port && origin->identity.len; i++)
        is_port = slice_equal(beat->any[i], origin->source);
    if (beat->host.len || !(is_port || slice_equal(beat->source, origin->source)))
        return false;
    return beat->sender.len ? slice_equal(beat->sender, origin->identity) : is_port;
}

static void find_named(struct sources *sources, struct run *run, const struct event_row *row)
{
    for (size_t i = 0; i < sources->heartbeat_count && run->named_count < NAMED_MAX; i++) {
        const struct heartbeat *beat = &sources->heartbeats[i];
        if (!names(beat, row->origin))
            continue;
        const struct source_entry like = {.kind = kind_of(beat), .source = beat->source, .sender = beat->sender};
        struct source_entry *entry = source_entry_get(sources, &like, row->received_ns);
        if (entry && entry != run->sender)
            run->named[run->named_count++] = entry;
    }
}

/* The entry of a heartbeat that is of the host alone. */
static struct source_entry *find_beat(struct sources *sources, const struct run *run, int64_t now_ns)
{
    const struct source_entry like = {.kind = SOURCE_HOST, .source = run->origin->source, .host = run->host};
    for (size_t i = 0; i < sources->heartbeat_count; i++)
        if (slice_equal(sources->heartbeats[i].host, run->host) && !sources->heartbeats[i].sender.len &&
            slice_equal(sources->heartbeats[i].source, like.source))
            return source_entry_get(sources, &like, now_ns);
    return NULL;
}

static void begin_run(struct sources *sources, struct run *run, const struct event_row *row, uint32_t at)
{
    struct look look = run->look;
    memset(run, 0, sizeof(*run));
    run->look = look;
    run->origin = row->origin;
    run->begin = run->host_begin = at;
    run->forgotten = sources->forgotten;
    arena_reset(sources->scratch);
    if (is_followed(row->origin))
        run->sender = find_sender(sources, row->origin, row->received_ns);
    if (run->sender) {
        run->sender->held = true;
        find_named(sources, run, row);
    }
}

static void begin_host(struct sources *sources, struct run *run, const struct event_row *row, struct slice host,
                       uint32_t at)
{
    size_t slot = hash_bytes(host) % HOSTS_CACHED;
    run->host = host;
    run->host_begin = at;
    if (run->forgotten != sources->forgotten) {
        memset(run->cache, 0, sizeof(run->cache));
        run->forgotten = sources->forgotten;
    }
    if (sources->host_heartbeats && host.len)
        run->also = find_beat(sources, run, row->received_ns);
    if (host.len && slice_equal(run->cache[slot].host, host)) {
        run->behind = run->cache[slot].behind;
        return;
    }
    arena_reset(sources->scratch);
    run->behind = find_host(sources, run->sender, host, row->received_ns);
    run->cache[slot].behind = run->behind;
    run->cache[slot].host = run->behind ? host : SLICE_NONE;
}

static struct slice host_of(const struct column *hosts, uint32_t row, uint32_t *at)
{
    struct value v = hosts ? column_next(hosts, row, at) : value_null();
    return v.type == VALUE_STRING ? value_slice(v) : SLICE("");
}

static int take_rows(struct sources *sources, const struct batch *batch, struct err *err)
{
    const struct column *hosts = batch_find(batch, FIELD_HOST);
    uint64_t seen_seq = sources->seen_seq;
    uint32_t host_at = 0;
    struct run run = {.look = {number_columns_of(batch), source_kinds_of(batch), clock_wall_ns(sources->config.clock)}};
    for (uint32_t row = 0; row < batch->row_count; row++) {
        const struct event_row *event = &batch->rows[row];
        if (event->seq <= seen_seq && seen_seq) { /* read again from the journal */
            if (end_run(sources, batch, &run, row, err) < 0)
                return -1;
            continue;
        }
        bool fresh = event->origin != run.origin;
        if (fresh && end_run(sources, batch, &run, row, err) < 0)
            return -1;
        if (fresh)
            begin_run(sources, &run, event, row);
        sources->seen_seq = event->seq > sources->seen_seq ? event->seq : sources->seen_seq;
        if (!run.sender)
            continue;
        struct slice host = host_of(hosts, row, &host_at);
        if (!fresh && slice_equal(host, run.host))
            continue;
        if (end_host(sources, batch, &run, row, err) < 0)
            return -1;
        begin_host(sources, &run, event, host, row);
    }
    return end_run(sources, batch, &run, batch->row_count, err);
}

int sources_take(struct sources *sources, const struct batch *batch, struct err *err)
{
    pthread_mutex_lock(&sources->lock);
    int result = take_rows(sources, batch, err);
    sources->changed = true;
    arena_reset(sources->scratch);
    pthread_mutex_unlock(&sources->lock);
    return result;
}

int sources_tick(struct sources *sources, int64_t now_ns, struct err *err)
{
    int result = 0;
    if (now_ns - sources->ticked_ns < TICK_S * NS_PER_SECOND)
        return 0;
    pthread_mutex_lock(&sources->lock);
    /* The machine slept, or the walk stood still: nobody was silent. */
    bool asleep = now_ns - sources->ticked_ns > ASLEEP_S * NS_PER_SECOND;
    sources->ticked_ns = now_ns;
    for (size_t i = 0; i < sources->count; i++)
        if (asleep)
            rhythm_resume(&sources->list[i]->rhythm, now_ns);
        else
            rhythm_advance(&sources->list[i]->rhythm, &sources->config.week, now_ns);
    result = source_numbers_look(sources, now_ns, err);
    if (!asleep && result == 0)
        result = source_silence_look(sources, now_ns, err);
    if (now_ns - sources->saved_ns >= sources->config.save_ns) {
        save(sources);
        sources->saved_ns = now_ns;
    }
    arena_reset(sources->scratch);
    pthread_mutex_unlock(&sources->lock);
    return result;
}

/* ---- asking ---- */

const char *source_state_name(enum source_state state)
{
    static const char *const names[] = {"learning", "as_usual", "silent", "not_awaited"};
    return names[state];
}

static enum source_state state_of(const struct source_entry *entry)
{
    if (entry->silent_with)
        return SOURCE_SILENT;
    if (entry->every_ns < 0)
        return SOURCE_NOT_AWAITED;
    return entry->every_ns > 0 || rhythm_is_known(&entry->rhythm) ? SOURCE_AS_USUAL : SOURCE_LEARNING;
}

/* The upper end of the bin where it is. */
static int64_t delay_at(const struct source_entry *entry, double part)
{
    uint64_t all = 0, sum = 0;
    for (size_t i = 0; i < SOURCE_DELAY_BINS; i++)
        all += entry->delays[i];
    for (size_t i = 0; i < SOURCE_DELAY_BINS && all; i++) {
        sum += entry->delays[i];
        if ((double)sum >= part * (double)all)
            return (int64_t)(exp2((double)(i + 1) / 2) * (double)NS_PER_MS);
    }
    return 0;
}

static double rate_of(const struct source_entry *entry, int64_t now_ns)
{
    int64_t now_minute = now_ns / NS_PER_MINUTE, known_s = (now_ns - entry->rhythm.first_ns) / NS_PER_SECOND;
    uint64_t sum = 0;
    for (int64_t at = now_minute - SOURCE_RATE_MINUTES + 1; at <= now_minute; at++)
        if (at <= entry->newest_minute && entry->newest_minute - at < SOURCE_RATE_MINUTES)
            sum += entry->minutes[at % SOURCE_RATE_MINUTES];
    int64_t over_s = (SOURCE_RATE_MINUTES - 1) * 60 + now_ns / NS_PER_SECOND % 60;
    if (over_s > known_s)
        over_s = known_s > 60 ? known_s : 60;
    return (double)sum / (double)over_s;
}

static struct source_view view_of(const struct sources *sources, const struct source_entry *entry, int64_t now_ns)
{
    struct rhythm_hour hour = rhythm_hour_at(&sources->config.week, now_ns);
    struct source_view view = {
        .kind = entry->kind, .state = state_of(entry), .source = entry->source, .sender = entry->sender,
        .path = entry->path, .host = entry->host, .stream = entry->stream, .dataset = entry->dataset,
        .counts = entry->counts, .since_ns = entry->counts.events ? entry->rhythm.first_ns : 0, .last_ns = entry->counts.events ? entry->rhythm.last_ns : 0,
        .silent_since_ns = entry->silent_with ? entry->silent_since_ns : 0,
        .every_ns = entry->every_ns > 0 ? entry->every_ns : 0,
        .per_second = rate_of(entry, now_ns),
        .usual_per_second = entry->rhythm.seen[hour.slot] ? rhythm_usual_events(&entry->rhythm, hour.slot) / 3600 : -1,
        .delay_p50_ns = delay_at(entry, 0.5), .delay_p99_ns = delay_at(entry, 0.99), .lag_ns = entry->lag_ns,
        .clock = entry->relays ? (struct clock_skew_found){0} : clock_skew_find(&entry->clock),
        .watched_ns = entry->rhythm.watched_ns, .gap_from = entry->gap_from, .gap_to = entry->gap_to,
        .last_gap_ns = entry->last_gap_ns, .numberings = entry->sequence_count};
    for (uint32_t i = 0; i < entry->sequence_count; i++)
        view.numbered_again += entry->sequences[i].sequence.again;
    if (!view.host.len && !entry->relays)
        view.host = entry->only_host;
    return view;
}

void sources_each(struct sources *sources, source_visit visit, void *context)
{
    int64_t now_ns = clock_wall_ns(sources->config.clock);
    pthread_mutex_lock(&sources->lock);
    for (int kind = SOURCE_EVERYTHING; kind <= SOURCE_HOST; kind++)
        for (size_t i = 0; i < sources->count; i++) {
            if ((int)sources->list[i]->kind != kind)
                continue;
            struct source_view view = view_of(sources, sources->list[i], now_ns);
            visit(context, &view);
        }
    pthread_mutex_unlock(&sources->lock);
}

int sources_facts(struct sources *sources, const struct source_view *view, struct arena *arena, struct source_facts *out)
{
    struct source_entry like = {.kind = view->kind, .source = view->source, .sender = view->sender, .path = view->path};
    if (view->kind == SOURCE_HOST) /* of others it is only told along */
        like.host = view->host;
    *out = (struct source_facts){0};
    pthread_mutex_lock(&sources->lock);
    const struct source_entry *entry = source_entry_find(sources, &like);
    int result = entry ? source_profile_copy(&entry->profile, &sources->words, arena, out) : 0;
    arena_reset(sources->scratch);
    pthread_mutex_unlock(&sources->lock);
    return result;
}

uint64_t sources_forgotten(struct sources *sources)
{
    pthread_mutex_lock(&sources->lock);
    uint64_t forgotten = sources->forgotten;
    pthread_mutex_unlock(&sources->lock);
    return forgotten;
}
