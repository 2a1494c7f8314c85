/* What is known of each input, and of each sender, host and file within them. */
#include "serve/readers.h"

#include "base/time.h"
#include "flow/sources.h"

#include <math.h>
#include <stdlib.h>

#define MONTH_S (30.4 * 86400)

struct stream_size {
    struct slice name;
    uint64_t disk, raw; /* of what is in segments */
    uint64_t sent;      /* by the senders that are known */
};

struct books {
    struct slice name;
    struct ledger_counts counts;
    int64_t newest_minute;
};

struct listing {
    struct api *api;
    struct map streams;  /* name -> struct stream_size */
    struct map books;    /* input -> struct books */
    struct map inputs;   /* input -> struct source_view */
    struct source_view *views;
    size_t count, room;
    struct books **sorted;
    size_t book_count;
    bool failed;
};

/* ---- gathering ---- */

static void *entry_of(struct map *map, struct slice name, size_t size, struct arena *arena)
{
    struct slice key = map_has(map, name) ? name : arena_copy(arena, name);
    void **slot = key.ptr ? map_slot(map, key) : NULL;
    if (slot && !*slot)
        *slot = arena_calloc(arena, size);
    return slot ? *slot : NULL;
}

static void add_books(void *context, const struct ledger_entry *entry)
{
    struct listing *listing = context;
    struct books *books = entry_of(&listing->books, entry->source, sizeof(*books), listing->api->arena);
    if (!books) {
        listing->failed = true;
        return;
    }
    if (!books->name.ptr) {
        books->name = arena_copy(listing->api->arena, entry->source);
        listing->failed |= !books->name.ptr;
        listing->book_count++;
    }
    ledger_counts_add(&books->counts, &entry->counts);
    if (entry->minute > books->newest_minute)
        books->newest_minute = entry->minute;
}

static void add_view(void *context, const struct source_view *view)
{
    struct listing *listing = context;
    struct arena *arena = listing->api->arena;
    if (listing->count == listing->room) {
        size_t room = listing->room ? listing->room * 2 : 64;
        struct source_view *more = arena_grow(arena, listing->views, listing->room * sizeof(*more), room * sizeof(*more));
        if (!more) {
            listing->failed = true;
            return;
        }
        listing->views = more;
        listing->room = room;
    }
    struct source_view *copy = &listing->views[listing->count++];
    *copy = *view;
    struct slice *texts[] = {&copy->source, &copy->sender, &copy->path, &copy->host, &copy->stream, &copy->dataset};
    for (size_t i = 0; i < ARRAY_COUNT(texts); i++) {
        *texts[i] = arena_copy(arena, *texts[i]);
        listing->failed |= !texts[i]->ptr;
    }
}

static int measure_streams(struct listing *listing, struct err *err)
{
    struct arena *arena = listing->api->arena;
    struct snapshot *snapshot = store_snapshot(listing->api->parts->store);
    struct store_piece *pieces;
    size_t count;
    int result = snapshot ? store_pieces(snapshot, arena, &pieces, &count, err) : err_nomem(err);
    for (size_t i = 0; result == 0 && i < count; i++) {
        struct stream_size *stream = entry_of(&listing->streams, pieces[i].stream, sizeof(*stream), arena);
        if (!stream)
            result = err_nomem(err);
        else if (pieces[i].path.ptr) {
            stream->disk += pieces[i].bytes;
            stream->raw += pieces[i].raw_bytes;
        }
    }
    store_snapshot_release(snapshot);
    return result;
}

static void index_views(struct listing *listing)
{
    for (size_t i = 0; i < listing->count && !listing->failed; i++) {
        struct source_view *view = &listing->views[i];
        struct stream_size *stream = map_find(&listing->streams, view->stream);
        if (view->kind == SOURCE_SENDER && stream)
            stream->sent += view->counts.bytes;
        if (view->kind == SOURCE_INPUT && map_put(&listing->inputs, view->source, view) < 0)
            listing->failed = true;
    }
}

static int gather(struct listing *listing, struct err *err)
{
    struct api *api = listing->api;
    struct ledger ledger;
    map_init(&listing->streams, api->arena);
    map_init(&listing->books, api->arena);
    map_init(&listing->inputs, api->arena);
    if (store_ledger(api->parts->store, &ledger, err) < 0)
        return -1;
    ledger_each(&ledger, add_books, listing);
    ledger_close(&ledger);
    if (api->parts->sources)
        sources_each(api->parts->sources, add_view, listing);
    if (measure_streams(listing, err) < 0)
        return -1;
    index_views(listing);
    return listing->failed ? err_nomem(err) : 0;
}

/* ---- a source ---- */

