#include "serve/readers.h"

#include "event/schema.h"
#include "search/parser.h"
#include "search/run.h"
#include "serve/knowing.h"

struct reading {
    struct api *api;
    struct read_source *list;
    size_t count;
    reader_found found;
    void *context;
    struct arena *arena;   /* of a search */
    struct expr_scope scope;
    uint64_t *hit;         /* sources that the present reader reads */
    bool everything;       /* it asked for all */
    struct map guards;     /* guard's address -> bits of the sources for which it can hold */
    const struct knowledge *knowledge;
    uint64_t unclear;
};

/* ---- what is known ---- */

static struct chance_column one_of(const struct slice *text)
{
    return text->len ? (struct chance_column){true, true, text, 1} : (struct chance_column){0};
}

static struct chance_column look(void *context, struct slice column)
{
    const struct read_source *source = context;
    const struct source_view *view = source->view;
    if (slice_equal(column, FIELD_SOURCE))
        return one_of(&view->source);
    if (slice_equal(column, FIELD_STREAM))
        return one_of(&view->stream);
    if (slice_is(column, "source"))
        return one_of(view->path.len ? &view->path : &view->source);
    if (slice_equal(column, FIELD_PATH) && view->path.len)
        return one_of(&view->path);
    if (slice_equal(column, FIELD_HOST) && view->host.len)
        return one_of(&view->host);
    if (slice_starts(column, SLICE("hinomi.")) || slice_equal(column, FIELD_TIMESTAMP) || slice_equal(column, FIELD_ORIGINAL) ||
        slice_equal(column, FIELD_INGESTED) || slice_equal(column, FIELD_EVENT_ID) || slice_equal(column, FIELD_SENDER))
        return (struct chance_column){0}; /* ours, not the decoders' */
    return source_facts_column(&source->facts, column);
}

/* An event of which nothing is known but that it came. */
static struct chance_column look_at_any(void *context, struct slice column)
{
    static const struct slice any = {"\x01", 1};
    (void)context;
    return slice_equal(column, FIELD_SOURCE) || slice_equal(column, FIELD_STREAM) || slice_equal(column, FIELD_DECODER)
               ? one_of(&any)
               : (struct chance_column){0};
}

static bool takes_any(struct reading *reading, const struct expr *expr)
{
    return expr_chance(expr, look_at_any, NULL, &reading->scope) == CHANCE_ALWAYS;
}

static bool can_hold(struct reading *reading, const struct read_source *source, const struct expr *expr)
{
    return expr_chance(expr, look, (void *)(uintptr_t)source, &reading->scope) != CHANCE_NEVER;
}

static void begin(struct reading *reading)
{
    bits_zero(reading->hit, reading->count);
    reading->everything = false;
}

static void give(struct reading *reading, struct reader *reader)
{
    reader->everything = reading->everything;
    for (size_t i = bits_next(reading->hit, reading->count, 0); i < reading->count;
         i = bits_next(reading->hit, reading->count, i + 1)) {
        reading->list[i].readers[reader->kind] += !reader->everything;
        reading->list[i].everything += reader->everything;
        if (reading->found)
            reading->found(reading->context, &reading->list[i], reader);
    }
}

/* ---- rules ---- */

/* Log sources are shared by many rules: each is looked at once. NULL when memory is out. */
static const uint64_t *sources_of(struct reading *reading, const struct expr *guard)
{
    struct arena *arena = reading->api->arena;
    const struct slice key = {(const char *)&guard, sizeof(guard)};
    uint64_t *bits = map_find(&reading->guards, key);
    if (bits)
        return bits;
    struct slice copy = arena_copy(arena, key);
    bits = arena_calloc(arena, bits_words(reading->count) * sizeof(*bits));
    if (!bits || !copy.ptr || map_put(&reading->guards, copy, bits) < 0)
        return NULL;
    for (size_t i = 0; i < reading->count; i++)
        if (reading->list[i].known && can_hold(reading, &reading->list[i], guard))
            bits_set(bits, i);
    return bits;
}

static int look_at_rule(struct reading *reading, const struct rule *rule, struct err *err)
{
    struct reader reader = {.kind = READER_RULE, .id = rule->name, .title = rule->title.ptr ? rule->title : rule->name};
    arena_reset(reading->arena);
    begin(reading);
    for (size_t v = 0; v < rule->variant_count; v++) {
        const struct rule_variant *variant = &rule->variants[v];
        const uint64_t *may = sources_of(reading, variant->guard);
        if (!may)
            return err_nomem(err);
        reading->everything |= takes_any(reading, variant->guard) && takes_any(reading, variant->condition);
        for (size_t i = bits_next(may, reading->count, 0); i < reading->count; i = bits_next(may, reading->count, i + 1))
            if (!bits_get(reading->hit, i) && can_hold(reading, &reading->list[i], variant->condition))
                bits_set(reading->hit, i);
    }
    give(reading, &reader);
    return 0;
}

static int look_at_rules(struct reading *reading, struct err *err)
{
    struct rulebook *book = pipeline_hold_rules(reading->api->parts->pipeline);
    int result = 0;
    for (size_t i = 0; book && result == 0 && i < book->rules->count; i++)
        if (book->rules->rules[i]->status == RULE_ACTIVE)
            result = look_at_rule(reading, book->rules->rules[i], err);
    rulebook_release(book);
    return result;
}

/* ---- searches, and what they are made of ---- */

static bool is_in_streams(struct reading *reading, const struct search_request *request, struct slice stream)
{
    struct wildcard wildcard;
    for (size_t i = 0; i < request->index_count; i++)
        if (!stream.len || !wildcard_from_stars(reading->arena, request->indexes[i], &wildcard) ||
            wildcard_match(&wildcard, stream))
            return true;
    return request->index_count == 0;
}

