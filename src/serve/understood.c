#include "serve/understood.h"

#include "base/time.h"
#include "decode/recognition.h"
#include "decode/stamp_zone.h"
#include "event/schema.h"
#include "search/parser.h"
#include "search/rows.h"
#include "search/run.h"
#include "search/store_backend.h"
#include "serve/stamp_evidence.h"

#include <math.h>
#include <stdlib.h>

/* Of events that came within two minutes around the same distance from their stamps. */
enum { APART_SPREAD_S = 120, APART_EVENTS_MIN = 5 };

/* earliest_time() of what every event has costs a quarter of min(_time), which compares decimals.
 * What the server sends itself (findings, the gate's decisions) is no source of anybody's. */
static const char shares[] =
    "NOT hinomi.source=\"hinomi.*\" | eval src=coalesce('hinomi.source',\"\"), snd=coalesce('log.source.address',\"\"), "
    "pth=coalesce('log.file.path',\"\"), dec=coalesce('hinomi.decoder',\"\"), "
    "unk=if(searchmatch(\"tags=_not_understood\"),1,0), bad=if(searchmatch(\"tags=_decode_error\"),1,0), "
    "qua=if(searchmatch(\"tags=_quarantined\"),1,0), away=_time-_indextime "
    "| stats count, sum(unk) as unk, sum(bad) as bad, sum(qua) as qua, earliest_time(src) as first, latest_time(src) as last, "
    "avg(away) as away, stdev(away) as spread by src, snd, pth, dec";

struct adding {
    struct looking *looking;
    struct understood *out;
    struct map by_key; /* of understood_source */
    size_t room;
};

static uint64_t number_of(const struct batch *rows, uint32_t row, const char *name)
{
    struct value v = batch_first(rows, row, slice_text(name));
    return v.type == VALUE_I64 && v.i64 > 0 ? (uint64_t)v.i64 : 0;
}

static double real_of(const struct batch *rows, uint32_t row, const char *name)
{
    return value_to_f64(batch_first(rows, row, slice_text(name)));
}

static int64_t time_of(const struct batch *rows, uint32_t row, const char *name)
{
    int64_t time_ns = 0;
    struct value v = batch_first(rows, row, slice_text(name));
    return rows_time(v, &time_ns) ? time_ns : 0;
}

/* Made when it is new; NULL when memory is out. */
static struct understood_source *source_of(struct adding *adding, const struct batch *rows, uint32_t row)
{
    struct arena *arena = adding->looking->arena;
    struct slice name[] = {row_text(rows, row, SLICE("src")), row_text(rows, row, SLICE("snd")),
                           row_text(rows, row, SLICE("pth"))};
    struct slice key = arena_printf(arena, "%zu %zu %.*s%.*s%.*s", name[0].len, name[1].len, SLICE_ARG(name[0]),
                                    SLICE_ARG(name[1]), SLICE_ARG(name[2]));
    struct understood *out = adding->out;
    void **slot = key.ptr ? map_slot(&adding->by_key, key) : NULL;
    if (!slot)
        return NULL;
    if (*slot)
        return &out->list[(uintptr_t)*slot - 1];
    if (out->count == adding->room) {
        size_t room = adding->room ? adding->room * 2 : 64;
        struct understood_source *list = arena_grow(arena, out->list, adding->room * sizeof(*list),
                                                    room * sizeof(*list));
        if (!list)
            return NULL;
        out->list = list;
        adding->room = room;
    }
    struct understood_source *source = &out->list[out->count++];
    *slot = (void *)(uintptr_t)out->count;
    *source = (struct understood_source){.source = arena_copy(arena, name[0]),
                                         .sender = arena_copy(arena, name[1]),
                                         .path = arena_copy(arena, name[2])};
    return source->source.ptr && source->sender.ptr && source->path.ptr ? source : NULL;
}

/* In its place by number of events; the last one goes. */
static void add_taker(struct understood_source *source, struct slice name, uint64_t events)
{
    struct taker one = {name, events};
    for (size_t i = 0; i < UNDERSTOOD_TAKERS_MAX; i++) {
        if (source->takers[i].events >= one.events)
            continue;
        struct taker next = source->takers[i];
        source->takers[i] = one;
        one = next;
    }
}

/* Whether these events lie a zone's offset away from when they came. An import says nothing: its events came later. */
static bool is_apart(const struct understood_source *source, const struct batch *rows, uint32_t row, uint64_t events)
{
    int32_t offset_s;
    double away = real_of(rows, row, "away"), spread = real_of(rows, row, "spread");
    if (slice_is(source->source, "import") || events < APART_EVENTS_MIN || !isfinite(away) ||
        !(spread <= APART_SPREAD_S) || fabs(away) > 86400)
        return false;
    return stamp_zone_offset((int64_t)(away * (double)NS_PER_SECOND), &offset_s) && offset_s != 0;
}