static void put_f64_or_null(struct json *json, const char *key, bool known, double number)
{
    json_key(json, key);
    known ? json_f64(json, number) : json_null(json);
}

static void put_clock(struct json *json, const struct clock_skew_found *clock, struct arena *arena)
{
    int64_t minutes = llabs(clock->zone_ns / NS_PER_MINUTE);
    json_key(json, "clock");
    if (!clock->known) {
        json_null(json);
        return;
    }
    json_open(json, '{');
    json_put_text_or_null(json, "zone", clock->zone_ns ? arena_printf(arena, "%c%02lld:%02lld", clock->zone_ns < 0 ? '-' : '+',
                                                                       (long long)(minutes / 60), (long long)(minutes % 60))
                                                       : SLICE(""));
    put_f64_or_null(json, "skew_s", true, round((double)clock->skew_ns / (double)NS_PER_MS) / 1000);
    json_close(json, '}');
}

/* What it has of its stream's segments: by the bytes it sent, among all that the stream's senders sent. */
static void put_sizes(struct listing *listing, const struct source_view *view)
{
    struct json *json = &listing->api->json;
    const struct stream_size *stream = map_find(&listing->streams, view->stream);
    uint64_t events = view->counts.events, disk = stream ? stream->disk : 0;
    double part = stream && stream->sent ? (double)view->counts.bytes / (double)stream->sent : 0;
    double month = events ? view->per_second * (double)view->counts.bytes / (double)events * MONTH_S : 0;
    bool packed = stream && stream->raw;
    json_put_i64(json, "bytes", (int64_t)view->counts.bytes);
    json_put_i64(json, "disk_bytes", (int64_t)(fmin(part, 1) * (double)disk));
    json_put_i64(json, "month_bytes", (int64_t)month);
    json_key(json, "month_disk_bytes");
    packed ? json_i64(json, (int64_t)(month * (double)stream->disk / (double)stream->raw)) : json_null(json);
}

/* What is missing by the numbers that protocols give. */
static void put_gaps(struct json *json, const struct source_view *view)
{
    json_key(json, "gaps");
    json_open(json, '{');
    json_put_i64(json, "missing", (int64_t)view->counts.gaps);
    json_put_i64(json, "gaps", (int64_t)view->counts.gap_count);
    json_put_i64(json, "restarts", (int64_t)view->counts.restarts);
    json_put_i64(json, "again", (int64_t)view->numbered_again);
    json_put_i64(json, "numberings", view->numberings);
    json_put_time_or_null(json, "last", view->last_gap_ns);
    json_put_i64(json, "last_from", (int64_t)view->gap_from);
    json_put_i64(json, "last_to", (int64_t)view->gap_to);
    json_close(json, '}');
}

static void put_view(struct listing *listing, const struct source_view *view)
{
    struct json *json = &listing->api->json;
    const struct source_counts *counts = &view->counts;
    uint64_t unclear = counts->not_understood + counts->quarantined;
    json_put_text(json, "state", slice_text(source_state_name(view->state)));
    json_put_text_or_null(json, "stream", view->stream);
    json_put_time_or_null(json, "first_seen", view->since_ns);
    json_put_time_or_null(json, "last_seen", view->last_ns);
    json_put_time_or_null(json, "silent_since", view->silent_since_ns);
    put_f64_or_null(json, "heartbeat_s", view->every_ns, (double)view->every_ns / (double)NS_PER_SECOND);
    json_put_i64(json, "events", (int64_t)counts->events);
    put_f64_or_null(json, "per_second", true, view->per_second);
    put_f64_or_null(json, "usual_per_second", view->usual_per_second >= 0, view->usual_per_second);
    json_put_i64(json, "delay_p50_ms", view->delay_p50_ns / NS_PER_MS);
    json_put_i64(json, "delay_p99_ms", view->delay_p99_ns / NS_PER_MS);
    put_f64_or_null(json, "lag_s", counts->events, round((double)view->lag_ns / (double)NS_PER_MS) / 1000);
    put_clock(json, &view->clock, listing->api->arena);
    put_gaps(json, view);
    put_f64_or_null(json, "share", counts->events, (double)(counts->events - unclear) / (double)counts->events);
    json_put_i64(json, "not_understood", (int64_t)counts->not_understood);
    json_put_i64(json, "not_finished", (int64_t)counts->decode_errors);
    put_sizes(listing, view);
}

/* ---- inputs ---- */

static int by_name(const void *a, const void *b)
{
    return slice_compare((*(struct books *const *)a)->name, (*(struct books *const *)b)->name);
}