static void on_request(void *context, const struct search_request *request)
{
    struct reading *reading = context;
    reading->everything |= takes_any(reading, request->filter) && is_in_streams(reading, request, SLICE("\x01"));
    for (size_t i = 0; i < reading->count; i++)
        if (reading->list[i].known && is_in_streams(reading, request, reading->list[i].view->stream) &&
            can_hold(reading, &reading->list[i], request->filter))
            bits_set(reading->hit, i);
}

/* Plans it; what it asks for is told to on_request(). */
static int plan(struct reading *reading, struct slice text, struct slice person, struct err *err)
{
    struct spl_options read = {.knowledge = reading->knowledge, .person = person};
    struct search_options options = {.knowledge = reading->knowledge, .person = person, .plan_only = true,
                                     .clock = reading->api->parts->clock, .zone = reading->api->parts->zone,
                                     .asks = on_request, .asks_context = reading};
    struct spl_query *query;
    struct search *search;
    arena_reset(reading->arena);
    if (!text.ptr)
        return err_nomem(err);
    if (spl_parse_with(arena_copy(reading->arena, text), reading->arena, &read, &query, err) < 0 ||
        search_new(query, &options, &search, err) < 0)
        return -1;
    search_free(search);
    return 0;
}

/* 1: what it reads is added to the hits; 0: it cannot be known. */
static int add_text(struct reading *reading, struct slice text, struct slice person, struct err *err)
{
    struct err why;
    if (plan(reading, text, person, &why) == 0)
        return 1;
    if (why.code == ERR_NOMEM) {
        *err = why;
        return -1;
    }
    reading->unclear++;
    return 0;
}

static int look_at_text(struct reading *reading, const struct know_object *object, struct slice text, struct reader *reader,
                        struct err *err)
{
    begin(reading);
    int result = add_text(reading, text, object->owner, err);
    if (result == 1)
        give(reading, reader);
    return result < 0 ? -1 : 0;
}

/* All its panels together are one reader. */
static int look_at_dashboard(struct reading *reading, const struct know_object *object, struct reader *reader, struct err *err)
{
    const struct know_dashboard *board = object->spec;
    begin(reading);
    for (size_t i = 0; i < board->panel_count; i++)
        if (board->panels[i].search.len &&
            add_text(reading, know_dashboard_search(board, board->panels[i].search, reading->api->arena), object->owner, err) < 0)
            return -1;
    give(reading, reader);
    return 0;
}

static int look_at_object(struct reading *reading, const struct know_object *object, struct err *err)
{
    const struct know_saved_search *saved = object->spec;
    const struct know_event_type *type = object->spec;
    struct arena *arena = reading->api->arena;
    struct slice person = reading->api->caller.user.name;
    struct reader reader = {.id = object->name, .title = object->name, .owner = object->owner,
                            .hidden = object->origin == KNOW_OWN && !slice_equal(object->owner, person)};
    switch (object->kind) {
    case KNOW_SAVED_SEARCH:
        reader.kind = saved->schedule && saved->schedule->enabled ? READER_SCHEDULE : READER_SEARCH;
        return look_at_text(reading, object, saved->search, &reader, err);
    case KNOW_EVENT_TYPE:
        reader.kind = READER_EVENT_TYPE;
        return look_at_text(reading, object, arena_printf(arena, "search (%.*s)", SLICE_ARG(type->search)), &reader, err);
    case KNOW_DATA_MODEL:
        reader.kind = READER_DATA_MODEL;
        return look_at_text(reading, object, arena_printf(arena, "| from datamodel:\"%.*s\"", SLICE_ARG(object->name)), &reader,
                            err);
    case KNOW_DASHBOARD:
        reader.kind = READER_DASHBOARD;
        return look_at_dashboard(reading, object, &reader, err);
    case KNOW_MACRO:
    case KNOW_LOOKUP:
    case KNOW_TAG:
        break;
    }
    return 0;
}

static int look_at_knowledge(struct reading *reading, struct err *err)
{
    struct knowledge *set = knowing_hold(reading->api->parts->knowing);
    const struct know_object *object;
    int result = 0;
    reading->knowledge = set;
    for (size_t i = 0; result == 0 && (object = know_at(set, i)); i++)
        for (bool ends = false; result == 0 && object && !ends; object = object->next) { /* each person's own, and all others' */
            result = look_at_object(reading, object, err);
            ends = object->origin != KNOW_OWN;
        }
    know_release(set);
    return result;
}

int readers_look(struct api *api, struct read_source *list, size_t count, reader_found found, void *context,
                 uint64_t *unclear, struct err *err)
{
    struct reading reading = {.api = api, .list = list, .count = count, .found = found, .context = context};
    *unclear = 0;
    map_init(&reading.guards, api->arena);
    for (size_t i = 0; i < count; i++) {
        if (sources_facts(api->parts->sources, list[i].view, api->arena, &list[i].facts) < 0)
            return err_nomem(err);
        list[i].known = list[i].facts.looked > 0;
    }
    reading.hit = arena_calloc(api->arena, (bits_words(count) + 1) * sizeof(uint64_t));
    reading.arena = arena_new(64 * MIB);
    reading.scope = (struct expr_scope){.scratch = reading.arena, .clock = api->parts->clock, .zone = api->parts->zone,
                                        .now_ns = clock_wall_ns(api->parts->clock)};
    int result = reading.hit && reading.arena ? look_at_rules(&reading, err) : err_nomem(err);
    if (result == 0)
        result = look_at_knowledge(&reading, err);
    arena_free(reading.arena);
    *unclear = reading.unclear;
    return result;
}