static int add_row(struct adding *adding, const struct batch *rows, uint32_t row)
{
    struct understood_source *source = source_of(adding, rows, row);
    struct slice label = row_text(rows, row, SLICE("dec")), name = label, version;
    uint64_t events = number_of(rows, row, "count"), unknown = number_of(rows, row, "unk");
    int64_t first = time_of(rows, row, "first"), last = time_of(rows, row, "last");
    if (!source)
        return -1;
    (void)slice_cut(label, '@', &name, &version);
    const struct decoder *decoder = decoders_find(adding->looking->parts->decoders, name);
    uint64_t quarantined = number_of(rows, row, "qua"), taken = events - unknown - quarantined;
    source->events += events;
    source->not_understood += unknown;
    source->quarantined += quarantined;
    source->not_finished += number_of(rows, row, "bad");
    if (decoder && decoder_is_general(decoder))
        source->in_part += taken;
    else
        source->understood += taken;
    if (!source->first_ns || first < source->first_ns)
        source->first_ns = first;
    if (last > source->last_ns)
        source->last_ns = last;
    if (!name.len)
        return 0;
    name = arena_copy(adding->looking->arena, name);
    if (taken)
        add_taker(source, name, taken);
    if (is_apart(source, rows, row, events) && events > source->apart_events) {
        source->apart = name;
        source->apart_events = events;
    }
    return name.ptr ? 0 : -1;
}

static int add_rows(struct looking *looking, const struct batch *rows, struct understood *out, struct err *err)
{
    struct adding adding = {.looking = looking, .out = out};
    map_init(&adding.by_key, looking->arena);
    for (uint32_t row = 0; rows && row < rows->row_count; row++)
        if (add_row(&adding, rows, row) < 0)
            return err_nomem(err);
    return 0;
}

static int run(struct looking *looking, struct search *search, struct understood *out, struct err *err)
{
    struct search_result result;
    int more = 1;
    while (more > 0 && !looking_is_late(looking))
        more = search_step(search, err);
    if (more < 0)
        return -1;
    if (more && search_preview(search, looking->arena, &result, err) < 0)
        return -1;
    looking->late = more > 0;
    return add_rows(looking, more ? result.rows : search_result(search)->rows, out, err);
}

static int count_all(struct looking *looking, struct understood *out, struct err *err)
{
    struct store_backend backend;
    struct spl_query *query;
    struct search *search;
    store_backend_init(&backend, looking->parts->store, looking->parts->clock, NULL);
    backend.backend.redecoder = looking->parts->redecoder;
    struct search_options options = {.backend = &backend.backend,
                                     .clock = looking->parts->clock,
                                     .from_ns = looking->from_ns,
                                     .to_ns = looking->to_ns,
                                     .rows_max = UNDERSTOOD_GROUPS_MAX};
    if (spl_parse(slice_text(shares), looking->arena, &query, err) < 0 ||
        search_new(query, &options, &search, err) < 0)
        return -1;
    int result = run(looking, search, out, err);
    search_free(search);
    return result;
}

static uint64_t unclear(const struct understood_source *source)
{
    return source->not_understood + source->quarantined;
}

static int by_unclear(const void *a, const void *b)
{
    const struct understood_source *x = a, *y = b;
    if (unclear(x) != unclear(y))
        return unclear(x) < unclear(y) ? 1 : -1;
    if (x->in_part != y->in_part)
        return x->in_part < y->in_part ? 1 : -1;
    int by = slice_compare(x->source, y->source);
    by = by ? by : slice_compare(x->sender, y->sender);
    return by ? by : slice_compare(x->path, y->path);
}

static int look_at_zones(struct looking *looking, struct understood *out, struct err *err)
{
    size_t looked = 0;
    for (size_t i = 0; i < out->count && looked < ZONES_LOOKED_MAX && !looking_is_late(looking); i++) {
        if (!out->list[i].apart.len)
            continue;
        looked++;
        if (stamp_evidence_find(looking, &out->list[i], err) < 0)
            return -1;
    }
    return 0;
}

int understood_look(struct looking *looking, struct understood *out, struct err *err)
{
    *out = (struct understood){0};
    if (count_all(looking, out, err) < 0)
        return -1;
    if (out->count)
        qsort(out->list, out->count, sizeof(*out->list), by_unclear);
    if (out->count > UNDERSTOOD_SOURCES_MAX) {
        out->more = out->count - UNDERSTOOD_SOURCES_MAX;
        out->count = UNDERSTOOD_SOURCES_MAX;
    }
    return look_at_zones(looking, out, err);
}