static int sort_books(struct listing *listing)
{
    size_t at = 0, count = 0;
    const struct map_entry *entry;
    listing->sorted = arena_array(listing->api->arena, listing->book_count + 1, sizeof(*listing->sorted));
    if (!listing->sorted)
        return -1;
    while ((entry = map_next(&listing->books, &at)))
        listing->sorted[count++] = entry->value;
    qsort(listing->sorted, count, sizeof(*listing->sorted), by_name);
    return 0;
}

static void put_lost(struct json *json, const char *key, const struct ledger_counts *counts)
{
    static const char *const places[LEDGER_PLACES] = {"kernel", "queue", "parse"}; /* as in enum drop_place */
    json_key(json, key);
    json_open(json, '{');
    for (size_t i = 0; i < LEDGER_PLACES; i++)
        json_put_i64(json, places[i], (int64_t)counts->dropped[i]);
    json_close(json, '}');
}

static void put_input(struct listing *listing, const struct books *books)
{
    enum { SILENT_MINUTES = 10 };
    struct json *json = &listing->api->json;
    const struct source_view *view = map_find(&listing->inputs, books->name);
    int64_t now_minute = clock_wall_ns(listing->api->parts->clock) / NS_PER_MINUTE;
    json_open(json, '{');
    json_put_text(json, "name", books->name);
    json_put_text_or_null(json, "dataset", view ? view->dataset : SLICE(""));
    json_put_i64(json, "received", (int64_t)books->counts.received);
    json_put_i64(json, "stored", (int64_t)books->counts.stored);
    json_put_i64(json, "quarantined", (int64_t)books->counts.quarantined);
    json_put_i64(json, "dropped", (int64_t)ledger_dropped(&books->counts));
    json_put_time(json, "last_event", books->newest_minute * NS_PER_MINUTE);
    json_put_bool(json, "silent", now_minute - books->newest_minute > SILENT_MINUTES);
    put_lost(json, "lost", &books->counts);
    if (view)
        put_view(listing, view);
    json_close(json, '}');
}

/* ---- senders ---- */

static int trouble(const struct source_view *view)
{
    return view->state == SOURCE_SILENT ? 0 : 1;
}

static int by_trouble(const void *a, const void *b)
{
    const struct source_view *x = a, *y = b;
    if (trouble(x) != trouble(y))
        return trouble(x) - trouble(y);
    int by = slice_compare(x->source, y->source);
    by = by ? by : slice_compare(x->sender, y->sender);
    by = by ? by : slice_compare(x->path, y->path);
    by = by ? by : slice_compare(x->host, y->host);
    return by ? by : (int)x->kind - (int)y->kind;
}

static const char *const reader_names[READER_KINDS] = {"rules", "searches", "scheduled", "event_types", "data_models", "dashboards"};

static bool is_read(const struct read_source *source)
{
    return source->readers[READER_RULE] || source->readers[READER_SEARCH] || source->readers[READER_SCHEDULE];
}

static void put_readers(struct json *json, const struct read_source *source)
{
    json_key(json, "readers");
    if (!source->known) {
        json_null(json);
    } else {
        json_open(json, '{');
        for (size_t i = 0; i < READER_KINDS; i++)
            json_put_i64(json, reader_names[i], (int64_t)source->readers[i]);
        json_put_i64(json, "everything", (int64_t)source->everything);
        json_close(json, '}');
    }
    json_put_bool(json, "read_by_nobody", source->known && !is_read(source));
}

/* Of all of its input: the kernel does not tell whose datagrams it dropped. */
static void put_input_lost(struct listing *listing, const struct source_view *view)
{
    static const struct ledger_counts none;
    const struct books *books = map_find(&listing->books, view->source);
    put_lost(&listing->api->json, "lost_at_input", books ? &books->counts : &none);
}

static void put_sender(struct listing *listing, const struct read_source *read)
{
    struct json *json = &listing->api->json;
    const struct source_view *view = read->view;
    json_open(json, '{');
    json_put_text(json, "source", view->source);
    json_put_text_or_null(json, "sender", view->sender);
    json_put_text_or_null(json, "path", view->path);
    json_put_text_or_null(json, "host", view->host);
    json_put_bool(json, "relayed", view->kind == SOURCE_HOST);
    json_put_text_or_null(json, "dataset", view->dataset);
    put_view(listing, view);
    put_input_lost(listing, view);
    put_readers(json, read);
    json_close(json, '}');
}

static int put_senders(struct listing *listing, struct err *err)
{
    struct json *json = &listing->api->json;
    size_t count = 0, shown = 0, offset = (size_t)api_number(listing->api, "offset", 0, INT32_MAX);
    size_t most = (size_t)api_number(listing->api, "limit", SOURCES_SHOWN_MAX, SOURCES_SHOWN_MAX);
    uint64_t unclear = 0;
    for (size_t i = 0; i < listing->count; i++)
        if (listing->views[i].kind >= SOURCE_SENDER)
            listing->views[count++] = listing->views[i];
    if (count)
        qsort(listing->views, count, sizeof(*listing->views), by_trouble);
    struct read_source *list = arena_calloc(listing->api->arena, (most + 1) * sizeof(*list));
    if (!list)
        return err_nomem(err);
    for (; offset + shown < count && shown < most; shown++)
        list[shown].view = &listing->views[offset + shown];
    if (shown && readers_look(listing->api, list, shown, NULL, NULL, &unclear, err) < 0)
        return -1;
    json_key(json, "senders");
    json_open(json, '[');
    for (size_t i = 0; i < shown; i++)
        put_sender(listing, &list[i]);
    json_close(json, ']');
    json_put_i64(json, "searches_unclear", (int64_t)unclear);
    json_put_i64(json, "senders_total", (int64_t)count);
    json_key(json, "next_offset");
    offset < count && count - offset > most ? json_i64(json, (int64_t)(offset + most)) : json_null(json);
    return 0;
}

/* ---- who reads one ---- */

struct naming {
    struct json *json;
    size_t named;
};

static void name_reader(void *context, const struct read_source *source, const struct reader *reader)
{
    struct naming *naming = context;
    struct json *json = naming->json;
    (void)source;
    if (naming->named++ >= READERS_SHOWN_MAX)
        return;
    json_open(json, '{');
    json_put_text(json, "kind", slice_text(reader_names[reader->kind]));
    json_put_text_or_null(json, "id", reader->hidden ? SLICE("") : reader->id);
    json_put_text_or_null(json, "title", reader->hidden ? SLICE("") : reader->title);
    json_put_text_or_null(json, "owner", reader->owner);
    json_put_bool(json, "everything", reader->everything);
    json_close(json, '}');
}

static const struct source_view *find_asked(struct listing *listing)
{
    struct http_request *request = listing->api->request;
    const struct slice source = http_param(request, "source"), sender = http_param(request, "sender"),
                       path = http_param(request, "path"), host = http_param(request, "host");
    bool relayed = slice_is(http_param(request, "relayed"), "1");
    for (size_t i = 0; i < listing->count; i++) {
        const struct source_view *view = &listing->views[i];
        if (slice_equal(view->source, source) && slice_equal(view->sender, sender) && slice_equal(view->path, path) &&
            (view->kind == SOURCE_HOST) == relayed && (!relayed || slice_equal(view->host, host)) &&
            view->kind >= SOURCE_SENDER)
            return view;
    }
    return NULL;
}

void api_source_readers(struct api *api)
{
    struct listing listing = {.api = api};
    struct json *json = &api->json;
    struct naming naming = {.json = json};
    uint64_t unclear;
    struct err err;
    if (api->parts->sources)
        sources_each(api->parts->sources, add_view, &listing);
    const struct source_view *view = listing.failed ? NULL : find_asked(&listing);
    if (!view) {
        api_error(api, 404, "not_found", "there is no such sender; GET /v1/sources names source, sender, path, host and relayed");
        return;
    }
    struct read_source one = {.view = view};
    json_open(json, '{');
    json_key(json, "readers");
    json_open(json, '[');
    if (readers_look(api, &one, 1, name_reader, &naming, &unclear, &err) < 0) {
        api_error(api, 503, "out_of_memory", "no memory to see who reads it; try again");
        return;
    }
    json_close(json, ']');
    json_put_i64(json, "total", (int64_t)naming.named);
    json_put_bool(json, "known", one.known);
    json_put_bool(json, "read_by_nobody", one.known && !is_read(&one));
    json_put_i64(json, "searches_unclear", (int64_t)unclear);
    json_close(json, '}');
    api_reply(api, 200);
}

/* ---- all of them ---- */

void api_sources(struct api *api)
{
    struct listing listing = {.api = api};
    struct json *json = &api->json;
    struct err err;
    err_clear(&err);
    if (gather(&listing, &err) < 0 || sort_books(&listing) < 0) {
        api_error(api, 503, "out_of_memory", "no memory for the list of sources; try again");
        return;
    }
    json_open(json, '{');
    json_key(json, "sources");
    json_open(json, '[');
    for (size_t i = 0; i < listing.book_count; i++)
        put_input(&listing, listing.sorted[i]);
    json_close(json, ']');
    if (put_senders(&listing, &err) < 0) { /* last: it sorts the views */
        api_error(api, 503, "out_of_memory", "no memory to see who reads the sources; try again with a smaller limit");
        return;
    }
    json_put_i64(json, "forgotten", api->parts->sources ? (int64_t)sources_forgotten(api->parts->sources) : 0);
    json_close(json, '}');
    api_reply(api, 200);
}
